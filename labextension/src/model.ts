import type { Event } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { type EnvStoreApi, EnvStoreError } from './api';
import type { IEnvironment, IProgress } from './types';

const SCHEMA = 'https://events.jupyter.org/jupyter_envstore/';
const COALESCE = 100;
const SLOW = 30_000;
const FAST = 1_500;

/** How the panel stands with the server. */
export type Connection = 'loading' | 'connected' | 'lost' | 'missing' | 'unavailable';

/**
 * What is in the store, as of the last look. Views hold no data of their own.
 *
 * Events say that something changed, and a poll stands behind them: it is slow, and quicker while something builds.
 */
export class EnvStoreModel implements IDisposable {
  constructor(
    readonly api: EnvStoreApi,
    events: Event.IManager
  ) {
    this._events = events;
    events.stream.connect(this._onEvent, this);
    this._poll = new Poll({
      auto: true,
      factory: () => this.refresh(),
      frequency: { interval: SLOW, backoff: false },
      name: 'jupyter-envstore:model',
      standby: 'when-hidden'
    });
  }

  /** Emitted after each look that changed something. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when an environment became usable, or got a new active build. */
  get ready(): ISignal<this, IEnvironment> {
    return this._ready;
  }

  get environments(): readonly IEnvironment[] {
    return this._environments;
  }

  get connection(): Connection {
    return this._connection;
  }

  /** Why the store cannot be opened, where the server says so. */
  get trouble(): string {
    return this._trouble;
  }

  /** When the server was last heard of. */
  get lastSeen(): Date | null {
    return this._lastSeen;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this._poll.dispose();
    this._events.stream.disconnect(this._onEvent, this);
    Signal.clearData(this);
  }

  /** Return the environment of these names. */
  find(namespace: string, name: string): IEnvironment | undefined {
    return this._environments.find(item => item.namespace.name === namespace && item.name === name);
  }

  /** Return the environments whose newest build is queued or runs. */
  get building(): IEnvironment[] {
    return this._environments.filter(
      item => item.newest_build_status === 'QUEUED' || item.newest_build_status === 'BUILDING'
    );
  }

  /** Return the progress of a build that is worked on. */
  progress(buildId: number): IProgress | undefined {
    return this._progress.get(buildId);
  }

  /** Look at everything again. */
  refresh(): Promise<void> {
    if (this._running) {
      this._again = true;
      return this._running;
    }
    const look = async () => {
      do {
        this._again = false;
        await this._look();
      } while (this._again && !this._isDisposed);
      this._running = null;
    };
    return (this._running = look());
  }

  private async _look(): Promise<void> {
    try {
      const environments = await this.api.environments();
      const building = environments.filter(
        item => item.newest_build_status === 'QUEUED' || item.newest_build_status === 'BUILDING'
      );
      const progress = await Promise.all(
        // a build may be deleted between the two looks
        building.map(item => this.api.progress(item.newest_build_id!).catch(() => null))
      );
      if (this._isDisposed) {
        return;
      }
      const before = new Map(this._environments.map(item => [item.id, item]));
      const first = this._lastSeen === null;
      this._progress = new Map(progress.flatMap(item => (item ? [[item.id, item] as const] : [])));
      this._environments = environments;
      this._connection = 'connected';
      this._lastSeen = new Date();
      this._poll.frequency = { interval: building.length ? FAST : SLOW, backoff: false, max: SLOW };
      this._changed.emit();
      for (const item of environments) {
        const old = before.get(item.id);
        if (!first && item.active && (!old?.active || old.current_build_id !== item.current_build_id)) {
          this._ready.emit(item);
        }
      }
    } catch (error) {
      if (this._isDisposed) {
        return;
      }
      const status = error instanceof EnvStoreError ? error.status : 0;
      this._connection = status === 404 ? 'missing' : status === 503 ? 'unavailable' : 'lost';
      this._trouble = error instanceof Error ? error.message : '';
      this._changed.emit();
    }
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    if (!String(event.schema_id).startsWith(SCHEMA) || this._timer) {
      return;
    }
    this._timer = window.setTimeout(() => {
      this._timer = 0;
      void this.refresh();
    }, COALESCE);
  }

  private readonly _events: Event.IManager;
  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _ready = new Signal<this, IEnvironment>(this);
  private _environments: IEnvironment[] = [];
  private _progress = new Map<number, IProgress>();
  private _connection: Connection = 'loading';
  private _trouble = '';
  private _lastSeen: Date | null = null;
  private _isDisposed = false;
  private _timer = 0;
  private _running: Promise<void> | null = null;
  private _again = false;
}
