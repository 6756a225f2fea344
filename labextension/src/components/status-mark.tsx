import * as React from 'react';
import type { IMark } from '../presentation/status';

/** The status mark before a name. */
export function StatusMark({ mark }: { mark: IMark }): React.ReactElement {
  return (
    <span className="jp-EnvStore-mark" data-kind={mark.kind} title={mark.words} role="img" aria-label={mark.words}>
      {mark.shape}
      {mark.extra && <sup>{mark.extra}</sup>}
    </span>
  );
}
