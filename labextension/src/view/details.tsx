import * as React from 'react';
import { ErrorBox, Skeleton, TextButton } from '../components/basics';
import { useLoaded } from '../components/hooks';
import { usePending } from '../components/pending';
import type { IAbout, IContent } from '../types';
import type { ITabProps } from './tab-props';

const DEEPEST = 8;
/** A version, or bounds with commas between them. */
const BOUNDS = /^(?:[<>=!~]{1,2}\s*)?[0-9*][\w.!+*-]*(?:\s*[,|]\s*(?:[<>=!~]{1,2}\s*)?[0-9*][\w.!+*-]*)*$/;

/** Why a package is there, and what it says of itself: shown below its row. */
export function PackageDetails(
  props: Pick<ITabProps, 'trans' | 'model' | 'build'> & { found: IContent; contents: readonly IContent[] }
): React.ReactElement {
  const { found, trans, model, build } = props;
  const about = useLoaded(() => model.api.about(build.id, found.name, found.manager), [build.id, found.name, found.manager]);
  return (
    <div className="jp-EnvStore-details">
      <Why {...props} />
      {about.value && <About about={about.value} found={found} trans={trans} />}
      {about.error && <ErrorBox message={about.error.message} />}
      {!about.value && !about.error && <Skeleton trans={trans} rows={2} />}
    </div>
  );
}

/** Say what needs a package, and what needs that, up to what was asked for. */
function Why(props: Pick<ITabProps, 'trans'> & { found: IContent; contents: readonly IContent[] }): React.ReactElement {
  const { found, contents, trans } = props;
  const known = new Map(contents.map(other => [other.name.toLowerCase(), other]));
  const words = (other: IContent) =>
    other.requested !== null ? trans.__('%1, asked for', other.requested) : `${other.name} ${other.version}`;
  const drawn = new Set<string>();
  const draw = (name: string, above: readonly string[]): React.ReactElement => {
    const other = known.get(name.toLowerCase());
    if (!other) {
      return <li key={name}>{name}</li>;
    }
    const seen = drawn.has(other.name);
    drawn.add(other.name);
    const needed = !seen && above.length < DEEPEST ? other.needed_by.filter(next => !above.includes(next)) : [];
    return (
      <li key={other.name}>
        {words(other)}
        {seen && other.requested === null && other.needed_by.length > 0 && <i> {trans.__('(see above)')}</i>}
        {needed.length > 0 && other.requested === null && <ul>{needed.map(next => draw(next, [...above, other.name]))}</ul>}
      </li>
    );
  };
  return (
    <>
      {found.requested !== null && <p>{trans.__('The specification asks for it: %1', found.requested)}</p>}
      {found.needed_by.length > 0 && (
        <>
          <p>{trans.__('It is needed by')}</p>
          <ul>{found.needed_by.map(name => draw(name, [found.name]))}</ul>
        </>
      )}
      {!found.needed_by.length && found.requested === null && <p>{trans.__('Nothing else in it needs it.')}</p>}
    </>
  );
}

/** Show what a package says of itself, with links to its pages. */
function About(props: Pick<ITabProps, 'trans'> & { found: IContent; about: IAbout }): React.ReactElement {
  const { trans, found, about } = props;
  const links: [string, string][] = [
    [trans.__('Home page'), about.home],
    [trans.__('Documentation'), about.documentation],
    [trans.__('Source'), about.source]
  ];
  return (
    <>
      <p>{about.summary || trans.__('The package says nothing of itself.')}</p>
      <p className="jp-EnvStore-sub">
        {about.license && `${trans.__('Licence: %1', about.license)} · `}
        {trans.__('From %1', found.channel)}
      </p>
      <p className="jp-EnvStore-links">
        {links
          .filter(([, address]) => address)
          .map(([words, address]) => (
            <a key={words} className="jp-EnvStore-link" href={address} target="_blank" rel="noopener noreferrer">
              {words} ↗
            </a>
          ))}
      </p>
    </>
  );
}

/** Ask for the version of a package, below its row: Enter takes it, Escape leaves it. */
export function VersionField(
  props: Pick<ITabProps, 'trans' | 'completer'> & {
    found: IContent;
    bound: string;
    channels: string[];
    /** Take what was typed; `isDone` where the user goes on in the row. */
    take: (bound: string, isDone: boolean) => void;
    leave: () => void;
  }
): React.ReactElement {
  const { found, trans, completer, channels } = props;
  const [text, setText] = React.useState(props.bound);
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const take = (isDone: boolean): boolean => {
    const bound = text.trim();
    if (bound === props.bound) {
      if (isDone) {
        props.leave();
      }
    } else if (bound && !BOUNDS.test(bound)) {
      setProblem(trans.__('“%1” is no version and no bounds. For example %2, <2, >=1,<2', bound, found.version));
      field.current?.focus();
      return false;
    } else {
      props.take(bound, isDone);
    }
    return true;
  };
  usePending(() => take(false));
  const list = React.useId();
  const known = useLoaded(
    found.manager === 'conda' ? () => completer.versions(found.name, channels).catch(() => []) : null,
    [found.name]
  );
  return (
    <form
      className="jp-EnvStore-details jp-EnvStore-actions"
      onSubmit={event => {
        event.preventDefault();
        take(true);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.leave();
        }
      }}
    >
      <label>
        {trans.__('Version of %1', found.name)}{' '}
        <input
          ref={field}
          className="jp-mod-styled"
          autoFocus
          list={list}
          value={text}
          placeholder={trans.__('the newest that fits')}
          onFocus={event => event.target.select()}
          onChange={event => {
            setText(event.target.value);
            setProblem('');
          }}
        />
      </label>
      <datalist id={list}>{(known.value ?? []).map(version => <option key={version} value={version} />)}</datalist>
      <TextButton primary onClick={() => void take(true)}>
        {trans.__('Change')}
      </TextButton>
      <TextButton onClick={props.leave}>{trans.__('Cancel')}</TextButton>
      {problem && (
        <span role="alert" className="jp-EnvStore-error">
          {problem}
        </span>
      )}
      <span className="jp-EnvStore-sub">
        {trans.__('For example %1 or <2; empty for the newest that fits', found.version)}
      </span>
    </form>
  );
}
