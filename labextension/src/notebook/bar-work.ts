import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';
import { step } from '../presentation/build-steps';
import type { IProgress } from '../store/types';

/** What a bar above the cells of a notebook shows: something to choose from, work that runs, or how it failed. */
export type IWork<S> =
  /** Nothing: the bar is hidden. */
  | { kind: 'none' }
  /** Something is being made. */
  | { kind: 'busy'; words: string; part: number | null; build?: number | undefined }
  /** It could not be made. */
  | { kind: 'failed'; reason: string; before?: IWork<S> }
  | S;

/** The work that a bar shows: what the user can choose, its progress, its end. */
export class BarWork<S extends { kind: string }> {
  constructor(
    private readonly isClosed: () => boolean,
    private readonly stop: (build: number) => Promise<void>,
    private readonly trans: TranslationBundle
  ) {}

  /** What is shown. */
  get state(): IWork<S> {
    return this._state;
  }

  /** Emitted when something else is shown. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Goes up with each thing that the user starts: what was found out before is old then. */
  get turn(): number {
    return this._turn;
  }

  /** Whether the user hid the bar. */
  get isDismissed(): boolean {
    return this._isDismissed;
  }

  /** Hide the bar. What is being done goes on, and tells if it fails. */
  dismiss(): void {
    this.set({ kind: 'none' });
    this._isDismissed = true;
  }

  /** Show a bar again that was hidden. */
  reopen(): void {
    this._isDismissed = false;
  }

  /** Show something. */
  set(state: IWork<S>): void {
    if (state.kind === 'failed') {
      this._isDismissed = false;
    }
    const isHidden = this._isDismissed && state.kind !== 'none';
    if (!this.isClosed() && !isHidden && !(state.kind === 'none' && this._state.kind === 'none')) {
      this._state = state;
      this._changed.emit();
    }
  }

  /** Show why something failed, with the way back to what was shown before. */
  fail(error: unknown, before: IWork<S>): void {
    this.set({ kind: 'failed', reason: error instanceof Error ? error.message : String(error), before });
  }

  /** Show the progress of a build; whoever waits for it stops when the notebook is closed. */
  tell(progress: IProgress, build?: number): void {
    if (this.isClosed()) {
      throw new Error(this.trans.__('the notebook was closed'));
    }
    this.set({ kind: 'busy', ...step(progress, this.trans), build });
  }

  /** Show that something is done which takes a moment. */
  say(words: string): void {
    this.set({ kind: 'busy', words, part: null });
  }

  /** Whether something is done, though the bar may be hidden. */
  get isRunning(): boolean {
    return this._isRunning;
  }

  /** Do something that takes a while, unless something is done already; at its end, show what it returns, or how it failed. */
  async run(action: () => Promise<IWork<S>>): Promise<void> {
    if (this._isRunning) {
      return;
    }
    const before = this._state;
    this._isDismissed = false;
    this._isRunning = true;
    this._turn += 1;
    this.say(this.trans.__('Starting'));
    try {
      this.set(await action());
    } catch (error) {
      this.fail(error, before);
    } finally {
      this._isRunning = false;
    }
  }

  /** Stop the build that is shown. */
  async cancel(): Promise<void> {
    if (this._state.kind === 'busy' && 'build' in this._state && this._state.build !== undefined) {
      await this.stop(this._state.build);
    }
  }

  /** Forget who listens. */
  dispose(): void {
    Signal.clearData(this);
  }

  private readonly _changed = new Signal<this, void>(this);
  private _state: IWork<S> = { kind: 'none' };
  private _isDismissed = false;
  private _isRunning = false;
  private _turn = 0;
}
