import * as React from 'react';
import type { IStartedBuild, KernelBuilds } from '../store/kernel-builds';
import type { SessionPanel, SessionTracker } from '../lab/session-tracker';
import { placeOf } from '../store/accessors';
import { kernelOf } from '../store/kernel-names';
import type { EnvStoreModel } from '../store/model';
import type { IEnvironment, IPlace } from '../store/types';

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
export function useCurrentKernel(model: EnvStoreModel, sessions: SessionTracker, kernels: KernelBuilds): ICurrentKernel {
  const panel = useCurrentPanel(sessions);
  const kernel = useKernel(panel);
  const spelled = kernelOf(kernel.name);
  const item = model.environmentOfKernel(kernel.name);
  const ofBuild = item ? spelled?.number ?? null : null; // a kernel that is this build's own
  const build = useStartedBuild(kernel.id, ofBuild === null ? item : undefined, kernels);
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

/** Return the build that a kernel of an environment was started in, once that is known. */
function useStartedBuild(kernel: string, item: IEnvironment | undefined, kernels: KernelBuilds): IStartedBuild | undefined {
  const [found, setFound] = React.useState<{ kernel: string; build: IStartedBuild | undefined }>({ kernel: '', build: undefined });
  React.useEffect(() => {
    if (kernel && item?.current_build) {
      kernels.startedIn(kernel, item).then(
        build => setFound({ kernel, build }),
        () => undefined // the server does not answer: the next look tells
      );
    }
  }, [kernel, item?.id, kernels]);
  return found.kernel === kernel ? found.build : undefined;
}
