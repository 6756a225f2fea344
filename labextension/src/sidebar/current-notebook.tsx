import { Notification } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { openMenu } from '../components/menus';
import type { IProps } from '../components/props';
import { StatusMark } from '../components/status-mark';
import type { SessionTracker, SessionPanel } from '../lab/session-tracker';
import { mark } from '../presentation/status';
import { kernelOf } from '../store/kernel-names';
import { placeOf } from '../store/model';
import type { IPlace } from '../store/types';
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
  const [panel, setPanel] = React.useState<SessionPanel | null>(sessions.current);
  const [kernel, setKernel] = React.useState({ id: '', name: '' });
  const [builds, setBuilds] = React.useState<IKernelBuilds>({});
  const told = React.useRef(new Set<string>());
  React.useEffect(() => {
    const slot = () => setPanel(sessions.current);
    slot();
    sessions.changed.connect(slot);
    return () => {
      sessions.changed.disconnect(slot);
    };
  }, [sessions]);
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
  const spelled = kernelOf(kernel.name);
  const item =
    model.environments.find(found => found.kernels.includes(kernel.name)) ?? (spelled ? model.find(spelled.place) : undefined);
  const isGone = Boolean(spelled && !item && model.lastSeen && model.isConnected);
  const ofBuild = item ? spelled?.number ?? null : null; // a kernel that is this build's own
  React.useEffect(() => {
    // a kernel goes on in the build that was active when it started: remembered, as the server does not tell
    const build = item?.current_build;
    if (kernel.id && build && ofBuild === null) {
      void state?.fetch(STATE).then(value => {
        const known = (value ?? {}) as IKernelBuilds;
        const all = kernel.id in known ? known : { ...known, [kernel.id]: { number: build.number, id: build.id } };
        setBuilds(all);
        void state.save(STATE, Object.fromEntries(Object.entries(all).slice(-MOST)));
      });
    }
  }, [kernel.id, item?.id, state]);
  const build = builds[kernel.id];
  const active = item?.current_build;
  const isOld = Boolean(build && active && build.id !== active.id && ofBuild === null);
  const place = item && placeOf(item);
  React.useEffect(() => {
    if (isOld && panel && place && build && active && !told.current.has(kernel.id)) {
      told.current.add(kernel.id);
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
  }, [isOld, kernel.id]);
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
          <div className="jp-EnvStore-sub">{trans.__('It runs in no environment of the store.')}</div>
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

/** That the environment of a kernel that goes on was deleted, and the way back. */
function Gone(props: IProps & { place: IPlace }): React.ReactElement {
  const { trans, commands, model, place } = props;
  const [isLost, setLost] = React.useState(false);
  const name = `${place.namespace}/${place.name}`;
  return (
    <div role="status" data-testid="envstore:kernel-of-deleted">
      <span className="jp-EnvStore-mark" data-kind="canceled" aria-hidden="true">
        ⊘
      </span>
      {isLost ? trans.__('%1 was deleted and cannot come back.', name) : trans.__('%1 was deleted', name)}
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
