import * as React from 'react';
import { PanelContext } from './panel-context';

/** A progress bar: 0 to 1, or null if the progress is not known. */
export function ProgressBar(props: { part: number | null; label: string; words: string }): React.ReactElement {
  const panel = React.useContext(PanelContext);
  const moves = props.part === null && (!panel || panel.model.isConnected);
  return (
    <div
      className={`jp-EnvStore-progress ${moves ? 'jp-mod-unknown' : ''}`}
      role="progressbar"
      aria-label={props.label}
      aria-valuetext={props.words}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={props.part === null ? undefined : Math.round(props.part * 100)}
    >
      <div style={{ transform: `scaleX(${props.part ?? 0.3})` }} />
    </div>
  );
}
