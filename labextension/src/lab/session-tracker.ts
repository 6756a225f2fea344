import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

/** A notebook or console in the main area, whose kernel can be changed. */
export type SessionPanel = NotebookPanel | ConsolePanel;

/** Tracks the notebook or console in front. */
export class SessionTracker {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly notebooks: INotebookTracker | null,
    private readonly consoles: IConsoleTracker | null
  ) {
    const changed = () => this._changed.emit();
    shell.currentChanged?.connect(changed);
    notebooks?.currentChanged.connect(changed);
    consoles?.currentChanged.connect(changed);
  }

  /** Emitted when another one is in front, or none. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The one in front; null while something else is. */
  get current(): SessionPanel | null {
    const widget = this.shell.currentWidget;
    if (widget && this.notebooks?.has(widget)) {
      return widget as NotebookPanel;
    }
    return widget && this.consoles?.has(widget) ? (widget as ConsolePanel) : null;
  }

  /** The one in front, or the notebook that was last. */
  get last(): SessionPanel | null {
    return this.current ?? this.notebooks?.currentWidget ?? null;
  }

  /** Return the notebook or console whose tab has this id. */
  find(id: string): SessionPanel | undefined {
    const mine = (widget: { id: string }) => widget.id === id;
    return this.notebooks?.find(mine) ?? this.consoles?.find(mine);
  }

  private readonly _changed = new Signal<this, void>(this);
}
