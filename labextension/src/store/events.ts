import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

const SCHEMA = 'https://events.jupyter.org/jupyter_envstore/';
const COALESCE = 100;

/** What changed: ids of environments or builds; null if they are not known, so that all may have changed. */
export interface IChange {
  environments: ReadonlySet<number> | null;
  builds: ReadonlySet<number> | null;
}

/** The store's events, collected for a moment, so that many events cause one request. */
export class StoreEvents implements IDisposable {
  /** `onNews` is called with false if only the progress of running builds has changed. */
  constructor(
    private readonly events: Event.IManager,
    private readonly onNews: (whole: boolean) => void
  ) {
    events.stream.connect(this._onEvent, this);
  }

  isDisposed = false;

  dispose(): void {
    this.isDisposed = true;
    window.clearTimeout(this._timer);
    this.events.stream.disconnect(this._onEvent, this);
  }

  /** Return what changed since the last call. */
  take(): IChange {
    const gathered = this._all ? { environments: null, builds: null } : this._gathered;
    this._gathered = { environments: null, builds: null };
    this._all = false;
    return gathered;
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    const schema = String(event.schema_id);
    if (!schema.startsWith(SCHEMA)) {
      return;
    }
    const kind = schema.slice(SCHEMA.length).split('/')[0];
    const ids = (event as unknown as { ids?: number[] }).ids ?? [];
    this._all ||= ids.length === 0; // it is not known what changed
    const gather = (known: ReadonlySet<number> | null) => new Set([...(known ?? []), ...ids]);
    if (kind === 'environments') {
      this._gathered.environments = gather(this._gathered.environments);
      this._gathered.builds ??= new Set();
      this._whole = true;
    } else {
      this._gathered.builds = gather(this._gathered.builds);
      this._gathered.environments ??= new Set();
      this._whole ||= kind === 'builds';
    }
    if (!this._timer) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        const whole = this._whole;
        this._whole = false;
        this.onNews(whole);
      }, COALESCE);
    }
  }

  private _timer = 0;
  private _whole = false;
  private _all = false;
  private _gathered: IChange = { environments: null, builds: null };
}
