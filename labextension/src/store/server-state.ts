import type { EnvStoreApi } from './api';
import type { ISpace } from './types';

const PAUSE = 30_000;

/** What changes slowly on the server: its disk and its version. */
export class ServerState {
  constructor(private readonly api: EnvStoreApi) {}

  /** How full the store's disk is; null before the first answer, and for users who may not know. */
  space: ISpace | null = null;

  /** Whether the server's version changed since the page was loaded. */
  isOutdated = false;

  /** How often space was freed from this page; each time, the amount that can be freed changes. */
  timesFreed = 0;

  /** Note that space was freed, so that it is looked up again. */
  freed(): void {
    this.timesFreed += 1;
    this._seen = 0;
  }

  /** Update from time to time; immediately with `soon`, after the server was not reachable. */
  async look(soon: boolean): Promise<void> {
    if (!soon && Date.now() - this._seen < PAUSE) {
      return;
    }
    const [space, version] = await Promise.all([this.api.space().catch(() => null), this.api.version()]);
    this.space = space;
    this._version ||= version;
    this.isOutdated = version !== this._version;
    this._seen = Date.now();
  }

  private _version = '';
  private _seen = 0;
}
