import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { useCommitPending } from '../../components/field-hooks';
import type { ILoaded } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import type { ISolved } from '../../store/types';
import { IndexFrom } from '../specification/preview';
import { SolveError } from '../specification/solve-error';
import type { ITabProps } from './tab-props';
import type { IPackageChanges } from './use-package-changes';

/** What is said above the list of updates: whether there are any, and a button that builds them. */
export function PackageUpdates(
  props: ITabProps & {
    updates: ILoaded<ISolved>;
    /** The version that each package would get, by name. */
    newer: ReadonlyMap<string, string>;
    changes: IPackageChanges;
    /** Look again, with the channels' indexes as they were read last. */
    takeLast: () => void;
    again: () => void;
  }
): React.ReactElement {
  const { trans, updates, newer } = props;
  return (
    <>
      {!updates.value && !updates.error && <Skeleton trans={trans} rows={3} />}
      {updates.error && (
        <SolveError
          {...props}
          error={updates.error}
          takeLast={props.takeLast}
          again={props.again}
        />
      )}
      {updates.value && !updates.error && <IndexFrom solved={updates.value} trans={trans} />}
      {updates.value && newer.size === 0 && (
        <p role="status">{trans.__('No newer packages fit the specification.')}</p>
      )}
      {updates.value && newer.size > 0 && <BuildUpdates {...props} />}
    </>
  );
}

/** A button that builds the newest packages that fit, with the changes that are staged. */
function BuildUpdates(props: ITabProps & { changes: IPackageChanges }): React.ReactElement {
  const { trans, build, show, changes } = props;
  const commitPending = useCommitPending();
  const make = async () => {
    if (!(await commitPending())) {
      return;
    }
    if (changes.isChangedNow()) {
      await changes.make(); // with the newest that fits, too
      return;
    }
    const made = await props.commands.execute(CommandIDs.rebuild, { ...props.place, build: build.id });
    if (made) {
      show({ tab: 'artifacts', build: Number(made), isNew: true });
    }
  };
  return (
    <p className="jp-EnvStore-actions">
      <TextButton
        primary
        needsServer
        id="envstore:build-updates"
        onClick={make}
      >
        {changes.count > 0
          ? trans._n('Build with the updates and %1 change', 'Build with the updates and %1 changes', changes.count)
          : trans.__('Build with the updates')}
      </TextButton>
      {changes.count === 0 && (
        <span className="jp-EnvStore-sub">
          {trans.__('The specification is not changed. The newest packages that fit it are installed.')}
        </span>
      )}
    </p>
  );
}
