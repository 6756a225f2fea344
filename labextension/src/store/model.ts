import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import { isUnfinished } from './accessors';
import type { EnvStoreApi } from './api';
import { EnvStoreError } from './errors';
import { type IChange, StoreEvents } from './events';
import { kernelOf } from './kernel-names';
import { isPermitted, writableNamespaces } from './namespaces';
import { type IBuildEnd, OwnBuilds } from './own-builds';
import { ServerState } from './server-state';
import type { IBuild, IEnvironment, IPermissions, IPlace, IProgress, IUsage } from './types';
import { UnchangedItems } from './unchanged-items';

const SLOW = 30_000;
const FAST = 2_000;
const AGAIN = 2_000;
const SOON = 300;
/** The largest number of empty namespaces that are shown; if there are more, only the user's own is shown. */
const MOST_EMPTY = 50;

/** The state of the connection to the server. */
export type Connection = 'loading' | 'connected' | 'again' | 'lost' | 'missing' | 'unavailable';

/** A build that is queued or runs, and its environment. */
export interface IUnfinishedBuild {
  item: IEnvironment;
  build: IBuild;
}

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
    this.server = new ServerState(api);
    this._events = new StoreEvents(events, whole => void (whole ? this.refresh() : this._lookAtRunning()));
    api.requests.waited.connect(this._onWaited, this);
    this._poll = new Poll({
      auto: true,
      factory: () => this.refresh(),
      frequency: { interval: SLOW, backoff: false },
      name: 'jupyter-envstore:model',
      standby: 'when-hidden'
    });
  }

  /** The server's disk and version. */
  readonly server: ServerState;

  /** Emitted after each update from the store. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted with what changed, for views that load more than the list of environments. */
  get stale(): ISignal<this, IChange> {
    return this._stale;
  }

  /** Emitted when an environment became usable, or got another active build. */
  get ready(): ISignal<this, IEnvironment> {
    return this._ready;
  }

  /** Emitted when a build that the user started has ended. */
  get settled(): ISignal<this, IBuildEnd> {
    return this._settled;
  }

  /** Emitted when the user has made a build of an environment the active one. */
  get activated(): ISignal<this, IPlace> {
    return this._activated;
  }

  /** Tell the views that the user has made another build the active one. */
  tellActivated(place: IPlace): void {
    this._activated.emit(place);
  }

  /** Emitted when an environment shall be opened in the sidebar. */
  get revealed(): ISignal<this, IPlace> {
    return this._revealed;
  }

  /** Open an environment in the sidebar. */
  reveal(place: IPlace): void {
    this._revealed.emit(place);
  }

  get environments(): readonly IEnvironment[] {
    return this._environments;
  }

  get connection(): Connection {
    return this._connection;
  }

  /** Whether the server can be asked to change something. */
  get isConnected(): boolean {
    return this._connection === 'connected' || this._connection === 'again';
  }

  /** Whether a request waits longer than usual for its answer. */
  get isSlow(): boolean {
    return this.isConnected && this.api.requests.isSlow;
  }

  /** The message of the server's last error. */
  get trouble(): string {
    return this._trouble;
  }

  /** When the server last answered. */
  get lastSeen(): Date | null {
    return this._lastSeen;
  }

  /** Who the user is and what they may do; null before the first update. */
  get permissions(): IPermissions | null {
    return this._permissions;
  }

  /** Environments, builds and bytes of each namespace. */
  get usage(): Readonly<Record<string, IUsage>> {
    return this._usage;
  }

  /** Whether the user is an admin of everything. */
  get isAdmin(): boolean {
    return this._permissions?.entity_permissions['*/*']?.includes('setting::update') ?? false;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._againTimer);
    window.clearTimeout(this._soonTimer);
    this.api.requests.waited.disconnect(this._onWaited, this);
    this._poll.dispose();
    this._events.dispose();
    Signal.clearData(this);
  }

  /** Return the environment of these names. */
  find(place: IPlace): IEnvironment | undefined {
    return this._environments.find(item => item.namespace.name === place.namespace && item.name === place.name);
  }

  /** Return the environment that a kernel belongs to, also where it has the kernel no longer. */
  environmentOfKernel(name: string): IEnvironment | undefined {
    const place = kernelOf(name)?.place;
    return this._environments.find(item => item.kernels.includes(name)) ?? (place && this.find(place));
  }

  /** Whether the user's roles permit something in a whole namespace. */
  may(place: Pick<IPlace, 'namespace'>, permission: string): boolean {
    return isPermitted(this._permissions, place.namespace, permission);
  }

  /** Whether the server answers and does not have an environment. */
  isGone(place: IPlace): boolean {
    return this._lastSeen !== null && this.isConnected && !this.find(place);
  }

  /** Return the builds that are queued or run, each with its environment; the oldest first. */
  get building(): readonly IUnfinishedBuild[] {
    return this._building;
  }

  /** Return the namespaces that the user may make environments in, their own first. */
  get writable(): string[] {
    return writableNamespaces(this._permissions, this._environments);
  }

  /**
   * Return the namespaces that are shown even if they are empty: the user's own first, then those that they can write
   * to.
   */
  get namespaces(): string[] {
    return this.writable.length > MOST_EMPTY ? this.writable.slice(0, 1) : this.writable;
  }

  /** Return the progress of a running build. */
  progress(build: number): IProgress | undefined {
    return this._progress.get(build);
  }

  /** Remember that the user started a build, to notify them when it ends. */
  watch(build: number): void {
    this._own.add(build);
  }

  /** Whether the user started a build in this page. */
  isMine(build: number): boolean {
    return this._own.has(build);
  }

  /** Update everything from the server. */
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
      const [environments, unfinished, permissions, usage] = await Promise.all([
        this.api.environments(),
        this.api.unfinishedBuilds(),
        this._lookAtPermissions(),
        this.api.usage(),
        this.server.look(this._connection !== 'connected')
      ]);
      this._unchanged.reuse(environments, this._environments);
      const items = new Map(environments.map(item => [item.id, item]));
      const building = unfinished.flatMap(build => {
        const item = items.get(build.environment_id);
        return item ? [{ item, build }] : [];
      });
      const progress = await this._lookAtProgress(building);
      if (this._isDisposed) {
        return;
      }
      const before = new Map(this._environments.map(item => [item.id, item]));
      const first = this._lastSeen === null;
      const wasAway = this._connection === 'lost' || this._connection === 'unavailable';
      this._progress = progress;
      this._environments = environments;
      this._building = building;
      this._permissions = permissions;
      this._usage = usage;
      this._lastSeen = new Date();
      this._connect(wasAway);
      this._lookAgainSoon(building.length > 0);
      this._changed.emit();
      if (!first) {
        this._tell(environments, before);
      }
      this._stale.emit(this._events.take());
    } catch (error) {
      if (this._isDisposed) {
        return;
      }
      const status = error instanceof EnvStoreError ? error.status : 0;
      this._connection = status === 404 ? 'missing' : status === 503 ? 'unavailable' : 'lost';
      this._trouble = error instanceof Error ? error.message : '';
      this._lookAgainSoon(true);
      this._changed.emit();
    }
  }

  /** Ask from time to time who the user is and what they may do: roles and namespaces change. */
  private async _lookAtPermissions(): Promise<IPermissions> {
    if (!this._permissions || Date.now() - this._permissionsSeen > SLOW / 2) {
      const found = await this.api.permissions();
      this._permissionsSeen = Date.now();
      if (JSON.stringify(found) !== JSON.stringify(this._permissions)) {
        return found;
      }
    }
    return this._permissions!;
  }

  /** Tell views that the server became slow or answers again; if it is slow, check whether it answers at all. */
  private _onWaited(): void {
    this._changed.emit();
    if (this.isSlow && !this._running) {
      void this.refresh();
    }
  }

  /** Update before the slow poll does: while a build runs, and until the server answers. */
  private _lookAgainSoon(wanted: boolean): void {
    window.clearTimeout(this._soonTimer);
    if (wanted) {
      this._soonTimer = window.setTimeout(() => {
        if (document.hidden) {
          this._lookAgainSoon(true);
        } else {
          void this.refresh();
        }
      }, FAST);
    }
  }

  private async _lookAtProgress(building: readonly IUnfinishedBuild[]): Promise<Map<number, IProgress>> {
    const found = await Promise.all(
      // a build may be deleted between the two looks
      building.map(({ build }) => this.api.progress(build.id).catch(() => null))
    );
    return new Map(found.flatMap(item => (item ? [[item.id, item] as const] : [])));
  }

  /** Update only the progress of running builds. */
  private async _lookAtRunning(): Promise<void> {
    const progress = await this._lookAtProgress(this.building);
    if (this._isDisposed || this._running) {
      return;
    }
    this._progress = progress;
    this._changed.emit();
    if ([...progress.values()].some(item => !isUnfinished(item.status))) {
      await this.refresh();
    }
  }

  private _connect(wasAway: boolean): void {
    if (!wasAway) {
      this._connection = this._connection === 'again' ? 'again' : 'connected';
      return;
    }
    this._connection = 'again';
    this._againTimer = window.setTimeout(() => {
      this._connection = this._connection === 'again' ? 'connected' : this._connection;
      this._changed.emit();
    }, AGAIN);
  }

  /** Emit which environments became usable, and which of the user's builds ended. */
  private _tell(environments: IEnvironment[], before: Map<number, IEnvironment>): void {
    for (const item of environments) {
      const old = before.get(item.id);
      const isNew = !old?.active || old.current_build_id !== item.current_build_id;
      const isBrought =
        Boolean(old?.current_build?.packed_away) !== Boolean(item.current_build?.packed_away) ||
        (old?.presence?.state === 'here') !== (item.presence?.state === 'here');
      if (item.active && (isNew || isBrought || old.kernels.join() !== item.kernels.join())) {
        this._ready.emit(item);
      }
      const end = this._own.endOf(item);
      if (end === 'early') {
        window.setTimeout(() => void this.refresh(), SOON);
      } else if (end) {
        this._settled.emit(end);
      }
    }
  }

  private readonly _events: StoreEvents;
  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stale = new Signal<this, IChange>(this);
  private readonly _ready = new Signal<this, IEnvironment>(this);
  private readonly _activated = new Signal<this, IPlace>(this);
  private readonly _revealed = new Signal<this, IPlace>(this);
  private readonly _settled = new Signal<this, IBuildEnd>(this);
  private readonly _own = new OwnBuilds();
  private readonly _unchanged = new UnchangedItems<IEnvironment>();
  private _environments: IEnvironment[] = [];
  private _building: IUnfinishedBuild[] = [];
  private _progress = new Map<number, IProgress>();
  private _permissions: IPermissions | null = null;
  private _permissionsSeen = 0;
  private _usage: Record<string, IUsage> = {};
  private _connection: Connection = 'loading';
  private _trouble = '';
  private _lastSeen: Date | null = null;
  private _isDisposed = false;
  private _againTimer = 0;
  private _soonTimer = 0;
  private _running: Promise<void> | null = null;
  private _again = false;
}
