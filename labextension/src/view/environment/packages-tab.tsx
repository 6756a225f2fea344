import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { NoteBox } from '../../components/note-box';
import { Skeleton } from '../../components/skeleton';
import { isUnfinished } from '../../store/accessors';
import type { IContent } from '../../store/types';
import type { IShow } from '../shared/view-types';
import { DateNote } from '../specification/date-note';
import { PackageSearch } from '../specification/package-search';
import { specOf } from '../specification/requirements';
import { PackageTable } from './package-table';
import { PackageUpdates } from './package-updates';
import { StagedChangesBox } from './staged-changes-box';
import type { ITabProps } from './tab-props';
import { type IListedPackages, type Listing, useListedPackages } from './use-listed-packages';
import { type IPackageChanges, type IStagedProps, usePackageChanges } from './use-package-changes';

/** What the shown build has; packages added, changed and removed without YAML. */
export function PackagesTab(props: ITabProps & IStagedProps & { asked: IShow }): React.ReactElement {
  const { trans, build, staged } = props;
  const changes = usePackageChanges(props);
  const found = useListedPackages(props, changes.excludeNewer);
  const { listing, newer, editable } = found;
  const contents = found.contents.value ?? [];
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
        {editable && <AddPackages {...props} contents={contents} stage={changes.stage} />}
        <FilterField ref={field} found={found} trans={trans} />
        <ListingChoice found={found} trans={trans} />
      </div>
      {build.exclude_newer && !found.isLockfile && <BuildDate {...props} changes={changes} editable={editable} />}
      {changes.count > 0 && (
        <StagedChangesBox {...props} changes={changes} contents={contents} onDiscarded={() => field.current?.focus()} />
      )}
      <NoPackages {...props} found={found} />
      {listing === 'updates' && <PackageUpdates {...props} {...found} changes={changes} />}
      {found.isLoading && <Skeleton trans={trans} />}
      {found.shown.length > 0 && (
        <PackageTable
          {...props}
          shown={found.shown}
          contents={contents}
          newer={listing === 'updates' ? newer : null}
          editable={editable}
          removed={staged.remove}
          stage={changes.stage}
          asks={found.asks}
        />
      )}
      {found.contents.value && found.shown.length === 0 && listing !== 'updates' && (
        <p className="jp-EnvStore-note">{trans.__('No package matches.')}</p>
      )}
    </div>
  );
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

/** The field that filters packages by their names. */
const FilterField = React.forwardRef<HTMLInputElement, { found: IListedPackages; trans: ITabProps['trans'] }>(
  function FilterField({ found, trans }, ref): React.ReactElement {
    return (
      <input
        ref={ref}
        className="jp-mod-styled"
        type="search"
        placeholder={trans.__('Filter packages')}
        aria-label={trans.__('Filter packages')}
        value={found.filter}
        onChange={event => found.setFilter(event.target.value)}
      />
    );
  }
);

/** Radio buttons for what is listed. */
function ListingChoice({ found, trans }: { found: IListedPackages; trans: ITabProps['trans'] }): React.ReactElement {
  const radios = React.useId();
  const { contents, updates, newer, editable, listing, choose } = found;
  const titles: readonly (readonly [Listing, string])[] = [
    ['asked', trans.__('Asked for %1', found.askedFor ?? '')],
    ['all', trans.__('All %1', contents.value?.length ?? '')],
    ...(editable ? [['updates', trans.__('Updates %1', updates.value ? newer.size : '')] as const] : [])
  ];
  return (
    <div role="radiogroup" aria-label={trans.__('Which packages')} className="jp-EnvStore-radios">
      {titles.map(([name, words]) => (
        <label key={name}>
          <input type="radio" name={radios} checked={listing === name} onChange={() => choose(name)} />
          {words}
        </label>
      ))}
    </div>
  );
}

/** Why packages cannot be changed, or are not there. */
function NoPackages(props: ITabProps & { found: IListedPackages }): React.ReactElement {
  const { trans, build, found } = props;
  const { contents } = found;
  return (
    <>
      {found.isLockfile && (
        <p className="jp-EnvStore-sub">
          {trans.__('This build was made from a lockfile. To change packages, start from a specification.')}
        </p>
      )}
      {!found.hasLock && (
        <p className="jp-EnvStore-sub">
          {isUnfinished(build.status) ? trans.__('This build has no packages yet.') : trans.__('This build has no packages.')}
        </p>
      )}
      {contents.error && !contents.value && (
        <ErrorBox message={contents.error.message}>
          <TextButton onClick={contents.reload}>{trans.__('Try again')}</TextButton>
        </ErrorBox>
      )}
    </>
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
