import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { built } from '../presentation/build-ends';
import { placeOf, whole } from '../store/accessors';
import type { EnvStoreModel } from '../store/model';
import type { IContent, IEnvironment, IModuleProvider, IPackageChange, IPlace } from '../store/types';
import { BarWork, type IWork } from './bar-work';
import { kernelsOf, startKernel } from './kernel-start';
import type { NotebookBonds } from './notebook-bonds';
import { submitNew } from './new-environment';
import { type INeed, needOf } from './package-need';

/** A package that a notebook may lack, or several that it asked for. */
export interface ICandidate {
  /** As they are added: match specs, or `pip:` and requirements. */
  specs: readonly string[];
  /** Their names, as they are shown. */
  label: string;
  /** How it is known that it is this package: what the server says; it has the same `name`; the notebook `asked` for it. */
  reason: IModuleProvider['source'] | 'name' | 'asked';
  /** Environments that have it. */
  places: readonly string[];
}

/** What is known of a package that a notebook lacks, while nothing is done about it. */
export type IOffer =
  /** Packages that could be added. `target` is where; another place than `place` is a copy. Null: the user may change nothing. */
  | { kind: 'offer'; need: INeed; candidates: readonly ICandidate[]; place: IPlace; target: IPlace | null; cell: string }
  /** The active build has the package already, but the kernel runs in another. */
  | { kind: 'there'; candidate: ICandidate; place: IPlace; number: number; cell: string }
  /** What adding it would change; null until that is known. `base` is the build that it was found for. */
  | { kind: 'preview'; candidate: ICandidate; place: IPlace; target: IPlace; cell: string; changes: readonly IPackageChange[] | null; base: number; text: string }
  /** The kernel has it now. */
  | { kind: 'ready'; candidate: ICandidate; place: IPlace; cell: string };

export type IPackageWork = IWork<IOffer>;

/** Offers a notebook the package whose module it could not import, and adds it to the notebook's environment. */
export class MissingPackage {
  constructor(
    readonly panel: NotebookPanel,
    private readonly model: EnvStoreModel,
    private readonly bonds: NotebookBonds,
    private readonly trans: TranslationBundle
  ) {
    this.work = new BarWork(() => panel.isDisposed, build => model.api.cancel(build), trans);
    panel.disposed.connect(() => this.work.dispose());
  }

  /** What is offered, and what is done about it. */
  readonly work: BarWork<IOffer>;

  /** Look at a cell that ran: whether it lacks a package. */
  async noteRun(cell: Cell): Promise<void> {
    const { turn } = this.work;
    if (this.work.isRunning || cell.model.type !== 'code') {
      return;
    }
    const item = this.bonds.environmentOf(this.panel);
    const need = item ? needOf(cell.model.toJSON()) : null;
    if (!item || !need) {
      if (cell.model.id === this._cell) {
        this.work.set({ kind: 'none' }); // it runs now
      }
      return;
    }
    this._cell = cell.model.id;
    try {
      const offer = await this._offer(item, need, cell.model.id);
      if (turn === this.work.turn && this._cell === cell.model.id) {
        this.work.reopen();
        this.work.set(offer);
      }
    } catch (error) {
      console.warn('It is not known which package a notebook lacks', error);
    }
  }

  /** Find out what adding a package would change. */
  async preview(offer: Extract<IOffer, { kind: 'offer' }>, candidate: ICandidate): Promise<void> {
    const { place, target, cell } = offer;
    if (!target) {
      return;
    }
    this._before = offer;
    this.work.set({ kind: 'preview', candidate, place, target, cell, changes: null, base: 0, text: '' });
    try {
      const { id, text, excludeNewer } = await this._specification(place);
      const edited = await this.model.api.edit(text, [...candidate.specs], []);
      const { changes } = await this.model.api.solve(edited, place, { excludeNewer });
      if (this.work.state.kind === 'preview' && this.work.state.candidate === candidate) {
        this.work.set({ kind: 'preview', candidate, place, target, cell, changes: changes ?? [], base: id, text: edited });
      }
    } catch (error) {
      if (this.work.state.kind === 'preview' && this.work.state.candidate === candidate) {
        this.work.fail(error, offer);
      }
    }
  }

  /** Go back to what was offered. */
  goBack(): void {
    const { state } = this.work;
    const before = state.kind === 'failed' && state.before?.kind !== 'preview' ? state.before : this._before;
    this.work.set(before ?? { kind: 'none' });
  }

  /** Build the environment with the package, and start the kernel in the new build. */
  async add({ candidate, place, target, base, text, cell }: Extract<IOffer, { kind: 'preview' }>): Promise<void> {
    const before = this._kernel;
    await this.work.run(async () => {
      const { id, excludeNewer } = await this._specification(place);
      if (id !== base) {
        throw new Error(this.trans.__('%1 was changed meanwhile. Go back, and look at what would change now', whole(place)));
      }
      const build =
        whole(target) === whole(place)
          ? (await this.model.api.submit(text, target.namespace, target.name, undefined, excludeNewer)).build
          : await submitNew(this.model, text, target, excludeNewer);
      this.model.watch(build);
      await built(this.model.api, build, this.trans, progress => this.work.tell(progress, build));
      return this._restart(candidate, target, build, cell, before);
    });
  }

  /** Start the kernel in the active build. */
  async restart({ candidate, place, cell }: Extract<IOffer, { kind: 'there' }>): Promise<void> {
    const before = this._kernel;
    await this.work.run(async () => {
      const { current_build_id } = await this.model.api.environment(place); // another one by now, perhaps
      return this._restart(candidate, place, current_build_id ?? undefined, cell, before);
    });
  }

  private async _restart(candidate: ICandidate, place: IPlace, build: number | undefined, cell: string, before?: string): Promise<IOffer> {
    this.work.say(this.trans.__('Starting the kernel'));
    const kernels = await kernelsOf(this.model, place, this.trans);
    await startKernel(this.panel, this.bonds, kernels, this.trans, before, build);
    void this.model.refresh();
    return { kind: 'ready', candidate, place, cell };
  }

  /** Return the text of an environment's active build, and the date from which it leaves packages out. */
  private async _specification(place: IPlace): Promise<{ id: number; text: string; excludeNewer: string | null }> {
    const { id, current_build_id } = await this.model.api.environment(place);
    if ((await this.model.api.unfinishedBuilds()).some(other => other.environment_id === id)) {
      throw new Error(this.trans.__('another build of %1 is running, and may change it. Try again when it has ended', whole(place)));
    }
    const build = current_build_id ? await this.model.api.build(current_build_id) : null;
    if (!build?.specification?.text) {
      throw new Error(this.trans.__('the environment has no specification'));
    }
    return { id: build.id, text: build.specification.text, excludeNewer: build.exclude_newer ?? null };
  }

  private async _offer(item: IEnvironment, need: INeed, cell: string): Promise<IPackageWork> {
    const place = placeOf(item);
    const target = this._target(item);
    const active = (await this.model.api.environment(place)).current_build_id;
    const contents = active ? await this.model.api.contents(active) : [];
    if ('packages' in need) {
      const names = new Set(contents.map(content => content.name));
      const specs = need.packages.filter(spec => !names.has(nameOf(spec)));
      const label = specs.map(spec => spec.replace(/^pip:/, '')).join(', ');
      return specs.length ? { kind: 'offer', need, candidates: [{ specs, label, reason: 'asked', places: [] }], place, target, cell } : { kind: 'none' };
    }
    const [candidates, found] = await Promise.all([this._candidates(need, contents), this.bonds.buildOf(this.panel)]);
    const present = candidates.find(({ specs }) => contents.some(content => isOf(content, specs[0]!)));
    if (present && active && found && found.id !== active) {
      const { number } = await this.model.api.build(active);
      return { kind: 'there', candidate: present, place, number, cell };
    }
    if (present) {
      return { kind: 'none' }; // it is there, without this module: no package is lacking
    }
    return { kind: 'offer', need, candidates, place, target, cell };
  }

  /** Return the packages that have a module: as the server knows them, else one of the same name. */
  private async _candidates(need: Extract<INeed, { module: string }>, contents: readonly IContent[]): Promise<ICandidate[]> {
    const found = await this.model.api.module(need.module, need.language);
    if (found.length) {
      return found.map(item => ({
        specs: [item.manager === 'pip' ? `pip:${item.package}` : item.package],
        label: item.manager === 'pip' ? this.trans.__('%1 from PyPI', item.package) : item.package,
        reason: item.source,
        places: item.places
      }));
    }
    const name = need.module.split('.')[0]!.toLowerCase();
    for (const spec of new Set([name, name.replace(/_/g, '-')])) {
      const isThere = contents.some(content => isOf(content, spec));
      if (isThere || (await this.model.api.search(spec)).length) {
        return [{ specs: [spec], label: spec, reason: 'name', places: [] }];
      }
    }
    return [];
  }

  /** Return where a package can be added: in the environment itself, else in a copy of it where the user may have one. */
  private _target(item: IEnvironment): IPlace | null {
    const place = placeOf(item);
    if (item.permissions.includes('environment::update')) {
      return place;
    }
    const namespace = this.model.writable[0];
    if (!namespace) {
      return null;
    }
    let name = place.name;
    for (let number = 2; this.model.find({ namespace, name }); number++) {
      name = `${place.name}-${number}`;
    }
    return { namespace, name };
  }

  /** The id of the kernel that runs. */
  private get _kernel(): string | undefined {
    return this.panel.sessionContext.session?.kernel?.id;
  }

  private _cell = '';
  private _before: IPackageWork | undefined;
}

/** Return the name of the package that a spec is about. */
function nameOf(spec: string): string {
  return (/^[\w.-]+/.exec(spec.replace(/^pip:/, ''))?.[0] ?? '').toLowerCase().replace(/_/g, '-');
}

/** Whether a package of a build is the one that a spec names. */
function isOf(content: IContent, spec: string): boolean {
  const isPip = spec.startsWith('pip:');
  return content.name === spec.replace(/^pip:/, '') && (content.manager === 'pip') === isPip;
}
