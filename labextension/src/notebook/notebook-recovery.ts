import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { built, restored } from '../presentation/build-ends';
import { EnvStoreError } from '../store/errors';
import type { EnvStoreModel } from '../store/model';
import type { IBondState, IElsewhere, IFoundBuild, IPackageChange, IPlace } from '../store/types';
import { BarWork, type IWork } from './bar-work';
import { kernelsOf, startKernel } from './kernel-start';
import { submitNew } from './new-environment';
import { bondOf, type NotebookBonds } from './notebook-bonds';

/** What a notebook lacks, while nothing is done about it. */
export type ILack =
  /** Its kernel is not here. Without `state`, the server is asked what it knows. `beside` is the path of a lockfile beside it. */
  | { kind: 'missing'; name: string; number: number; state?: IBondState; beside?: string | null; elsewhere?: Elsewhere }
  /** Its kernel runs in another build than it was written in. */
  | { kind: 'moved'; state: IBondState; running: { number: number; id: number }; changes: readonly IPackageChange[]; elsewhere?: Elsewhere };

/** What stores elsewhere say of the build, once this store and the notebook do not have it; `asked` while they are waited for. */
export type Elsewhere = IElsewhere | 'asked';

/** Milliseconds after which one is told that other stores are asked. */
const PATIENCE = 400;

/** What a notebook lacks, and what is done about it. */
export type IRecovery = IWork<ILack>;

/** Asks whether packages may be downloaded from addresses that the store's settings do not name. */
export type IConfirm = (places: readonly string[]) => Promise<boolean>;

/** The files beside a notebook. */
export interface IFiles {
  /** Return the path of the lockfile that lies beside a file; null where there is none. */
  lockfileBeside(path: string): Promise<string | null>;
  /** Return the text of a file. */
  text(path: string): Promise<string>;
}

/**
 * Brings the environment of one notebook back.
 *
 * It starts nothing by itself: it says what the notebook lacks, and acts when the user chooses.
 */
export class NotebookRecovery {
  constructor(
    readonly panel: NotebookPanel,
    private readonly model: EnvStoreModel,
    private readonly bonds: NotebookBonds,
    private readonly trans: TranslationBundle,
    private readonly confirm: IConfirm,
    private readonly files: IFiles
  ) {
    const { sessionContext } = panel;
    this.work = new BarWork(() => panel.isDisposed, build => model.api.cancel(build), trans);
    sessionContext.kernelPreferenceChanged.connect(this._holdBack, this);
    bonds.changed.connect(this._onBond, this);
    this._holdBack();
    void sessionContext.ready.then(() => this._compare());
    panel.disposed.connect(() => {
      bonds.changed.disconnect(this._onBond, this);
      this.work.dispose();
    });
  }

  /** What the notebook lacks, and what is done about it. */
  readonly work: BarWork<ILack>;

  /** Go back to the choices after something failed. What failed may have left an environment, so the server is asked anew. */
  async goBack(): Promise<void> {
    const { state } = this.work;
    const before = state.kind === 'failed' ? state.before : undefined;
    this.work.set({ kind: 'none' });
    if (before?.kind === 'missing') {
      this.work.set({ kind: 'missing', name: before.name, number: before.number });
      await this._ask();
    } else if (before) {
      await this._compare();
    }
  }

  /** Start the kernel of a build of this store; a build that was packed away is brought back first. */
  use(build: IFoundBuild): Promise<void> {
    return this._do(() => this._use(build));
  }

  /** Bring an environment back that was deleted minutes ago, and start the kernel of the notebook's build. */
  undelete({ bond }: IBondState): Promise<void> {
    return this._do(async () => {
      await this.model.api.undelete({ namespace: bond.namespace, name: bond.environment });
      const [build] = (await this.model.api.notebook(this._metadata)).builds;
      if (!build) {
        throw new Error(this.trans.__('the environment is back, but its build is not'));
      }
      await this._use(build);
    });
  }

  /** Build a lockfile that lies beside the notebook, and start its kernel. */
  useFile(state: IBondState, path: string): Promise<void> {
    return this._do(async () => {
      const place = { namespace: state.namespace, name: state.environment };
      const text = await this.files.text(path);
      return this._build(place, accept => submitNew(this.model, text, place, null, accept));
    });
  }

  /** Build the lock that is in the notebook, and start its kernel. */
  useLock(state: IBondState): Promise<void> {
    return this._do(async () => {
      const place = { namespace: state.namespace, name: state.environment };
      return this._build(place, accept => this.model.api.buildLock(this._metadata, place, accept));
    });
  }

  /** Build the lock that a store elsewhere has, and start its kernel. */
  useElsewhere(state: IBondState, store: string): Promise<void> {
    return this._do(async () => {
      const place = { namespace: state.namespace, name: state.environment };
      return this._build(place, accept => this.model.api.buildLock(this._metadata, place, accept, store));
    });
  }

  /** Build what the notebook asked for, and start its kernel. */
  useRequests(state: IBondState): Promise<void> {
    return this._do(async () => {
      const place = { namespace: state.namespace, name: state.environment };
      return this._build(place, accept => submitNew(this.model, state.specification, place, null, accept));
    });
  }

  /** Start the kernel of another environment. */
  useEnvironment(place: IPlace): Promise<void> {
    return this._do(async () => this._start(await this._kernels(place)));
  }

  /** Let the notebook remember the build that it runs in now. */
  moveOn(): Promise<void> {
    return this._do(() => this.bonds.remember(this.panel));
  }

  private get _metadata(): object {
    return bondOf(this.panel.model) ?? {};
  }

  /** Keep JupyterLab from asking for any kernel, while the notebook's own can be brought back. */
  private _holdBack(): void {
    const { sessionContext } = this.panel;
    const { kernelPreference, specsManager } = sessionContext;
    const { name } = kernelPreference;
    const bond = name ? bondOf(this.panel.model) : null;
    if (!bond || !name || this._hasKernel || kernelPreference.shouldStart === false || specsManager.specs?.kernelspecs[name]) {
      return;
    }
    sessionContext.kernelPreference = { ...kernelPreference, shouldStart: false };
    this.work.set({ kind: 'missing', name: `${String(bond.namespace)}/${String(bond.environment)}`, number: Number(bond.build) });
    void this._look(name);
  }

  /** Find out whether the kernel is really not here, and what can be had instead. */
  private async _look(name: string): Promise<void> {
    const { sessionContext } = this.panel;
    const { specsManager } = sessionContext;
    try {
      await Promise.all([sessionContext.ready, specsManager.ready]);
      await specsManager.refreshSpecs();
    } catch (error) {
      this._failLook(error);
      return;
    }
    if (this.panel.isDisposed) {
      return;
    }
    const isKnown = Boolean(specsManager.specs?.kernelspecs[name]);
    if (!isKnown && !this._hasKernel) {
      await this._ask();
      return;
    }
    // It is here, or runs already, as after the page was loaded anew: nothing is held back.
    sessionContext.kernelPreference = { ...sessionContext.kernelPreference, shouldStart: true };
    if (this.work.state.kind === 'missing') {
      this.work.set({ kind: 'none' });
    }
    if (!this._hasKernel) {
      await sessionContext.changeKernel({ name }); // as JupyterLab would have done
    }
  }

  /** Ask the server what it knows of the environment of a notebook whose kernel is not here. */
  private async _ask(): Promise<void> {
    try {
      const state = await this.model.api.notebook(this._metadata);
      const isEnough = isHere(state);
      const beside = isEnough ? null : await this.files.lockfileBeside(this.panel.context.path);
      if (this.work.state.kind === 'missing') {
        this.work.set({ ...this.work.state, state, beside });
      }
      if (!isEnough && !state.deleted && mayBeElsewhere(state)) {
        await this._askElsewhere();
      }
    } catch (error) {
      this._failLook(error);
    }
  }

  /** Ask other stores for the build that neither this store nor the notebook has. */
  private async _askElsewhere(): Promise<void> {
    const { turn } = this.work;
    const tell = (elsewhere: Elsewhere) => {
      const { state } = this.work;
      if (turn === this.work.turn && (state.kind === 'missing' || state.kind === 'moved')) {
        this.work.set({ ...state, elsewhere });
      }
    };
    const patience = setTimeout(() => tell('asked'), PATIENCE);
    try {
      tell(await this.model.api.elsewhere(this._metadata));
    } catch (error) {
      tell({ found: null, failed: [{ store: '', reason: error instanceof Error ? error.message : String(error) }] });
    } finally {
      clearTimeout(patience);
    }
  }

  private _failLook(error: unknown): void {
    if (this.work.state.kind === 'missing') {
      this.work.fail(error, { kind: 'none' });
    }
  }

  private _onBond(_: unknown, panel: NotebookPanel): void {
    if (panel === this.panel) {
      void this._compare();
    }
  }

  /** Compare the build that the kernel runs in with the one that the notebook was written in. */
  private async _compare(): Promise<void> {
    if (!this._mayCompare) {
      return;
    }
    const { turn } = this.work;
    try {
      const bond = bondOf(this.panel.model);
      const running = bond?.record ? await this.bonds.buildOf(this.panel) : undefined;
      if (!bond || !running || (await this.bonds.ofBuild(running.id)).record === bond.record) {
        this._setAsOf(turn, { kind: 'none' });
        return;
      }
      const state = await this.model.api.notebook(bond);
      const written = state.builds[0];
      const changes = written ? await this.model.api.diff(written.build_id, running.id) : [];
      if (bondOf(this.panel.model)?.record === bond.record) {
        this._setAsOf(turn, { kind: 'moved', state, running, changes });
        if (!isHere(state) && mayBeElsewhere(state)) {
          await this._askElsewhere();
        }
      }
    } catch (error) {
      console.warn('It is not known whether the environment of a notebook has moved on', error);
    }
  }

  private get _mayCompare(): boolean {
    return !this.work.isDismissed && !this.panel.isDisposed && !this.work.isRunning && this._hasKernel;
  }

  private get _hasKernel(): boolean {
    return Boolean(this.panel.sessionContext.session?.kernel);
  }

  /** Tell what a comparison found that began at `turn`, unless the user did something meanwhile. */
  private _setAsOf(turn: number, recovery: IRecovery): void {
    if (turn === this.work.turn && this._mayCompare) {
      this.work.set(recovery);
    }
  }

  private async _use(build: IFoundBuild): Promise<void> {
    const place = { namespace: build.namespace, name: build.environment };
    if (build.packed_away) {
      await restored(this.model.api, build.build_id, this.trans, progress => this.work.tell(progress));
    }
    await this._start(build.active ? await this._kernels(place) : await this.model.api.offerKernel(build.build_id));
  }

  /** Build a new environment and start its kernel; false if its addresses were not accepted. */
  private async _build(place: IPlace, submit: (accept: readonly string[]) => Promise<number>): Promise<boolean> {
    const build = await this._submit(submit);
    if (build === null) {
      return false;
    }
    await built(this.model.api, build, this.trans, progress => this.work.tell(progress, build));
    await this._start(await this._kernels(place), build);
    return true;
  }

  /** Submit something from elsewhere, and ask about its addresses if need be; null if they were not accepted. */
  private async _submit(submit: (accept: readonly string[]) => Promise<number>): Promise<number | null> {
    try {
      return await submit([]);
    } catch (error) {
      if (!(error instanceof EnvStoreError) || error.code !== 'unknown_places') {
        throw error;
      }
      return (await this.confirm(error.places)) ? submit(error.places) : null;
    }
  }

  /** Return the kernels of an environment, once the server knows them. */
  private _kernels(place: IPlace): Promise<readonly string[]> {
    return kernelsOf(this.model, place, this.trans);
  }

  /** Start one of these kernels. */
  private async _start(kernels: readonly string[], build?: number): Promise<void> {
    this.work.say(this.trans.__('Starting the kernel'));
    await startKernel(this.panel, this.bonds, kernels, this.trans, this._before, build);
  }

  /** Do something that takes a while; what it returns as false was not done. */
  private async _do(action: () => Promise<unknown>): Promise<void> {
    const before = this.work.state;
    if (!this.work.isRunning) {
      this._before = this.panel.sessionContext.session?.kernel?.id;
    }
    await this.work.run(async () => {
      const done = await action();
      void this.model.refresh();
      return done === false ? before : { kind: 'none' };
    });
  }

  private _before: string | undefined; // the kernel that ran when the work began
}

/** Whether this store has the build of a notebook, or can make it from the lock in the notebook. */
function isHere(state: IBondState): boolean {
  return state.builds.length > 0 || Boolean(state.lock && !state.lock.refused);
}

/** Whether another store can help: a lock that is refused here for another reason than damage is refused from there, too. */
function mayBeElsewhere(state: IBondState): boolean {
  return !state.lock || state.lock.damaged;
}
