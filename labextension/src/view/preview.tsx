import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { EnvStoreError } from '../api';
import { ErrorBox, type IProps, Link, Progress } from '../components/basics';
import { useNow, useSettled } from '../components/hooks';
import { duration, size } from '../status';
import type { IChecked, IFault, IPackageChange, IPlace, ISolved } from '../types';

const CHECK_PAUSE = 250;
const SOLVE_PAUSE = 600;
const LONG = 20;
const SHOWN = 12;

/** What is known of a text: its faults at once, what it would install a little later. */
export interface IPreview {
  checked: IChecked | null;
  solved: ISolved | null;
  error: Error | null;
  /** When the solve that goes on began; null without one. */
  since: number | null;
  /** Whether what is shown belongs to the text as it is now. */
  current: boolean;
  stop: () => void;
  again: () => void;
}

/** Check a text as one types, and find out after a pause what it would install. */
export function usePreview(
  props: IProps & {
    text: string;
    place: Partial<IPlace>;
    enabled: boolean;
    /** Another number for another text altogether: what is known of the one before is dropped. */
    generation?: number;
  }
): IPreview {
  const { model, text, enabled, generation } = props;
  const { namespace, name } = props.place;
  const quick = useSettled(text, CHECK_PAUSE);
  const slow = useSettled(text, SOLVE_PAUSE);
  const [checked, setChecked] = React.useState<{ text: string; value: IChecked } | null>(null);
  const [solved, setSolved] = React.useState<{ text: string; value: ISolved | null; error: Error | null } | null>(null);
  const [since, setSince] = React.useState<number | null>(null);
  const [turn, setTurn] = React.useState(0);
  const running = React.useRef<AbortController | null>(null);
  React.useEffect(() => setSolved(null), [generation]);

  React.useEffect(() => {
    let wanted = true;
    if (enabled && quick.trim()) {
      model.api.check(quick, { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }).then(
        value => wanted && setChecked({ text: quick, value }),
        (error: Error) => wanted && setSolved({ text: quick, value: null, error })
      );
    }
    return () => {
      wanted = false;
    };
  }, [model, quick, namespace, name, enabled]);

  const clean =
    checked?.text === slow && checked.value.faults.length === 0 && !checked.value.refused && !checked.value.is_lockfile;
  React.useEffect(() => {
    if (!enabled || !clean) {
      return;
    }
    const stop = (running.current = new AbortController());
    setSince(Date.now());
    model.api.solve(slow, { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }, stop.signal).then(
      value => {
        if (!stop.signal.aborted) {
          setSince(null);
          setSolved({ text: slow, value, error: null });
        }
      },
      (error: Error) => {
        if (!stop.signal.aborted) {
          setSince(null);
          setSolved({ text: slow, value: null, error });
        }
      }
    );
    return () => stop.abort();
  }, [model, slow, clean, namespace, name, enabled, turn]);

  return {
    checked: checked?.value ?? null,
    solved: solved?.value ?? null,
    error: solved?.text === text ? solved.error : null,
    since,
    current: solved?.text === text,
    stop: () => {
      running.current?.abort();
      setSince(null);
    },
    again: () => setTurn(count => count + 1)
  };
}

/** Whether a build of the text would fail for the same reason, as far as the channels are known. */
export function isCertain(error: Error | null): boolean {
  return error instanceof EnvStoreError && error.code === 'unsatisfiable';
}

/** Return the lines that a refusal is about: those that list a package that is in no channel. */
export function faultsOf(error: Error | null, text: string): IFault[] {
  const name = /^no package ([A-Za-z0-9_.-]+)/.exec(error?.message ?? '')?.[1];
  if (!error || !name) {
    return [];
  }
  const listed = new RegExp(`(^|[\\s\\[,:'"])${name.replace(/[.]/g, '\\.')}(?![A-Za-z0-9_.-])`, 'i');
  const line = text.split('\n').findIndex(content => !/^\s*(#|name:|description:)/.test(content) && listed.test(content));
  return line < 0 ? [] : [{ line: line + 1, field: 'dependencies', message: error.message.split('\n')[0] ?? '' }];
}

/** The box beside the editor: what is wrong, what would be installed, or why it cannot be. */
export function Preview(
  props: IProps & { preview: IPreview; text: string; unchanged: string | null; goTo: (line: number) => void }
): React.ReactElement {
  const { preview, trans, unchanged } = props;
  const { checked, solved, error, since } = preview;
  return (
    <aside className="jp-EnvStore-preview" aria-label={trans.__('Preview')}>
      <h3>{trans.__('Preview')}</h3>
      <div aria-live="polite" aria-atomic="true">
        {!props.text.trim() ? (
          <p className="jp-EnvStore-sub">{trans.__('Write what you want to install.')}</p>
        ) : checked && checked.faults.length > 0 ? (
          <Faults faults={checked.faults} trans={trans} goTo={props.goTo} />
        ) : checked?.refused ? (
          <ErrorBox message={checked.refused} />
        ) : checked?.is_lockfile ? (
          <p>{trans.__('A lockfile: exact, it is built as it is.')}</p>
        ) : (
          <>
            {since !== null && <Checking since={since} preview={preview} trans={trans} />}
            {error && since === null && <Refusal error={error} preview={preview} trans={trans} text={props.text} goTo={props.goTo} />}
            {solved && !error && (
              <div className={preview.current ? '' : 'jp-mod-old'}>
                {unchanged && <p className="jp-EnvStore-sub">{unchanged}</p>}
                <Solved solved={solved} checked={checked} trans={trans} />
              </div>
            )}
          </>
        )}
      </div>
    </aside>
  );
}

function Faults(props: { faults: IFault[]; trans: TranslationBundle; goTo: (line: number) => void }): React.ReactElement {
  const { faults, trans } = props;
  return (
    <div role="alert">
      <p className="jp-EnvStore-error">
        {trans._n('%1 line needs attention', '%1 lines need attention', faults.length)}
      </p>
      <ul className="jp-EnvStore-faults">
        {faults.map((fault, place) => (
          <li key={place}>
            {fault.line !== null && (
              <Link onClick={() => props.goTo(fault.line!)}>{trans.__('line %1', fault.line)}</Link>
            )}{' '}
            {fault.message}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Checking(props: { since: number; preview: IPreview; trans: TranslationBundle }): React.ReactElement {
  const { since, preview, trans } = props;
  const seconds = Math.floor((useNow(500).getTime() - since) / 1000);
  const words = trans.__('Checking…');
  return (
    <div>
      <Progress part={null} label={words} words={words} />
      {seconds > 1 && (
        <p className="jp-EnvStore-sub">
          {seconds > LONG
            ? trans.__('This takes long. You can build without waiting.')
            : trans.__('Checking… %1 s', seconds)}{' '}
          <Link onClick={preview.stop}>{trans.__('Stop')}</Link>
        </p>
      )}
    </div>
  );
}

function Refusal(props: {
  error: Error;
  preview: IPreview;
  trans: TranslationBundle;
  text: string;
  goTo: (line: number) => void;
}): React.ReactElement {
  const { error, preview, trans } = props;
  const [first, ...rest] = error.message.split('\n');
  const isMissing = /^no package/.test(error.message);
  const conflict = error instanceof EnvStoreError && error.code === 'unsatisfiable' && !isMissing;
  return (
    <ErrorBox message={conflict ? trans.__('These cannot live together') : first ?? ''}>
      {(conflict || rest.length > 0) && (
        <details open={rest.length < 8}>
          <summary>{trans.__('Full explanation')}</summary>
          <pre>{error.message}</pre>
        </details>
      )}
      {faultsOf(error, props.text).map(fault => (
        <Link key={fault.line} onClick={() => props.goTo(fault.line!)}>
          {trans.__('line %1', fault.line)}
        </Link>
      ))}
      <Link onClick={preview.again}>{trans.__('Try again')}</Link>
    </ErrorBox>
  );
}

function Solved(props: { solved: ISolved; checked: IChecked | null; trans: TranslationBundle }): React.ReactElement {
  const { solved, checked, trans } = props;
  const changes = solved.changes;
  const bytes = solved.packages.reduce((sum, item) => sum + item.size, 0);
  const pip = checked?.pip.length ?? 0;
  return (
    <>
      <p>
        <span className="jp-EnvStore-mark" data-kind="ready">
          ●
        </span>
        {trans.__('Fits, found in %1', duration(solved.seconds))}
      </p>
      <p>
        {trans._n('Installs %1 package', 'Installs %1 packages', solved.packages.length)}
        {pip > 0 && ' ' + trans._n('and %1 from PyPI', 'and %1 from PyPI', pip)}
        {` · ${size(bytes)}`}
        {changes && changes.length > 0 && ', ' + trans._n('changes %1', 'changes %1', changes.length)}
      </p>
      {changes && <Changes changes={changes} trans={trans} />}
      {solved.notes.map(note => (
        <p key={note} className="jp-EnvStore-sub">
          {trans.__('Added for you: %1', note)}
        </p>
      ))}
    </>
  );
}

/** Whether a change goes over to another major version. */
export function isMajor(change: IPackageChange): boolean {
  const major = (text: string) => /^\d+/.exec(text)?.[0] ?? '';
  return change.change === 'changed' && major(change.from) !== major(change.to);
}

/** Packages added, changed and removed. */
export function Changes(props: {
  changes: readonly IPackageChange[];
  trans: TranslationBundle;
  all?: boolean;
}): React.ReactElement {
  const { changes, trans, all } = props;
  const of = (kind: string) => changes.filter(item => item.change === kind);
  const version = (text: string) => text.split(' ')[0];
  if (changes.length === 0) {
    return <p className="jp-EnvStore-sub">{trans.__('No package changes.')}</p>;
  }
  const groups: [string, IPackageChange[], (item: IPackageChange) => React.ReactNode][] = [
    [trans.__('Added %1', of('added').length), of('added'), item => version(item.to)],
    [
      trans.__('Changed %1', of('changed').length),
      of('changed'),
      item => (
        <>
          {version(item.from) === version(item.to) ? item.from : version(item.from)} →{' '}
          {version(item.from) === version(item.to) ? item.to : version(item.to)}
          {isMajor(item) && <span className="jp-EnvStore-major"> {trans.__('⚠ major')}</span>}
        </>
      )
    ],
    [trans.__('Removed %1', of('removed').length), of('removed'), item => version(item.from)]
  ];
  return (
    <dl className="jp-EnvStore-changes">
      {groups
        .filter(([, items]) => items.length > 0)
        .map(([title, items, words]) => (
          <React.Fragment key={title}>
            <dt>{title}</dt>
            {items.slice(0, all ? items.length : SHOWN).map(item => (
              <dd key={`${item.manager}/${item.name}`}>
                <span className="jp-EnvStore-package">{item.name}</span> {words(item)}
                {item.manager === 'pip' && <span className="jp-EnvStore-sub"> {trans.__('PyPI')}</span>}
              </dd>
            ))}
            {!all && items.length > SHOWN && (
              <dd className="jp-EnvStore-sub">{trans.__('and %1 more', items.length - SHOWN)}</dd>
            )}
          </React.Fragment>
        ))}
    </dl>
  );
}
