import type { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';
import type { SessionPanel, SessionTracker } from '../lab/session-tracker';
import { placeOf } from '../store/accessors';
import { kernelOf } from '../store/kernel-names';
import type { EnvStoreModel } from '../store/model';
import type { IEnvironment, IPlace } from '../store/types';

/** How many kernels are remembered. */
const MOST = 40;
const STATE = 'jupyter-envstore:kernel-builds';

/** The build that a kernel was started in. */
export type IStartedBuild = { number: number; id: number };

type IKernelBuilds = Record<string, IStartedBuild>;

/** The kernel of the notebook or console in front, and the environment that it runs in. */
interface ICurrentKernel {
  panel: SessionPanel | null;
  /** Id of the kernel; empty without one. */
  kernel: string;
  /** The environment of the kernel; undefined where it is none of the store, or was deleted. */
  item: IEnvironment | undefined;
  place: IPlace | undefined;
  /** The build that the kernel was started in, as far as that is known. */
  build: IStartedBuild | undefined;
  /** The number of the build that the kernel belongs to, where it does not belong to the active build. */
  ofBuild: number | null;
  /** Whether another build became the active one after the kernel was started. */
  isOld: boolean;
  /** The environment of the kernel, where it was deleted. */
  deleted: IPlace | null;
}

/** Find the environment of the notebook or console in front, and the build that its kernel runs in. */
export function useCurrentKernel(model: EnvStoreModel, sessions: SessionTracker, state: IStateDB | null): ICurrentKernel {
  const panel = useCurrentPanel(sessions);
  const kernel = useKernel(panel);
  const spelled = kernelOf(kernel.name);
  const item =
    model.environments.find(found => found.kernels.includes(kernel.name)) ?? (spelled ? model.find(spelled.place) : undefined);
  const ofBuild = item ? spelled?.number ?? null : null; // a kernel that is this build's own
  const builds = useKernelBuilds(kernel.id, ofBuild === null ? item : undefined, state);
  const build = builds[kernel.id];
  const active = item?.current_build;
  return {
    ...{ panel, kernel: kernel.id, item, build, ofBuild },
    place: item && placeOf(item),
    isOld: Boolean(build && active && build.id !== active.id && ofBuild === null),
    deleted: spelled && !item && model.lastSeen && model.isConnected ? spelled.place : null
  };
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
