import { Notification } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { openMenu } from '../components/menus';
import type { IProps } from '../components/props';
import { StatusMark } from '../components/status-mark';
import type { SessionPanel, SessionTracker } from '../lab/session-tracker';
import { mark } from '../presentation/status';
import { placeOf } from '../store/accessors';
import { kernelOf } from '../store/kernel-names';
import type { IBuild, IEnvironment, IPlace } from '../store/types';
import { Section } from './section';

const MOST = 40;
const STATE = 'jupyter-envstore:kernel-builds';
const SHOWN = 15_000;

/** The build that each kernel was started in. */
type IKernelBuilds = Record<string, { number: number; id: number }>;

/** The notebook or console in front and the environment that it runs in. */
export function CurrentNotebook(
  props: IProps & { sessions: SessionTracker; state: IStateDB | null }
): React.ReactElement | null {
  const { model, trans, commands, sessions, state } = props;
  const panel = useCurrentPanel(sessions);
  const kernel = useKernel(panel);
  const spelled = kernelOf(kernel.name);
  const item =
    model.environments.find(found => found.kernels.includes(kernel.name)) ?? (spelled ? model.find(spelled.place) : undefined);
  const isGone = Boolean(spelled && !item && model.lastSeen && model.isConnected);
  const ofBuild = item ? spelled?.number ?? null : null; // a kernel that is this build's own
  const builds = useKernelBuilds(kernel.id, ofBuild === null ? item : undefined, state);
  const build = builds[kernel.id];
  const active = item?.current_build;
  const isOld = Boolean(build && active && build.id !== active.id && ofBuild === null);
  const place = item && placeOf(item);
  useOldBuildNotice(props, isOld && panel && place && build && active ? { panel, kernel: kernel.id, place, build, active } : null);
  if (!panel || panel.isDisposed || (model.environments.length === 0 && !isGone)) {
    return null;
  }
  const change = (event: React.MouseEvent) => {
    const usable = model.environments.filter(other => other.kernels.length).slice(0, MOST);
    const items = usable.map(({ namespace, name }) => ({
      command: CommandIDs.useInCurrent,
      args: { namespace: namespace.name, name, words: `${namespace.name}/${name}` }
    }));
    openMenu(commands, items, event.currentTarget);
  };
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
        ) : isGone && spelled ? (
          <Gone {...props} place={spelled.place} />
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
          {place && item.permissions.includes('environment::update') && (
            <Link onClick={() => commands.execute(CommandIDs.addPackage, place)}>{trans.__('Add package…')}</Link>
          )}
          <button type="button" className="jp-EnvStore-link" aria-haspopup="menu" onClick={change}>
            {trans.__('Change ▾')}
          </button>
        </div>
      </div>
    </Section>
  );
}

/** Return the notebook or console in front. */
function useCurrentPanel(sessions: SessionTracker): SessionPanel | null {
  const [panel, setPanel] = React.useState<SessionPanel | null>(sessions.current);
  React.useEffect(() => {
    const slot = () => setPanel(sessions.current);
    slot();
    sessions.changed.connect(slot);
    return () => {
      sessions.changed.disconnect(slot);
    };
  }, [sessions]);
  return panel;
}

/** Return the kernel of a notebook or console; empty without one. */
function useKernel(panel: SessionPanel | null): { id: string; name: string } {
  const [kernel, setKernel] = React.useState({ id: '', name: '' });
  React.useEffect(() => {
    const session = panel?.sessionContext;
    const slot = () => {
      const found = session?.session?.kernel;
      setKernel({ id: found?.id ?? '', name: found?.name ?? '' });
    };
    slot();
    session?.kernelChanged.connect(slot);
    return () => {
      session?.kernelChanged.disconnect(slot);
    };
  }, [panel]);
  return kernel;
}

/**
 * Return the build that each kernel was started in. A kernel continues to use the build that was active when it
 * started; this is stored here, since the server does not know it.
 */
function useKernelBuilds(kernel: string, item: IEnvironment | undefined, state: IStateDB | null): IKernelBuilds {
  const [builds, setBuilds] = React.useState<IKernelBuilds>({});
  React.useEffect(() => {
    const build = item?.current_build;
    if (kernel && build) {
      void state?.fetch(STATE).then(value => {
        const known = (value ?? {}) as IKernelBuilds;
        const all = kernel in known ? known : { ...known, [kernel]: { number: build.number, id: build.id } };
        setBuilds(all);
        void state.save(STATE, Object.fromEntries(Object.entries(all).slice(-MOST)));
      });
    }
  }, [kernel, item?.id, state]);
  return builds;
}

/** A kernel that runs in another build than the active one. */
interface IOldBuild {
  panel: SessionPanel;
  kernel: string;
  place: IPlace;
  build: { number: number; id: number };
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
