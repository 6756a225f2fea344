import { editIcon, ellipsesIcon, HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Age } from '../../components/age';
import { IconButton, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { KernelNote } from '../../components/kernel-note';
import { openContextMenu } from '../../components/menus';
import { StatusMark } from '../../components/status-mark';
import { duration, size } from '../../presentation/formats';
import { buildMark, buildWords, type IMark, mark, tookSeconds } from '../../presentation/status';
import type { IBuild, IEnvironment } from '../../store/types';
import type { Tab } from '../shared/view-types';
import type { IViewProps } from './tab-props';

interface IHeaderProps extends IViewProps {
  item: IEnvironment;
  build: IBuild | undefined;
  builds: IBuild[];
  tab: Tab;
  choose: (build: number | null) => void;
}

/** What is known of an environment and of the build that is shown, and what can be done at once. */
export function EnvironmentHeader(props: IHeaderProps): React.ReactElement {
  const { item, build, trans, commands, place, model } = props;
  const isGone = model.isConnected && !model.find(place);
  const status: IMark = isGone ? { shape: '⊘', kind: 'canceled', words: trans.__('Deleted') } : mark(item, trans, model.isConnected);
  return (
    <div
      className="jp-EnvStore-header jp-EnvStore-environment"
      data-namespace={place.namespace}
      data-name={place.name}
    >
      <div className="jp-EnvStore-headline">
        <StatusMark mark={status} />
        <h2>
          <span className="jp-EnvStore-sub">{place.namespace} / </span>
          <span className="jp-EnvStore-wholeName">{place.name}</span>
        </h2>
        {!isGone && (
          <>
            <TextButton
              primary
              id={CommandIDs.openNotebook}
              needsServer
              disabled={!item.kernels.length}
              title={item.kernel_note ?? undefined}
              onClick={() => commands.execute(CommandIDs.openNotebook, { ...place })}
            >
              {trans.__('Open notebook')}
            </TextButton>
            <IconButton id="envstore:row-menu" icon={ellipsesIcon} label={trans.__('More')} onClick={event => openContextMenu(event.currentTarget)} />
          </>
        )}
      </div>
      <div className="jp-EnvStore-description">
        {item.description || <span className="jp-EnvStore-sub">{trans.__('No description')}</span>}
        {!isGone && item.permissions.includes('environment::update') && (
          <IconButton
            id={CommandIDs.describe}
            commands={commands}
            icon={editIcon}
            label={trans.__('Edit the description')}
            args={{ ...place }}
          />
        )}
      </div>
      <BuildFacts {...props} isGone={isGone} />
      {build?.status === 'FAILED' && build.status_info && props.tab !== 'artifacts' && <ErrorBox message={build.status_info} />}
      {!isGone && <KernelNote {...props} />}
    </div>
  );
}

/** The build that is shown, chosen from a list: who made it, when, how long it took, and its size. */
function BuildFacts(props: IHeaderProps & { isGone: boolean }): React.ReactElement {
  const { item, build, builds, trans, commands, place, choose, isGone } = props;
  const seconds = build ? tookSeconds(build) : null;
  const facts = build
    ? [
        seconds !== null ? trans.__('took %1', duration(seconds)) : '',
        build.status === 'COMPLETED' && !build.packed_away
          ? trans.__('%1 (%2 own)', size(build.size), size(build.own_size))
          : ''
      ].filter(part => part)
    : [];
  const known = builds.some(other => other.id === build?.id);
  return (
    <div className="jp-EnvStore-headerFacts">
      {build && isGone && <span>{trans.__('Build %1', build.number)}</span>}
      {build && !isGone && (
        <HTMLSelect
          aria-label={trans.__('Build')}
          data-testid="envstore:build-selector"
          value={String(build.id)}
          onChange={event => {
            const id = Number(event.currentTarget.value);
            choose(id === item.current_build_id ? null : id);
          }}
        >
          {!known && <option value={String(build.id)}>{buildWords(build, trans)}</option>}
          {builds.map(other => (
            <option key={other.id} value={String(other.id)}>
              {buildWords(other, trans)}
            </option>
          ))}
        </HTMLSelect>
      )}
      {build && !isGone && <StatusMark mark={buildMark(build, trans)} />}
      {build && (
        <span>
          {build.created_by && `${build.created_by} · `}
          <Age build={build} trans={trans} />
          {facts.map(fact => ` · ${fact}`)}
        </span>
      )}
      <Locked build={build} trans={trans} />
      {build?.packed_away && !isGone && (
        <TextButton
          id={CommandIDs.restore}
          onClick={() => commands.execute(CommandIDs.restore, { ...place, build: build.id })}
        >
          {trans.__('Bring back')}
        </TextButton>
      )}
    </div>
  );
}

/** The platforms that a build is locked for, each with a mark; nothing where it is the server's alone. */
function Locked({ build, trans }: { build: IBuild | undefined; trans: IViewProps['trans'] }): React.ReactElement | null {
  const platforms = Object.entries(build?.locked_platforms ?? {});
  return platforms.length > 1 ? (
    <span className="jp-EnvStore-platforms">
      {platforms.map(([platform, reason]) => (
        <span key={platform} title={reason ?? trans.__('Locked for %1', platform)}>
          {platform} {reason === null ? '✓' : <span className="jp-EnvStore-error">✗</span>}
        </span>
      ))}
    </span>
  ) : null;
}
