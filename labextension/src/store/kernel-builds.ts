import type { IStateDB } from '@jupyterlab/statedb';
import { placeOf } from './accessors';
import type { EnvStoreApi } from './api';
import type { IEnvironment } from './types';

/** How many kernels are remembered. */
const MOST = 40;
const STATE = 'jupyter-envstore:kernel-builds';

/** The build that a kernel was started in. */
export type IStartedBuild = { number: number; id: number };

type IKernelBuilds = Record<string, IStartedBuild>;

/**
 * Remembers the build that each kernel was started in. A kernel continues to use the build that was active when it
 * started; this is stored here, since the server does not know it.
 */
export class KernelBuilds {
  constructor(
    private readonly state: IStateDB | null,
    private readonly api: Pick<EnvStoreApi, 'environment'>
  ) {}

  /** Return the build that a kernel of an environment was started in; the active one if the kernel is seen for the first time. */
  startedIn(kernel: string, item: IEnvironment): Promise<IStartedBuild | undefined> {
    const found = this._last.then(() => this._look(kernel, item)); // one after the other: each reads, then writes
    this._last = found.catch(() => undefined);
    return found;
  }

  private async _look(kernel: string, item: IEnvironment): Promise<IStartedBuild | undefined> {
    const known = this._known ?? (((await this.state?.fetch(STATE)) ?? {}) as IKernelBuilds);
    this._known = known;
    if (kernel in known) {
      return known[kernel];
    }
    const active = (await this.api.environment(placeOf(item))).current_build; // the model may be older than the kernel
    if (!active) {
      return undefined;
    }
    known[kernel] = { number: active.number, id: active.id };
    await this.state?.save(STATE, Object.fromEntries(Object.entries(known).slice(-MOST)));
    return known[kernel];
  }

  private _known: IKernelBuilds | null = null;
  private _last: Promise<unknown> = Promise.resolve();
}
