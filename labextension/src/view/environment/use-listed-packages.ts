import * as React from 'react';
import { useTyped } from '../../components/field-hooks';
import { type ILoaded, useLoaded } from '../../components/hooks';
import type { IContent, ISolved } from '../../store/types';
import type { ITabProps } from './tab-props';

/** Which packages are listed: those that the specification asks for, all of them, or those with a newer version. */
export type Listing = 'asked' | 'all' | 'updates';

/** The packages of a build, and those of them that are listed. */
export interface IListedPackages extends IUpdates {
  contents: ILoaded<IContent[]>;
  /** Whether the build has packages. */
  hasLock: boolean;
  isLockfile: boolean;
  /** Whether the user may change them: then they are those of a specification. */
  editable: boolean;
  /** Whether they are being loaded for the first time. */
  isLoading: boolean;
  /** How many packages the specification asks for; undefined until that is known. */
  askedFor: number | undefined;
  listing: Listing;
  choose: (listing: Listing) => void;
  filter: string;
  setFilter: (filter: string) => void;
  shown: readonly IContent[];
  /** Told whether the row of a package asks for something: then it is shown whatever is filtered. */
  asks: (name: string, isAsking: boolean) => void;
}

/** Load the packages of a build, and list what the user chooses of them. */
export function useListedPackages(props: ITabProps, excludeNewer: string | null): IListedPackages {
  const { model, item, build } = props;
  const [listing, choose] = React.useState<Listing>('asked');
  const [filter, setFilter] = useTyped('filter');
  const [asking, setAsking] = React.useState<ReadonlySet<string>>(new Set());
  const hasLock = build.status === 'COMPLETED' || build.package_count > 0;
  const contents = useLoaded(hasLock ? () => model.api.contents(build.id) : null, [build.id, build.status], `contents:${build.id}`);
  const isLockfile = build.specification?.is_lockfile ?? false;
  const editable = item.permissions.includes('environment::update') && Boolean(build.specification?.text) && !isLockfile;
  const updates = useUpdates(props, listing === 'updates' && editable, excludeNewer);
  const isAsked = (found: IContent) => found.requested !== null || isLockfile;
  const shown = (contents.value ?? []).filter(
    found =>
      asking.has(found.name) ||
      ((listing !== 'asked' || isAsked(found)) &&
        (listing !== 'updates' || updates.newer.has(found.name)) &&
        found.name.toLowerCase().includes(filter.trim().toLowerCase()))
  );
  return {
    ...{ contents, hasLock, isLockfile, editable, listing, choose, filter, setFilter, shown },
    ...updates,
    isLoading: hasLock && !contents.value && !contents.error,
    askedFor: contents.value?.filter(isAsked).length,
    asks: (name, isAsking) =>
      setAsking(old => new Set([...old].filter(other => other !== name).concat(isAsking ? name : [])))
  };
}

/** The packages that have a newer version. */
interface IUpdates {
  updates: ILoaded<ISolved>;
  /** The version that each package would get, by name. */
  newer: ReadonlyMap<string, string>;
  /** Look again, with the channels' indexes as they were read last. */
  takeLast: () => void;
  again: () => void;
}

/** Find out which packages have a newer version that fits the specification. */
function useUpdates(props: ITabProps, enabled: boolean, excludeNewer: string | null): IUpdates {
  const { model, build, place } = props;
  const [lastIndex, setLastIndex] = React.useState(false);
  const text = build.specification?.text ?? '';
  const updates = useLoaded(
    enabled ? () => model.api.solve(text, place, { lastIndex, excludeNewer }) : null,
    [enabled, build.id, lastIndex, excludeNewer]
  );
  const newer = new Map(
    (updates.value?.changes ?? []).filter(change => change.change === 'changed').map(change => [change.name, change.to])
  );
  const again = () => {
    setLastIndex(false);
    updates.reload();
  };
  return { updates, newer, takeLast: () => setLastIndex(true), again };
}
