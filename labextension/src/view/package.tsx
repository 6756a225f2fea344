import { Dialog, InputDialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { copy } from '../commands/context';
import { IconButton } from '../components/basics';
import { type Action, openActions } from '../components/menu';
import { size } from '../status';
import type { IAbout, IContent } from '../types';
import type { ITabProps } from './environment';

const DEEPEST = 8;
const NAMED = 3;

/** Return how a package is named in changes: PyPI's with `pip:` in front. */
export function specOf(found: Pick<IContent, 'name' | 'manager'>): string {
  return found.manager === 'pip' ? `pip:${found.name}` : found.name;
}

/** Return the name in a change, to tell whether two are about the same package. */
export function nameOf(spec: string): string {
  const pip = spec.startsWith('pip:') ? 'pip:' : '';
  const name = /^[A-Za-z0-9_.-]+/.exec(spec.slice(pip.length).split('::').pop() ?? '')?.[0] ?? spec;
  return pip + name.toLowerCase();
}

/**
 * Return what stands before the bounds in a requirement, and the bounds: `conda-forge::numpy` and `<2`. Null for forms
 * that are better edited in the text: markers, brackets with versions, builds.
 */
export function bounds(found: Pick<IContent, 'name' | 'manager' | 'requested'>): { before: string; bound: string } | null {
  if (found.requested === null) {
    return { before: specOf(found), bound: '' };
  }
  const pip = found.manager === 'pip';
  const form = pip
    ? /^([A-Za-z0-9_.-]+(?:\[[A-Za-z0-9_., -]*\])?)\s*((?:[<>=!~][^;@[\]]*)?)$/
    : /^((?:[^\s:]+::)?[A-Za-z0-9_.-]+)\s*((?:[<>=!~][^[\]]*)?)$/;
  const parts = form.exec(found.requested.trim());
  return parts ? { before: (pip ? 'pip:' : '') + parts[1]!, bound: parts[2]!.trim() } : null;
}

/** Return a change that gives a package other bounds; without any, the newest that fits is taken. */
export function boundedSpec(before: string, bound: string): string {
  const pip = before.startsWith('pip:');
  const exact = /^[0-9]/.test(bound) ? `${pip ? '==' : '='}${bound}` : bound;
  return `${before}${exact && !pip && !exact.startsWith('=') ? ' ' : ''}${exact}`;
}

/** One package of a build, with a menu of what can be done with it. */
export function PackageRow(
  props: ITabProps & {
    found: IContent;
    /** All packages of the build: why this one is there. */
    contents: readonly IContent[];
    update: string | null;
    editable: boolean;
    removed: boolean;
    /** The one that Tab goes to; arrow keys go to the others. */
    isFirst: boolean;
    stage: (add: string[], remove: string[]) => void;
  }
): React.ReactElement {
  const { found, trans, update, editable, stage, model, build } = props;
  const channel = found.channel.replace(/\/+$/, '').split('/').pop() ?? found.channel;
  const why =
    found.requested !== null
      ? found.requested.toLowerCase() === found.name.toLowerCase()
        ? trans.__('asked for')
        : trans.__('asked for: %1', found.requested)
      : found.needed_by.length
        ? trans.__('needed by %1', found.needed_by.slice(0, NAMED).join(', ') + (found.needed_by.length > NAMED ? '…' : ''))
        : '';
  const now = bounds(found);
  const change = async () => {
    const answer = await InputDialog.getText({
      title: trans.__('Version of %1', found.name),
      label: trans.__('For example %1 or <2; empty for the newest that fits', found.version),
      text: now?.bound ?? '',
      okLabel: trans.__('Change')
    });
    if (answer.button.accept && now) {
      stage([boundedSpec(now.before, (answer.value ?? '').trim())], []);
    }
  };
  const isAsked = found.requested !== null;
  const exact = found.manager === 'pip' ? `${found.name}==${found.version}` : `${found.name}=${found.version}=${found.build}`;
  const refused = !editable
    ? trans.__('You may not change it, or it is exactly a lockfile')
    : isAsked
      ? undefined
      : trans.__('It is not listed in the specification: others need it');
  const actions: Action[] = [
    {
      label: trans.__('Change Version…'),
      run: change,
      refused: !editable ? refused : now ? undefined : trans.__('Edit this line in the specification: %1', found.requested ?? '')
    },
    { label: trans.__('Remove'), run: () => stage([], [specOf(found)]), refused },
    null,
    { label: trans.__('Why Is It Here?'), run: () => showWhy(props) },
    { label: trans.__('About %1…', found.name), run: async () => showAbout(props, await model.api.about(build.id, found.name, found.manager)) },
    { label: trans.__('Copy “%1”', exact), run: () => copy(exact, trans.__('Copied %1', exact)) }
  ];
  const open = (row: Element) => openActions(actions, row.querySelector('.jp-EnvStore-button') ?? row);
  return (
    <tr
      className={props.removed ? 'jp-mod-removed' : ''}
      tabIndex={props.isFirst ? 0 : -1}
      aria-label={[found.name, found.version, why].filter(part => part).join(', ')}
      onKeyDown={event => {
        if (event.target === event.currentTarget && (event.key === 'Enter' || event.key === 'ContextMenu')) {
          open(event.currentTarget);
          event.preventDefault();
          event.stopPropagation();
        } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
          const next = event.key === 'ArrowDown' ? 'nextElementSibling' : 'previousElementSibling';
          (event.currentTarget[next] as HTMLElement | null)?.focus();
          event.preventDefault();
        }
      }}
      onContextMenu={event => {
        if (!event.shiftKey) {
          open(event.currentTarget);
          event.preventDefault();
          event.stopPropagation();
        }
      }}
    >
      <th scope="row">
        {found.name}
        {found.manager === 'pip' && <span className="jp-EnvStore-badge">{trans.__('PyPI')}</span>}
        <div className="jp-mod-narrow jp-EnvStore-sub">
          {[found.size ? size(found.size) : '', found.manager === 'pip' ? '' : channel, why].filter(part => part).join(' · ')}
        </div>
      </th>
      <td title={found.build}>{found.version}</td>
      {update !== null && <td className="jp-EnvStore-update">{update.split(' ')[0]} ↑</td>}
      <td className="jp-mod-wide" title={found.channel}>
        {found.manager === 'pip' ? trans.__('PyPI') : channel}
      </td>
      <td className="jp-mod-wide jp-EnvStore-number">{found.size ? size(found.size) : ''}</td>
      <td className="jp-mod-wide jp-EnvStore-sub" title={found.needed_by.join(', ')}>
        {why}
      </td>
      <td className="jp-EnvStore-rowButtons">
        <IconButton
          icon={ellipsesIcon}
          label={trans.__('More for %1', found.name)}
          tabIndex={-1}
          onClick={event => openActions(actions, event.currentTarget)}
        />
      </td>
    </tr>
  );
}

/** Say why a package is there: what needs it, and what needs that, up to what was asked for. */
function showWhy(props: ITabProps & { found: IContent; contents: readonly IContent[] }): Promise<unknown> {
  const { found, contents, trans } = props;
  const known = new Map(contents.map(other => [other.name.toLowerCase(), other]));
  const words = (other: IContent) =>
    other.requested !== null ? trans.__('%1, asked for', other.requested) : `${other.name} ${other.version}`;
  const drawn = new Set<string>();
  const draw = (other: IContent, above: readonly string[]): React.ReactElement => {
    const seen = drawn.has(other.name);
    drawn.add(other.name);
    const needed = !seen && above.length < DEEPEST ? other.needed_by.filter(name => !above.includes(name)) : [];
    return (
      <li key={other.name}>
        {words(other)}
        {seen && other.requested === null && other.needed_by.length > 0 && <i> {trans.__('(see above)')}</i>}
        {needed.length > 0 && other.requested === null && (
          <ul>
            {needed.map(name => {
              const next = known.get(name.toLowerCase());
              return next ? draw(next, [...above, other.name]) : <li key={name}>{name}</li>;
            })}
          </ul>
        )}
      </li>
    );
  };
  const needs = found.needed_by.length > 0;
  return showDialog({
    title: trans.__('Why %1 is here', found.name),
    body: ReactWidget.create(
      <div className="jp-EnvStore-why">
        {found.requested !== null && <p>{trans.__('The specification asks for it: %1', found.requested)}</p>}
        {needs && <p>{trans.__('It is needed by')}</p>}
        {needs && (
          <ul>
            {found.needed_by.map(name => {
              const next = known.get(name.toLowerCase());
              return next ? draw(next, [found.name]) : <li key={name}>{name}</li>;
            })}
          </ul>
        )}
        {!needs && found.requested === null && <p>{trans.__('Nothing else in it needs it.')}</p>}
      </div>
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

/** Show what a package says of itself, with links to its pages. */
function showAbout(props: ITabProps & { found: IContent }, about: IAbout): Promise<unknown> {
  const { trans, found } = props;
  const links: [string, string][] = [
    [trans.__('Home page'), about.home],
    [trans.__('Documentation'), about.documentation],
    [trans.__('Source'), about.source]
  ];
  return showDialog({
    title: `${about.name} ${about.version}`,
    body: ReactWidget.create(
      <div className="jp-EnvStore-why">
        <p>{about.summary || trans.__('The package says nothing of itself.')}</p>
        {about.license && <p className="jp-EnvStore-sub">{trans.__('Licence: %1', about.license)}</p>}
        <p className="jp-EnvStore-sub">{trans.__('From %1', found.channel)}</p>
        {links
          .filter(([, address]) => address)
          .map(([words, address]) => (
            <p key={words}>
              <a className="jp-EnvStore-link" href={address} target="_blank" rel="noopener noreferrer">
                {words} ↗
              </a>
            </p>
          ))}
      </div>
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
