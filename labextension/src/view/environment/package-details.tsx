import * as React from 'react';
import { ErrorBox } from '../../components/error-box';
import { useLoaded } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import type { IAbout, IContent } from '../../store/types';
import type { ITabProps } from './tab-props';

const DEEPEST = 8;

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
      {!found.needed_by.length && found.requested === null && <p>{trans.__('No other package needs it.')}</p>}
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
      <p>{about.summary || trans.__('The package has no description.')}</p>
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
