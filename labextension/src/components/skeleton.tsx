import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** Placeholder rows while data is loaded. */
export function Skeleton({ trans, rows = 6 }: { trans: TranslationBundle; rows?: number }): React.ReactElement {
  const widths = [70, 55, 80, 45, 65, 60];
  return (
    <div aria-busy="true" aria-label={trans.__('Loading')} role="status" className="jp-EnvStore-skeleton">
      {Array.from({ length: rows }, (_, place) => (
        <div key={place} style={{ width: `${widths[place % widths.length]}%` }} />
      ))}
    </div>
  );
}
