import type { INotebookModel, INotebookTracker, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { JSONExt, type JSONObject } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { IStartedBuild, KernelBuilds } from '../store/kernel-builds';
import { kernelOf } from '../store/kernel-names';
import type { EnvStoreModel } from '../store/model';
import type { IBond, IEnvironment } from '../store/types';

/** Where a notebook keeps its bond, among its metadata. */
const KEY = 'envstore';

/** What notebooks remember: all of it, the names of environment and build only, or nothing. */
export type Remembered = 'full' | 'reference' | 'off';

/**
 * Writes into notebooks which environment and build they were written in.
 *
 * It does so when a kernel is chosen, and when code was run in another build than the notebook knows of. A notebook that
 * was only looked at stays as it is.
 */
export class NotebookBonds {
  constructor(
    notebooks: INotebookTracker,
    private readonly model: EnvStoreModel,
    private readonly kernels: KernelBuilds,
    executed: ISignal<unknown, { notebook: Notebook }>
  ) {
    notebooks.forEach(panel => void this._watch(panel));
    notebooks.widgetAdded.connect((_, panel) => void this._watch(panel));
    executed.connect((_, { notebook }) => {
      const panel = notebooks.find(found => found.content === notebook);
      if (panel) {
        void this.remember(panel);
      }
    });
  }

  /** What is written; a setting. */
  remembered: Remembered = 'full';

  /** Whether the lock is always written, too; a setting. */
  embedsLock = false;

  /** Emitted with a notebook whose bond was written or removed, or whose kernel was started. */
  get changed(): ISignal<this, NotebookPanel> {
    return this._changed;
  }

  /** Return the environment of a notebook's kernel. */
  environmentOf(panel: NotebookPanel): IEnvironment | undefined {
    return this.model.environmentOfKernel(panel.sessionContext.session?.kernel?.name ?? '');
  }

  /** Return the build that a notebook's kernel runs in; undefined where it is none of the store. */
  async buildOf(panel: NotebookPanel): Promise<IStartedBuild | undefined> {
    const kernel = panel.sessionContext.session?.kernel;
    const item = this.environmentOf(panel);
    if (!kernel || !item) {
      return undefined;
    }
    const number = kernelOf(kernel.name)?.number ?? null;
    if (number === null) {
      return this.kernels.startedIn(kernel.id, item);
    }
    const told: any = panel.sessionContext.specsManager.specs?.kernelspecs[kernel.name]?.metadata?.envstore;
    return told?.build === number && told.build_id ? { number, id: told.build_id } : undefined; // of one build only
  }

  /** Return the bond with the lock of the build that a notebook's kernel runs in. */
  async withLock(panel: NotebookPanel): Promise<IBond | undefined> {
    const build = await this.buildOf(panel);
    return build && this._bond(build.id, true);
  }

  /** Return the bond with a build. */
  ofBuild(build: number): Promise<IBond> {
    return this._bond(build, false);
  }

  /** Write a bond into a notebook. */
  write(panel: NotebookPanel, bond: IBond): void {
    panel.model?.setMetadata(KEY, this._written(bond));
    this._changed.emit(panel);
  }

  /** Return what the settings let be written of a bond. */
  private _written(bond: IBond): Partial<IBond> {
    return this.remembered === 'full' ? bond : { ...without(bond, 'left_out'), channels: [], packages: [], pip: [] };
  }

  /** Remove the lock from a notebook; it goes on knowing its environment. */
  removeLock(panel: NotebookPanel): void {
    const bond = bondOf(panel.model);
    if (bond?.lock) {
      panel.model?.setMetadata(KEY, without(bond, 'lock'));
      this._changed.emit(panel);
    }
  }

  /** Write the bond with the build that a notebook's kernel runs in, unless the notebook has it already. */
  async remember(panel: NotebookPanel): Promise<void> {
    if (this.remembered === 'off' || panel.context.contentsModel?.writable === false) {
      return;
    }
    try {
      const build = await this.buildOf(panel);
      const bond = build && (await this._bond(build.id, false));
      if (!bond || panel.isDisposed) {
        return;
      }
      const old = bondOf(panel.model);
      const wantsLock = this.embedsLock || Boolean(old?.lock);
      if (!JSONExt.deepEqual(without(old ?? {}, 'lock'), without(this._written(bond), 'lock')) || (wantsLock && !old?.lock)) {
        this.write(panel, wantsLock ? await this._bond(build.id, true) : bond);
      }
    } catch (error) {
      console.warn('The environment of a notebook cannot be written into it; the next run tries again', error);
    }
  }

  /** Note the build that a notebook's kernel was started in; write the bond when another kernel is chosen. */
  private async _watch(panel: NotebookPanel): Promise<void> {
    const session = panel.sessionContext;
    await session.ready; // what a notebook starts with is nobody's choice
    if (panel.isDisposed) {
      return;
    }
    await this._loaded();
    this.buildOf(panel).catch(() => undefined); // a run asks again
    session.kernelChanged.connect((_, { newValue }) => {
      this._changed.emit(panel);
      if (newValue) {
        void this.remember(panel);
      }
    });
  }

  /** Wait until the model knows the environments. */
  private _loaded(): Promise<void> {
    return new Promise(done => {
      const look = () => {
        if (this.model.lastSeen) {
          this.model.changed.disconnect(look);
          done();
        }
      };
      this.model.changed.connect(look);
      look();
    });
  }

  private _bond(build: number, lock: boolean): Promise<IBond> {
    const key = `${build}${lock ? '-lock' : ''}`;
    const found = this._bonds.get(key) ?? this.model.api.bond(build, lock);
    this._bonds.set(key, found);
    found.catch(() => this._bonds.delete(key));
    return found;
  }

  private readonly _bonds = new Map<string, Promise<IBond>>();
  private readonly _changed = new Signal<this, NotebookPanel>(this);
}

/** Return a bond without one of its keys. */
function without(bond: Partial<IBond>, left: keyof IBond): JSONObject {
  return Object.fromEntries(Object.entries(bond).filter(([key]) => key !== left)) as JSONObject;
}

/** Return the bond of a notebook; null where it has none, or something else under its name. */
export function bondOf(model: INotebookModel | null): Partial<IBond> | null {
  const found: unknown = model?.getMetadata(KEY);
  return found && typeof found === 'object' && !Array.isArray(found) ? (found as Partial<IBond>) : null;
}

/** Do what the settings say, now and when they are changed. */
export async function followSettings(bonds: NotebookBonds, registry: ISettingRegistry | null, plugin: string): Promise<void> {
  try {
    const settings = await registry?.load(plugin);
    const follow = () => {
      bonds.remembered = settings!.get('remember').composite as Remembered;
      bonds.embedsLock = settings!.get('embedLock').composite as boolean;
    };
    settings?.changed.connect(follow);
    if (settings) {
      follow();
    }
  } catch (error) {
    console.warn('The settings of notebooks and their environments cannot be loaded', error);
  }
}
