import { ReactWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { IconButton, TextButton } from '../components/buttons';
import { ProgressBar } from '../components/progress-bar';
import type { BarWork, IWork } from '../notebook/bar-work';

/** A bar above the cells of a notebook, which is there as long as it has something to show. */
export class NotebookBar extends ReactWidget {
  constructor(
    private readonly work: BarWork<any>,
    private readonly label: string,
    private readonly trans: TranslationBundle,
    private readonly content: () => React.ReactElement | null
  ) {
    super();
    this.addClass('jp-EnvStore-bar');
    work.changed.connect(() => {
      this.setHidden(work.state.kind === 'none');
      this.update();
    }, this);
    this.setHidden(work.state.kind === 'none');
  }

  protected render(): React.ReactElement {
    const { work, trans } = this;
    const isBusy = work.state.kind === 'busy';
    return (
      <div ref={this._measure} className="jp-EnvStore-barContent" role="region" aria-label={this.label}>
        {this.content()}
        <IconButton
          id="envstore:bar-close"
          icon={closeIcon}
          label={isBusy ? trans.__('Close; it goes on without the bar') : trans.__('Close')}
          onClick={() => work.dismiss()}
        />
      </div>
    );
  }

  /** Give the bar the height of its content: the panel that holds it knows no other height than the least one. */
  private readonly _measure = (node: HTMLElement | null): void => {
    this._sizes.disconnect();
    if (node) {
      this._sizes.observe(node);
    }
  };

  private readonly _sizes = new ResizeObserver(([entry]) => {
    const height = `${Math.ceil(entry!.target.getBoundingClientRect().height)}px`;
    if (this.node.style.minHeight !== height) {
      this.node.style.minHeight = height;
      MessageLoop.postMessage(this.parent ?? this, Widget.Msg.FitRequest);
    }
  });
}

/** Add a bar to a notebook once it has something to show: most notebooks never need one. */
export function showWhenNeeded(panel: NotebookPanel, work: BarWork<any>, make: () => NotebookBar): void {
  const look = () => {
    if (work.state.kind !== 'none') {
      work.changed.disconnect(look);
      panel.contentHeader.addWidget(make());
    }
  };
  work.changed.connect(look);
  look();
}

/** The progress of what is being made. */
export function Busy(props: {
  found: { words: string; part: number | null; build?: number | undefined };
  label: string;
  cancel: () => Promise<void>;
  trans: TranslationBundle;
}): React.ReactElement {
  const { found, trans } = props;
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>{found.words}</span>
        <ProgressBar part={found.part} label={props.label} words={found.words} />
      </div>
      {found.build !== undefined && (
        <TextButton id="envstore:bar-cancel" onClick={props.cancel}>
          {trans.__('Cancel')}
        </TextButton>
      )}
    </>
  );
}

/** Why something could not be made, with the way back. */
export function Failed(props: {
  found: { reason: string; before?: IWork<any> };
  words: string;
  back: () => unknown;
  trans: TranslationBundle;
  children?: React.ReactNode;
}): React.ReactElement {
  const { found, trans } = props;
  return (
    <>
      <div className="jp-EnvStore-barText" role="alert">
        <span>{props.words}</span>
        <span className="jp-EnvStore-sub">{found.reason}</span>
      </div>
      {found.before && found.before.kind !== 'none' && (
        <TextButton id="envstore:bar-back" onClick={props.back}>
          {trans.__('Other Ways')}
        </TextButton>
      )}
      {props.children}
    </>
  );
}
