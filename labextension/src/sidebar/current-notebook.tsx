import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { openMenu } from '../components/menus';
import type { IProps } from '../components/props';
import { StatusMark } from '../components/status-mark';
import type { IStartedBuild, KernelBuilds } from '../store/kernel-builds';
import type { SessionPanel, SessionTracker } from '../lab/session-tracker';
import { mark } from '../presentation/status';
import type { IBuild, IPlace } from '../store/types';
import { Section } from './section';
import { useCurrentKernel } from './use-current-kernel';

const MOST = 40;
const SHOWN = 15_000;

/** The notebook or console in front and the environment that it runs in. */
export function CurrentNotebook(
  props: IProps & { sessions: SessionTracker; kernels: KernelBuilds }
): React.ReactElement | null {
  const { model, trans, commands, sessions, kernels } = props;
  const { panel, kernel, item, place, build, ofBuild, isOld, deleted } = useCurrentKernel(model, sessions, kernels);
  const active = item?.current_build;
  useOldBuildNotice(props, isOld && panel && place && build && active ? { panel, kernel, place, build, active } : null);
  if (!panel || panel.isDisposed || (model.environments.length === 0 && !deleted)) {
    return null;
  }
  return (
    <Section title={'console' in panel ? trans.__('Current Console') : trans.__('Current Notebook')}>
      <div className="jp-EnvStore-current">
        <div className="jp-EnvStore-sub">{panel.title.label}</div>
        {item && place ? (
          <div className="jp-EnvStore-line">
            <StatusMark mark={mark(item, trans, model.isConnected)} />
            <Link onClick={() => commands.execute(CommandIDs.open, place)}>{`${place.namespace}/${place.name}`}</Link>
            <span className="jp-EnvStore-age">{trans.__('build %1', ofBuild ?? build?.number ?? active?.number ?? '')}</span>
          </div>
        ) : deleted ? (
          <Gone {...props} place={deleted} />
        ) : (
          <div className="jp-EnvStore-sub">{trans.__('It does not use an environment of the store.')}</div>
        )}
        {isOld && place && (
          <div className="jp-EnvStore-sub">
            {trans.__('Build %1 is active now.', active?.number ?? '')}{' '}
            <Link onClick={() => commands.execute(CommandIDs.useInCurrent, place)}>{trans.__('Switch')}</Link>
          </div>
        )}
        <div className="jp-EnvStore-actions">
          {item && place && item.permissions.includes('environment::update') && (
            <Link onClick={() => commands.execute(CommandIDs.addPackage, place)}>{trans.__('Add package…')}</Link>
          )}
          <button type="button" className="jp-EnvStore-link" aria-haspopup="menu" onClick={event => chooseEnvironment(props, event.currentTarget)}>
            {trans.__('Change ▾')}
          </button>
        </div>
      </div>
    </Section>
  );
}

/** Open a menu of the environments that the notebook or console in front can be used with. */
function chooseEnvironment({ model, commands }: IProps, button: Element): void {
  const usable = model.environments.filter(other => other.kernels.length).slice(0, MOST);
  const items = usable.map(({ namespace, name }) => ({
    command: CommandIDs.useInCurrent,
    args: { namespace: namespace.name, name, words: `${namespace.name}/${name}` }
  }));
  openMenu(commands, items, button);
}

/** A kernel that runs in another build than the active one. */
interface IOldBuild {
  panel: SessionPanel;
  kernel: string;
  place: IPlace;
  build: IStartedBuild;
  active: IBuild;
}

/** Notify the user once for each kernel that it runs in another build than the active one. */
function useOldBuildNotice({ trans, commands }: IProps, old: IOldBuild | null): void {
  const told = React.useRef(new Set<string>());
  React.useEffect(() => {
    if (old && !told.current.has(old.kernel)) {
      const { panel, kernel, place, build, active } = old;
      told.current.add(kernel);
      const words = trans.__('%1 runs in build %2; build %3 is active now', panel.title.label, build.number, active.number);
      const compare = { ...place, compare: [build.id, active.id] };
      Notification.info(words, {
        autoClose: SHOWN,
        actions: [
          { label: trans.__('Compare'), callback: () => void commands.execute(CommandIDs.compare, compare) },
          { label: trans.__('Switch'), callback: () => void commands.execute(CommandIDs.useInCurrent, { ...place, panel: panel.id }) },
          { label: trans.__('Keep'), callback: () => undefined }
        ]
      });
    }
  }, [old !== null, old?.kernel]);
}

/** A notice that the environment of a running kernel was deleted, with Undo. */
function Gone(props: IProps & { place: IPlace }): React.ReactElement {
  const { trans, commands, model, place } = props;
  const [isLost, setLost] = React.useState(false);
  const name = `${place.namespace}/${place.name}`;
  return (
    <div role="status" data-testid="envstore:kernel-of-deleted">
      <span className="jp-EnvStore-mark" data-kind="canceled" aria-hidden="true">
        ⊘
      </span>
      {isLost ? trans.__('%1 was deleted and cannot be brought back.', name) : trans.__('%1 was deleted', name)}
      {!isLost && model.may(place, 'environment::delete') && (
        <>
          {': '}
          <Link
            id={CommandIDs.undelete}
            label={trans.__('Undo the deletion of %1', name)}
            onClick={async () => setLost(!(await commands.execute(CommandIDs.undelete, { ...place })))}
          >
            {trans.__('Undo')}
          </Link>
        </>
      )}
    </div>
  );
}
