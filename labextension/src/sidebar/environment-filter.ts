import * as React from 'react';
import { useDebounced } from '../components/hooks';
import type { EnvStoreModel } from '../store/model';
import type { IEnvironment } from '../store/types';

const PAUSE = 250;

/** The packages that the filter found, by the id of their environment. */
export type Hits = ReadonlyMap<number, readonly { name: string; version: string }[]>;

/** Environments that match the filter by name, and those that contain the package. */
export interface IFound {
  named: readonly IEnvironment[];
  containing: readonly IEnvironment[];
  packageName: string;
  /** Whether the search for packages is running. */
  isLooking: boolean;
  hits: Hits;
}

/** Return the version of the package that the filter names, or all packages that begin like it. */
export function containsWords(hits: readonly { name: string; version: string }[], wanted: string): string {
  const exact = hits.find(hit => hit.name === wanted);
  return exact ? exact.version : hits.map(hit => `${hit.name} ${hit.version}`).join(', ');
}

/** Sort environments: the user's own namespace first, then by name. */
export function sorted(items: readonly IEnvironment[], own: string): IEnvironment[] {
  const key = (item: IEnvironment) => `${item.namespace.name === own ? 0 : 1}${item.namespace.name.toLowerCase()}`;
  return [...items].sort(
    (a, b) => key(a).localeCompare(key(b)) || a.name.toLowerCase().localeCompare(b.name.toLowerCase())
  );
}

/** Return what a filter finds: a part of a name, namespace or description; a package, or the beginning of one as `pkg:name`. */
export function useFound(model: EnvStoreModel, filter: string): IFound {
  const text = filter.trim().toLowerCase();
  const only = text.startsWith('pkg:');
  const wanted = only ? text.slice(4).trim() : text;
  const isName = only ? /^[a-z0-9_][a-z0-9_.-]*$/ : /^[a-z0-9_][a-z0-9_.-]+$/;
  const settled = useDebounced(isName.test(wanted) ? wanted + (only ? '*' : '') : '', PAUSE);
  const [hits, setHits] = React.useState<{ name: string; found: Hits }>({ name: '', found: new Map() });
  React.useEffect(() => {
    let current = true;
    if (settled) {
      model.api.environments([settled]).then(
        items => current && setHits({ name: settled, found: new Map(items.map(item => [item.id, item.packages_found ?? []])) }),
        () => undefined // the panel says already that the server does not answer
      );
    }
    return () => {
      current = false;
    };
  }, [model, settled, model.environments]);
  const all = sorted(model.environments, model.permissions?.primary_namespace ?? '');
  const named = only && wanted
    ? []
    : all.filter(item => `${item.namespace.name}/${item.name} ${item.description}`.toLowerCase().includes(only ? '' : text));
  const containing = wanted && hits.name === settled ? all.filter(item => item.active && hits.found.has(item.id)) : [];
  return { named, containing, packageName: wanted, isLooking: only && hits.name !== `${wanted}*`, hits: hits.found };
}
