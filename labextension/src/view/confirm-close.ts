import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';

/** A widget that can ask the user before it is closed. */
export interface IConfirmsClose extends Widget {
  /** Whether it may be closed. */
  mayClose(): boolean | Promise<boolean>;
}

/** A tab that asks before unsaved text is discarded, however the tab is closed. */
export class ConfirmingArea<T extends IConfirmsClose> extends MainAreaWidget<T> {
  protected override onCloseRequest(message: Message): void {
    const answer = this.isDisposed || this.content.mayClose();
    if (typeof answer === 'boolean') {
      if (answer) {
        super.onCloseRequest(message);
      }
      return;
    }
    void answer.then(may => {
      if (may && !this.isDisposed) {
        super.onCloseRequest(message);
      }
    });
  }
}
