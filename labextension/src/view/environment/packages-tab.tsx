import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useTyped } from '../../components/field-hooks';
import { type ILoaded, useLoaded } from '../../components/hooks';
import { NoteBox } from '../../components/note-box';
import { Skeleton } from '../../components/skeleton';
import { isUnfinished } from '../../store/accessors';
import type { IContent, ISolved } from '../../store/types';
import type { IShow } from '../shared/view-types';
import { DateNote } from '../specification/date-note';
import { PackageSearch } from '../specification/package-search';
import { specOf } from '../specification/requirements';
import { PackageTable } from './package-table';
import { PackageUpdates } from './package-updates';
import { StagedChangesBox } from './staged-changes-box';
import type { ITabProps } from './tab-props';
import { type IPackageChanges, type IStagedProps, usePackageChanges } from './use-package-changes';

/** Which packages are listed: those that the specification asks for, all of them, or those with a newer version. */
type Listing = 'asked' | 'all' | 'updates';

/** What the shown build has; packages added, changed and removed without YAML. */
export function PackagesTab(props: ITabProps & IStagedProps & { asked: IShow }): React.ReactElement {
  const { trans, model, item, build, staged } = props;
  const [listing, setListing] = React.useState<Listing>('asked');
  const [filter, setFilter] = useTyped('filter');
  /** Names of packages whose row asks for something: they are shown whatever is filtered. */
  const [asking, setAsking] = React.useState<ReadonlySet<string>>(new Set());
  const hasLock = build.status === 'COMPLETED' || build.package_count > 0;
  const contents = useLoaded(hasLock ? () => model.api.contents(build.id) : null, [build.id, build.status], `contents:${build.id}`);
  const isLock = build.specification?.is_lockfile ?? false;
  const editable = item.permissions.includes('environment::update') && Boolean(build.specification?.text) && !isLock;
  const changes = usePackageChanges(props);
  const { updates, newer, setLastIndex } = useUpdates(props, listing === 'updates' && editable, changes.excludeNewer);
  const isAsked = (found: IContent) => found.requested !== null || isLock;
  const shown = (contents.value ?? []).filter(
    found =>
      asking.has(found.name) ||
      ((listing !== 'asked' || isAsked(found)) &&
        (listing !== 'updates' || newer.has(found.name)) &&
        found.name.toLowerCase().includes(filter.trim().toLowerCase()))
  );
  const field = React.useRef<HTMLInputElement>(null);
  return (
    <div
      className="jp-EnvStore-packages"
      onKeyDown={event => {
        if (event.key === '/' && !(event.target instanceof HTMLInputElement)) {
          field.current?.focus();
          event.preventDefault();
        }
      }}
    >
      <div className="jp-EnvStore-bar">
        {editable && <AddPackages {...props} contents={contents.value ?? []} stage={changes.stage} />}
        <input
          ref={field}
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Filter packages')}
          aria-label={trans.__('Filter packages')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
        <ListingChoice
          trans={trans}
          listing={listing}
          choose={setListing}
          titles={[
            ['asked', trans.__('Asked for %1', contents.value?.filter(isAsked).length ?? '')],
            ['all', trans.__('All %1', contents.value?.length ?? '')],
            ...(editable ? [['updates', trans.__('Updates %1', updates.value ? newer.size : '')] as const] : [])
          ]}
        />
      </div>
      {build.exclude_newer && !isLock && <BuildDate {...props} changes={changes} editable={editable} />}
      {changes.count > 0 && (
        <StagedChangesBox
          {...props}
          changes={changes}
          contents={contents.value ?? []}
          onDiscarded={() => field.current?.focus()}
        />
      )}
      {isLock && (
        <p className="jp-EnvStore-sub">
          {trans.__('This build was made from a lockfile. To change packages, start from a specification.')}
        </p>
      )}
      {!hasLock && (
        <p className="jp-EnvStore-sub">
          {isUnfinished(build.status) ? trans.__('This build has no packages yet.') : trans.__('This build has no packages.')}
        </p>
      )}
      {contents.error && !contents.value && (
        <ErrorBox message={contents.error.message}>
          <TextButton onClick={contents.reload}>{trans.__('Try again')}</TextButton>
        </ErrorBox>
      )}
      {listing === 'updates' && (
        <PackageUpdates
          {...props}
          updates={updates}
          newer={newer}
          changes={changes}
          takeLast={() => setLastIndex(true)}
          again={() => {
            setLastIndex(false);
            updates.reload();
          }}
        />
      )}
      {hasLock && !contents.value && !contents.error && <Skeleton trans={trans} />}
      {shown.length > 0 && (
        <PackageTable
          {...props}
          shown={shown}
          contents={contents.value ?? []}
          newer={listing === 'updates' ? newer : null}
          editable={editable}
          removed={staged.remove}
          stage={changes.stage}
          asks={(name, isAsking) =>
            setAsking(old => new Set([...old].filter(other => other !== name).concat(isAsking ? name : [])))
          }
        />
      )}
      {contents.value && shown.length === 0 && listing !== 'updates' && (
        <p className="jp-EnvStore-note">{trans.__('No package matches.')}</p>
      )}
    </div>
  );
}

/** Find out which packages have a newer version that fits the specification. */
function useUpdates(
  props: ITabProps,
  enabled: boolean,
  excludeNewer: string | null
): { updates: ILoaded<ISolved>; newer: ReadonlyMap<string, string>; setLastIndex: (last: boolean) => void } {
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
  return { updates, newer, setLastIndex };
}

/** The field that adds packages; what the specification asks for already is not added again. */
function AddPackages(
  props: ITabProps & {
    asked: IShow;
    staged: IStagedProps['staged'];
    contents: readonly IContent[];
    stage: IPackageChanges['stage'];
  }
): React.ReactElement {
  const { trans, build, staged, contents, stage } = props;
  const [known, setKnown] = React.useState<IContent | null>(null);
  const add = (specs: string[]) => {
    const thereAs = (spec: string) =>
      contents.find(
        found => found.requested !== null && specOf(found) === spec.toLowerCase() && !staged.remove.includes(specOf(found))
      );
    const wanted = specs.filter(spec => !thereAs(spec));
    setKnown(specs.map(thereAs).find(found => found) ?? null);
    if (wanted.length > 0) {
      stage(wanted, []);
    }
  };
  return (
    <>
      <PackageSearch {...props} specification={build.specification?.text ?? ''} onAdd={add} />
      {known && (
        <span role="status" className="jp-EnvStore-sub">
          {trans.__('%1 is already in the specification: %2', known.name, known.requested ?? '')}
        </span>
      )}
    </>
  );
}

/** Radio buttons for what is listed. */
function ListingChoice(props: {
  trans: ITabProps['trans'];
  listing: Listing;
  choose: (listing: Listing) => void;
  titles: readonly (readonly [Listing, string])[];
}): React.ReactElement {
  const radios = React.useId();
  return (
    <div role="radiogroup" aria-label={props.trans.__('Which packages')} className="jp-EnvStore-radios">
      {props.titles.map(([name, words]) => (
        <label key={name}>
          <input type="radio" name={radios} checked={props.listing === name} onChange={() => props.choose(name)} />
          {words}
        </label>
      ))}
    </div>
  );
}

/** The date from which packages are left out of this build, and whether the next build has it too. */
function BuildDate(props: ITabProps & { changes: IPackageChanges; editable: boolean }): React.ReactElement {
  const { trans, build, changes, editable } = props;
  return (
    <NoteBox label={trans.__('Date of the packages')}>
      <DateNote
        dated={build.exclude_newer ?? ''}
        source={trans.__('build %1', build.number)}
        takesNewer={editable && changes.liftsDate}
        trans={trans}
        {...(editable ? { setTakesNewer: changes.takeNewer } : {})}
      />
    </NoteBox>
  );
}
