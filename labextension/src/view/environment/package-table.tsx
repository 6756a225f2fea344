import * as React from 'react';
import { Table } from '../../components/table';
import type { IContent } from '../../store/types';
import { specOf } from '../specification/requirements';
import { PackageRow } from './package-row';
import type { ITabProps } from './tab-props';

/** The packages of a build, one row for each. */
export function PackageTable(
  props: ITabProps & {
    shown: readonly IContent[];
    /** All packages of the build. */
    contents: readonly IContent[];
    /** The version that each package would get, by name, in a column of its own; null leaves the column out. */
    newer: ReadonlyMap<string, string> | null;
    editable: boolean;
    /** Packages that are staged to be removed. */
    removed: readonly string[];
    stage: (add: string[], remove: string[]) => void;
    /** Told whether the row of a package asks for something. */
    asks: (name: string, isAsking: boolean) => void;
  }
): React.ReactElement {
  const { trans, shown, newer, removed, asks } = props;
  const columns = [
    trans.__('Package'),
    trans.__('Version'),
    ...(newer ? [trans.__('Update')] : []),
    { title: trans.__('From'), wide: true },
    { title: trans.__('Size'), wide: true },
    { title: trans.__('Why'), wide: true },
    { title: trans.__('Actions'), hidden: true }
  ];
  return (
    <Table columns={columns}>
      {shown.map((found, place) => (
        <PackageRow
          key={`${found.manager}/${found.name}`}
          {...props}
          found={found}
          update={newer ? (newer.get(found.name) ?? '') : null}
          isFirst={place === 0}
          removed={removed.includes(specOf(found))}
          asks={isAsking => asks(found.name, isAsking)}
        />
      ))}
    </Table>
  );
}
