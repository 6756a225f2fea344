import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { PanelRoot } from '../../components/panel-root';
import type { IStart } from '../shared/view-types';
import { CreateForm } from './create-form';
import type { ICreateProps, ICreateWidget } from './create-props';
import { saveNewDraft } from './new-environment-draft';

/** Make an environment: from packages, a file or link, a notebook's kernel, or another environment. */
export class CreateView extends ReactWidget implements ICreateWidget {
  constructor(
    private readonly props: ICreateProps,
    /** What is written here is kept under it until it is built or discarded. */
    readonly key: string
  ) {
    super();
    this.addClass('jp-EnvStore-view');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      saveNewDraft(this.key, null); // it is closed by who wrote it: a page that is left disposes nothing
    }
    super.dispose();
  }

  /** Emitted when the form shall begin with something else. */
  get started(): ISignal<this, IStart> {
    return this._started;
  }

  /** Begin with something. */
  start(what: IStart): void {
    this.last = what;
    this._started.emit(what);
  }

  last: IStart = {};

  /** Whether something was typed here that is nowhere else. */
  isTouched: () => boolean = () => false;

  /** Whether what was typed here was built. */
  isDone = false;

  /** Whether this may be closed: asks where something would be lost. One question at a time. */
  mayClose(): boolean | Promise<boolean> {
    if (this.isDone || !this.isTouched()) {
      return true;
    }
    return (this._asking ??= this._ask().finally(() => {
      this._asking = null;
    }));
  }

  private async _ask(): Promise<boolean> {
    const { trans } = this.props;
    const answer = await showDialog({
      title: trans.__('Discard what you wrote?'),
      body: trans.__('It is not saved anywhere else.'),
      buttons: [Dialog.cancelButton({ label: trans.__('Continue editing') }), Dialog.warnButton({ label: trans.__('Discard') })],
      defaultButton: 0
    });
    return answer.button.accept;
  }

  protected override render(): React.ReactElement {
    return (
      <PanelRoot {...this.props}>
        <CreateForm {...this.props} widget={this} close={() => this.parent?.close()} />
      </PanelRoot>
    );
  }

  private _asking: Promise<boolean> | null = null;
  private readonly _started = new Signal<this, IStart>(this);
}
