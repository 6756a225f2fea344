import { stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { IconButton } from '../components/buttons';
import { useNow } from '../components/hooks';
import { ProgressBar } from '../components/progress-bar';
import type { IProps } from '../components/props';
import { StatusMark } from '../components/status-mark';
import { step } from '../presentation/build-steps';
import { inLine } from '../presentation/formats';
import { placeOf } from '../store/accessors';
import type { IUnfinishedBuild } from '../store/model';
import { Section } from './section';

/** Builds that are queued or run. */
export function BuildQueue(props: IProps): React.ReactElement | null {
  const { model, trans } = props;
  const { building } = model;
  const queued = building.filter(({ build }) => build.status === 'QUEUED');
  return building.length === 0 ? null : (
    <Section title={trans.__('Builds')} count={building.length}>
      <ul className="jp-EnvStore-builds" aria-label={trans.__('Builds')}>
        {building.map(found => (
          <BuildRow key={found.build.id} {...props} found={found} line={queued.indexOf(found)} />
        ))}
      </ul>
    </Section>
  );
}

function BuildRow(props: IProps & { found: IUnfinishedBuild; line: number }): React.ReactElement {
  const { found, model, trans, commands, line } = props;
  const { item } = found;
  const now = useNow(1000);
  const build = found.build.id;
  const progress = model.progress(build);
  const { words, part } =
    line >= 0 ? { words: inLine(line + 1, trans), part: null } : step(progress, trans);
  const started = progress?.started_on;
  const seconds = started ? Math.max(0, Math.floor((now.getTime() - Date.parse(`${started}Z`)) / 1000)) : 0;
  const place = placeOf(item);
  const name = `${place.namespace}/${place.name}`;
  return (
    <li className="jp-EnvStore-build">
      <div className="jp-EnvStore-line">
        <StatusMark
          mark={
            line >= 0
              ? { shape: '◌', kind: 'queued', words: trans.__('Queued') }
              : { shape: model.isConnected ? '◐' : '?', kind: model.isConnected ? 'building' : 'unknown', words: trans.__('Building') }
          }
        />
        <button
          type="button"
          className="jp-EnvStore-name jp-EnvStore-plain"
          title={trans.__('Show the log of %1', name)}
          onClick={() => void commands.execute(CommandIDs.showLog, { ...place, build })}
        >
          {name}
        </button>
        {started && (
          <span className="jp-EnvStore-age">
            {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
          </span>
        )}
        <IconButton
          id={CommandIDs.cancel}
          commands={commands}
          icon={stopIcon}
          label={trans.__('Cancel the build of %1', item.name)}
          args={{ build }}
        />
      </div>
      <ProgressBar part={part} label={item.name} words={words} />
      <div className="jp-EnvStore-sub">{words}</div>
    </li>
  );
}
