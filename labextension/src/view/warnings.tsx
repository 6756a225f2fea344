import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IBuild } from '../types';

/** What people should know of a build: how many things, and each of them when opened. */
export function Warnings({ build, trans }: { build: IBuild; trans: TranslationBundle }): React.ReactElement | null {
  const warnings = build.warnings ?? [];
  if (!warnings.length) {
    return null;
  }
  const more = build.warning_count - warnings.length;
  return (
    <details className="jp-EnvStore-warnings" data-testid="envstore:warnings">
      <summary>{trans._n('%1 warning', '%1 warnings', build.warning_count)}</summary>
      <ul>
        {warnings.map((warning, place) => (
          <li key={place}>{warning.message}</li>
        ))}
        {more > 0 && <li>{trans.__('%1 more; the log has all', more)}</li>}
      </ul>
    </details>
  );
}
