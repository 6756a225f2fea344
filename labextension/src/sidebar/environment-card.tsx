import { consoleIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Age, useClock } from '../components/age';
import { Link, TextButton } from '../components/buttons';
import { useLoaded, useStale } from '../components/hooks';
import { KernelNote } from '../components/kernel-note';
import type { IProps } from '../components/props';
import { Presence } from '../components/presence';
import { StatusMark } from '../components/status-mark';
import { clause } from '../presentation/error-text';
import { ago, duration, moment, size } from '../presentation/formats';
import { buildMark, builtOn, tookSeconds } from '../presentation/status';
import { placeOf } from '../store/accessors';
import type { IBuild, IEnvironment } from '../store/types';

const SHOWN_BUILDS = 3;

/** The most important facts and actions of an environment. */
export function EnvironmentCard(props: IProps & { item: IEnvironment }): React.ReactElement {
  const { item } = props;
  const build = item.current_build;
  return (
    <div className="jp-EnvStore-card" onClick={event => event.stopPropagation()}>
      {item.description && <div className="jp-EnvStore-description">{item.description}</div>}
      {build && item.active && <BuildFacts build={build} trans={props.trans} />}
      <KernelNote {...props} />
      <Presence {...props} />
      <UseActions {...props} />
      <LastBuilds {...props} />
    </div>
  );
}

/** What the active build holds, and how it was made. */
function BuildFacts({ build, trans }: { build: IBuild; trans: IProps['trans'] }): React.ReactElement {
  const now = useClock();
  return (
    <>
      <div
        className="jp-EnvStore-sub"
        title={trans.__('%1 for this build alone; the rest is shared with other builds or the package cache', size(build.own_size))}
      >
        {trans._n(
          'Build %2 · %1 package · %3',
          'Build %2 · %1 packages · %3',
          build.package_count,
          build.number,
          size(build.size).replace(' ', '\u00a0')
        )}
      </div>
      <div className="jp-EnvStore-sub" title={moment(builtOn(build))}>
        {trans.__(
          'Built %1 by %2, in %3',
          ago(builtOn(build), now, trans),
          build.created_by,
          duration(tookSeconds(build))
        )}
      </div>
    </>
  );
}

/** Buttons that use the environment: it has to be brought back first where its files were deleted. */
function UseActions(props: IProps & { item: IEnvironment }): React.ReactElement {
  const { item, trans, commands } = props;
  const names = placeOf(item);
  return (
    <div className="jp-EnvStore-actions">
      {item.active && item.current_build?.packed_away ? (
        <TextButton primary needsServer id={CommandIDs.restore} onClick={() => commands.execute(CommandIDs.restore, names)}>
          {trans.__('Bring back')}
        </TextButton>
      ) : (
        item.kernels.length > 0 && (
          <>
            <TextButton
              primary
              needsServer
              id="envstore:card-notebook"
              onClick={() => commands.execute(CommandIDs.openNotebook, names)}
            >
              <notebookIcon.react tag="span" className="jp-EnvStore-buttonIcon" />
              {trans.__('Notebook')}
            </TextButton>
            <TextButton needsServer id={CommandIDs.openConsole} onClick={() => commands.execute(CommandIDs.openConsole, names)}>
              <consoleIcon.react tag="span" className="jp-EnvStore-buttonIcon" />
              {trans.__('Console')}
            </TextButton>
          </>
        )
      )}
      <TextButton id="envstore:card-open" onClick={() => commands.execute(CommandIDs.open, names)}>
        {trans.__('Open')}
      </TextButton>
    </div>
  );
}

/** The newest builds, and a link to all of them. */
function LastBuilds(props: IProps & { item: IEnvironment }): React.ReactElement {
  const { item, trans, commands, model } = props;
  const names = placeOf(item);
  const { value, reload } = useLoaded(() => model.api.builds(item.id, SHOWN_BUILDS), [item.id, item.newest_build_id]);
  useStale(model, null, reload);
  return (
    <>
      <ul className="jp-EnvStore-lastBuilds" aria-label={trans.__('Last builds')}>
        {value?.builds.map(found => (
          <li key={found.id} className="jp-EnvStore-line">
            <StatusMark mark={buildMark(found, trans)} />
            <Link
              label={trans.__('Show the log of build %1', found.number)}
              onClick={() => commands.execute(CommandIDs.showLog, { ...names, build: found.id })}
            >
              {found.number}
            </Link>
            {found.active && <span className="jp-EnvStore-badge">{trans.__('active')}</span>}
            <span className="jp-EnvStore-name jp-EnvStore-sub" title={found.status_info ?? ''}>
              {found.status === 'FAILED' ? clause(found.status_info ?? '') : ''}
            </span>
            <Age build={found} trans={trans} />
          </li>
        ))}
      </ul>
      {value && value.count > SHOWN_BUILDS && (
        <Link onClick={() => commands.execute(CommandIDs.open, { ...names, tab: 'builds' })}>{trans.__('All %1 builds…', value.count)}</Link>
      )}
    </>
  );
}
