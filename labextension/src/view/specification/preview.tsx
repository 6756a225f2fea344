import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useNow } from '../../components/hooks';
import { ProgressBar } from '../../components/progress-bar';
import type { IProps } from '../../components/props';
import { duration, moment, size } from '../../presentation/formats';
import type { IChecked, IFault, ISolved } from '../../store/types';
import { joined, PackageChanges } from './package-changes';
import { isConflict, SolveError } from './solve-error';
import { SolvedPackages } from './solved-packages';
import { faultsOf, fixed, withChannel } from './specification-fixes';
import type { IPreview } from './use-preview';

const LONG = 20;
const ALLOWED = 3;

/** The box beside the editor: what is wrong, what would be installed, or why it cannot be. */
export function Preview(
  props: IProps & {
    preview: IPreview;
    text: string;
    unchanged: string | null;
    /** Says with which build the changes are compared, if it is not the shown one. */
    against?: string | null;
    goTo: (line: number) => void;
    /** What has to be chosen before the text is one that can be checked. */
    open?: string | null;
    /** Replace the text. */
    onText: (text: string) => void;
  }
): React.ReactElement {
  const { preview, trans, unchanged } = props;
  const { checked, solved, error, lastError, since } = preview;
  return (
    <aside className="jp-EnvStore-preview" aria-label={trans.__('Preview')} tabIndex={0}>
      <h3>{trans.__('Preview')}</h3>
      <div aria-live="polite" aria-atomic="true">
        {!props.text.trim() ? (
          <p className="jp-EnvStore-sub">{trans.__('Write what you want to install.')}</p>
        ) : checked && checked.faults.length > 0 && props.open ? (
          <p>{props.open}</p>
        ) : checked && checked.faults.length > 0 ? (
          <Faults faults={checked.faults} trans={trans} goTo={props.goTo} />
        ) : checked?.refused ? (
          <Forbidden {...props} checked={checked} />
        ) : checked?.is_lockfile ? (
          <Locked checked={checked} trans={trans} onText={props.onText} />
        ) : (
          <>
            <div className="jp-EnvStore-checking">
              {since !== null && <Checking since={since} preview={preview} trans={trans} />}
              {!checked && !lastError && <p className="jp-EnvStore-sub">{trans.__('Checking…')}</p>}
            </div>
            {lastError && (
              <div className={error && since === null ? '' : 'jp-mod-old'}>
                <Refusal {...props} error={lastError} />
              </div>
            )}
            {solved && !lastError && (
              <div className={preview.current ? '' : 'jp-mod-old'}>
                {unchanged && <p className="jp-EnvStore-sub">{unchanged}</p>}
                <Solved solved={solved} checked={checked} trans={trans} against={props.against ?? null} />
                <Platforms platforms={preview.platforms} trans={trans} />
              </div>
            )}
          </>
        )}
      </div>
    </aside>
  );
}

function Faults(props: { faults: readonly IFault[]; trans: TranslationBundle; goTo: (line: number) => void }): React.ReactElement {
  const { faults, trans } = props;
  return (
    <div role="alert">
      <p className="jp-EnvStore-error">
        {faults.every(fault => fault.line === null)
          ? trans.__('This cannot be built')
          : trans._n('%1 line must be corrected', '%1 lines must be corrected', faults.length)}
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

/** What the settings of the place forbid, and what they allow in its place. */
function Forbidden(props: {
  checked: IChecked;
  trans: TranslationBundle;
  text: string;
  onText: (text: string) => void;
}): React.ReactElement {
  const { checked, trans, text, onText } = props;
  const ways = Object.entries(checked.suggestions).flatMap(([refused, allowed]) =>
    allowed.slice(0, ALLOWED).map(meant => ({ refused, meant, next: withChannel(text, refused, meant) }))
  );
  return (
    <ErrorBox message={checked.refused ?? ''}>
      {ways
        .filter(way => way.next !== text)
        .map(way => (
          <Link key={`${way.refused} ${way.meant}`} id="envstore:replace-channel" onClick={() => onText(way.next)}>
            {trans.__('Replace %1 with %2', way.refused, way.meant)}
          </Link>
        ))}
    </ErrorBox>
  );
}

function Checking(props: { since: number; preview: IPreview; trans: TranslationBundle }): React.ReactElement {
  const { since, preview, trans } = props;
  const seconds = Math.floor((useNow(500).getTime() - since) / 1000);
  const words = trans.__('Checking…');
  return (
    <div>
      <ProgressBar part={null} label={words} words={words} />
      {seconds > 1 && (
        <p className="jp-EnvStore-sub">
          {seconds > LONG
            ? trans.__('This takes a long time. You can start the build without waiting.')
            : trans.__('Checking… %1 s', seconds)}{' '}
          <Link onClick={preview.stop}>{trans.__('Stop')}</Link>
        </p>
      )}
    </div>
  );
}

/** A lockfile needs no preview; one may begin with what is in it instead. */
function Locked(props: {
  checked: IChecked;
  trans: TranslationBundle;
  onText: (text: string) => void;
}): React.ReactElement {
  const { checked, trans } = props;
  const start = checked.starting_point;
  return (
    <>
      <p>
        {trans._n('A lockfile of %1 package. It is built exactly, without solving.', 'A lockfile of %1 packages. It is built exactly, without solving.', checked.packages ?? 0)}
      </p>
      {start && (
        <p>
          <Link id="envstore:starting-point" onClick={() => props.onText(start)}>
            {trans.__('Use as a starting point to edit')}
          </Link>
        </p>
      )}
    </>
  );
}

/** Whether it fits on the other platforms that the text lists. */
function Platforms(props: {
  platforms: IPreview['platforms'];
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { platforms, trans } = props;
  if (platforms.size === 0) {
    return null;
  }
  return (
    <dl className="jp-EnvStore-changes">
      <dt>{trans.__('Works on')}</dt>
      {[...platforms].map(([platform, answer]) => (
        <dd key={platform} title={typeof answer === 'string' ? answer : ''}>
          {platform}{' '}
          {answer === null ? '?' : answer === true ? '✓' : <span className="jp-EnvStore-error">✗ {answer}</span>}
        </dd>
      ))}
    </dl>
  );
}

function Refusal(
  props: IProps & {
    error: Error;
    preview: IPreview;
    text: string;
    goTo: (line: number) => void;
    onText: (text: string) => void;
  }
): React.ReactElement {
  const { error, preview, trans } = props;
  const faults = faultsOf(error, props.text);
  return (
    <SolveError {...props} takeLast={preview.takeKept} again={preview.again}>
      {faults.map((fault, place) => (
        <React.Fragment key={place}>
          <span>
            <Link onClick={() => props.goTo(fault.line!)}>{trans.__('line %1', fault.line)}</Link>{' '}
            {(isConflict(error) || fault.message !== error.message.split('\n')[0]) && fault.message}
          </span>
          {fault.fix?.meant.map(meant => (
            <Link key={meant} id="envstore:fix" onClick={() => props.onText(fixed(props.text, fault, meant))}>
              {trans.__('Replace with %1', meant)}
            </Link>
          ))}
        </React.Fragment>
      ))}
      {preview.checked?.notes.map(note => (
        <p key={note} className="jp-EnvStore-sub">
          {note}
        </p>
      ))}
    </SolveError>
  );
}

/** A note that the result is based on an old index. */
export function IndexFrom(props: { solved: ISolved; trans: TranslationBundle }): React.ReactElement | null {
  const { solved, trans } = props;
  return solved.index_from ? (
    <p className="jp-EnvStore-sub">
      {trans.__('With the channel index of %1. Newer packages are not included.', moment(solved.index_from))}
    </p>
  ) : null;
}

function Solved(props: { solved: ISolved; checked: IChecked | null; trans: TranslationBundle; against: string | null }): React.ReactElement {
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
        {` · ${size(bytes)} · `}
        {solved.to_download > 0 ? trans.__('%1 to download', size(solved.to_download)) : trans.__('nothing to download')}
        {changes && changes.length > 0 && ' · ' + trans._n('%1 change', '%1 changes', joined(changes).length)}
      </p>
      {props.against && changes && changes.length > 0 && <p className="jp-EnvStore-sub">{props.against}</p>}
      {changes ? <PackageChanges changes={changes} trans={trans} /> : <SolvedPackages solved={solved} checked={checked} trans={trans} />}
      <IndexFrom solved={solved} trans={trans} />
      {solved.notes.map(note => (
        <p key={note} className="jp-EnvStore-sub">
          {note.startsWith('added ') ? trans.__('Added for you: %1', note.slice('added '.length)) : note}
        </p>
      ))}
    </>
  );
}
