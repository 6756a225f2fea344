import type { EnvStoreApi } from './api';
import type { ISpace } from './types';

const PAUSE = 30_000;

/** What changes slowly on the server: its disk and its version. */
export class ServerState {
  constructor(private readonly api: EnvStoreApi) {}

  /** How full the store's disk is; null before it was looked at, and for who may not know. */
  space: ISpace | null = null;

  /** Whether the server was exchanged for another version since the page was loaded. */
  isOutdated = false;

  /** How often space was freed from this page: what could be freed is another amount then. */
  timesFreed = 0;

  /** Note that space was freed: what is known of it is old. */
  freed(): void {
    this.timesFreed += 1;
    this._seen = 0;
  }

  /** Look now and then; at once with `soon`, after the server was away. */
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
