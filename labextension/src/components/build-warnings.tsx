import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IBuild, IBuildWarning } from '../store/types';

const SHOWN = 20;

/** Return the title of each kind of warning (`database/warnings.py`), in the order in which they are shown. */
function kindsOf(trans: TranslationBundle): Record<string, string> {
  return {
    check: trans.__('Does not work'),
    kernel: trans.__('Kernels left out'),
    collision: trans.__('Packages with one file'),
    link_script: trans.__('Scripts of packages'),
    activation: trans.__('Activation'),
    outside_link: trans.__('Links that lead out of the environment'),
    package: trans.__('Packages whose metadata differ'),
    kept_packages: trans.__('Packages that are not kept'),
    specification: trans.__('Specification')
  };
}

/** Return warnings by kind: the most important kinds first, unknown kinds last. */
export function groupedWarnings(
  warnings: readonly IBuildWarning[],
  trans: TranslationBundle
): { kind: string; title: string; warnings: IBuildWarning[] }[] {
  const titles = kindsOf(trans);
  const order = Object.keys(titles);
  const groups = new Map<string, IBuildWarning[]>();
  for (const warning of warnings) {
    groups.set(warning.kind, [...(groups.get(warning.kind) ?? []), warning]);
  }
  const rank = (kind: string) => order.indexOf(kind) + 1 || order.length + 1;
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([kind, found]) => ({ kind, title: titles[kind] ?? trans.__('Other'), warnings: found }));
}

/** The warnings of a build: how many of each kind, and all of them when it is opened. */
export function BuildWarnings({ build, trans }: { build: IBuild; trans: TranslationBundle }): React.ReactElement | null {
  const warnings = build.warnings ?? [];
  if (!warnings.length) {
    return null;
  }
  const more = build.warning_count - warnings.length;
  const groups = groupedWarnings(warnings, trans);
  const about = groups.map(group => `${group.title}: ${group.warnings.length}`).join(' · ');
  return (
    <details key={build.id} className="jp-EnvStore-box jp-mod-warn jp-EnvStore-warnings" data-testid="envstore:warnings">
      <summary>
        <span className="jp-EnvStore-warningMark" aria-hidden="true">
          ⚠
        </span>{' '}
        {trans._n('%1 warning', '%1 warnings', build.warning_count)} <span className="jp-EnvStore-sub">{about}</span>
      </summary>
      {groups.map(group => (
        <section key={group.kind} aria-label={group.title}>
          <h3>{group.title}</h3>
          <Lines warnings={group.warnings} trans={trans} />
        </section>
      ))}
      {more > 0 && <p className="jp-EnvStore-sub">{trans.__('%1 more; the log lists all of them', more)}</p>}
    </details>
  );
}

/** The warnings of one kind; if there are many, the first ones, and the others after a click. */
function Lines(props: { warnings: readonly IBuildWarning[]; trans: TranslationBundle }): React.ReactElement {
  const { warnings, trans } = props;
  const [all, setAll] = React.useState(false);
  const hidden = all ? 0 : Math.max(0, warnings.length - SHOWN);
  return (
    <>
      <ul>
        {warnings.slice(0, warnings.length - hidden).map((warning, place) => (
          <li key={place}>
            {warning.package && !warning.message.includes(warning.package) && <b>{warning.package}: </b>}
            {warning.message}
            {warning.path && !warning.message.includes(warning.path) && (
              <>
                {' '}
                <code>{warning.path}</code>
              </>
            )}
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" className="jp-EnvStore-link" onClick={() => setAll(true)}>
          {trans._n('%1 more', '%1 more', hidden)}
        </button>
      )}
    </>
  );
}

/** A small sign in a row that a build has warnings. */
export function WarningMark(props: { build: IBuild | null | undefined; trans: TranslationBundle }): React.ReactElement | null {
  const count = props.build?.warning_count ?? 0;
  const words = props.trans._n('%1 warning', '%1 warnings', count);
  return count > 0 ? (
    <span className="jp-EnvStore-warningMark" role="img" aria-label={words} title={words}>
      ⚠
    </span>
  ) : null;
}
