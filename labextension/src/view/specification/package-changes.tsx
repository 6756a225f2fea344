import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { newestFirst } from '../../presentation/versions';
import type { IPackageChange } from '../../store/types';

/** Return what changed in a few words: the first names, and how many more. */
export function changeWords(changes: readonly IPackageChange[] | undefined, same: string): string {
  if (!changes) {
    return '';
  }
  if (changes.length === 0) {
    return same;
  }
  const signs = { added: '+ ', removed: '− ', changed: '' };
  const way = (item: IPackageChange) =>
    item.change === 'changed' && item.from.split(' ')[0] !== item.to.split(' ')[0] ? (newestFirst(item.from, item.to) > 0 ? ' ↑' : ' ↓') : '';
  const words = changes.slice(0, 3).map(item => `${signs[item.change]}${item.name}${way(item)}`);
  return words.join(', ') + (changes.length > 3 ? ` … (${changes.length})` : '');
}

const SHOWN = 12;

/** Whether the major version changes. */
export function isMajor(change: IPackageChange): boolean {
  const major = (text: string) => /^\d+/.exec(text)?.[0] ?? '';
  return change.change === 'changed' && major(change.from) !== major(change.to);
}

/** A package that goes over from conda to PyPI, or back, is one change. */
interface IMove extends IPackageChange {
  /** The package manager that it came from before. */
  left?: string;
}

/** Return changes in which a package that leaves one manager for the other is changed, not removed and added. */
export function joined(changes: readonly IPackageChange[]): IMove[] {
  const key = (item: IPackageChange) => item.name.toLowerCase().replace(/[-_.]+/g, '-');
  const removed = new Map(changes.filter(item => item.change === 'removed').map(item => [key(item), item]));
  const moved = new Set<IPackageChange>();
  const kept = changes.map((item): IMove => {
    const other = item.change === 'added' ? removed.get(key(item)) : undefined;
    if (!other || other.manager === item.manager) {
      return item;
    }
    moved.add(other);
    return { ...item, change: 'changed', from: other.from, left: other.manager };
  });
  return kept.filter(item => !moved.has(item));
}

/** Packages added, changed and removed. */
export function PackageChanges(props: {
  changes: readonly IPackageChange[];
  trans: TranslationBundle;
  all?: boolean;
}): React.ReactElement {
  const { trans, all } = props;
  const changes = joined(props.changes);
  const of = (kind: string) => changes.filter(item => item.change === kind);
  const version = (text: string) => text.split(' ')[0];
  if (changes.length === 0) {
    return <p className="jp-EnvStore-sub">{trans.__('No package changes.')}</p>;
  }
  const groups: [string, IMove[], (item: IMove) => React.ReactNode][] = [
    [trans.__('Added %1', of('added').length), of('added'), item => (item.to === item.name ? '' : version(item.to))],
    [
      trans.__('Changed %1', of('changed').length),
      of('changed'),
      item => (
        <>
          {version(item.from) === version(item.to) ? item.from : version(item.from)} →{' '}
          {version(item.from) === version(item.to) ? item.to : version(item.to)}
          {item.left && (
            <span className="jp-EnvStore-sub">
              {' '}
              {item.manager === 'pip' ? trans.__('now from PyPI') : trans.__('now from conda')}
            </span>
          )}
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
                {item.manager === 'pip' && !item.left && <span className="jp-EnvStore-sub"> {trans.__('PyPI')}</span>}
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
