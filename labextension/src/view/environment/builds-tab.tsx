import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useLoaded, useStale } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import { Table } from '../../components/table';
import type { IBuild } from '../../store/types';
import type { IShow } from '../shared/view-types';
import { BuildComparison } from './build-comparison';
import { BuildRow } from './build-row';
import { RetentionSetting } from './retention-setting';
import type { ITabProps } from './tab-props';

const EXPLAINED = 10;

/** All builds of an environment; two of them compared. */
export function BuildsTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { model, trans, item } = props;
  const [picked, pick] = usePickedBuilds();
  const [compared, setCompared] = React.useState<[number, number] | null>(props.asked.compare ?? null);
  React.useEffect(() => setCompared(props.asked.compare ?? null), [props.asked]);
  const { value, error, reload } = useLoaded(() => model.api.builds(item.id), [item.id, item.newest_build_id], `builds:${item.id}`);
  useStale(model, null, reload);
  const builds = value?.builds ?? [];
  if (compared) {
    return <BuildComparison {...props} first={compared[0]} second={compared[1]} back={() => setCompared(null)} />;
  }
  if (error && !value) {
    return (
      <ErrorBox message={error.message}>
        <TextButton onClick={reload}>{trans.__('Try again')}</TextButton>
      </ErrorBox>
    );
  }
  if (!value) {
    return <Skeleton trans={trans} />;
  }
  const [first, second] = [...picked].sort((a, b) => a - b);
  const compare = () => {
    if (first && second) {
      setCompared([first, second]);
    }
  };
  const numberOf = (id: number | undefined) => builds.find(build => build.id === id)?.number ?? '';
  return (
    <div
      className="jp-EnvStore-buildsTab"
      onKeyDown={event => {
        if (event.key.toLowerCase() === 'c' && picked.length === 2 && !event.ctrlKey && !event.metaKey) {
          compare();
        }
      }}
    >
      <BuildTable {...props} builds={builds} picked={picked} pick={pick} compare={setCompared} />
      {value.count > builds.length && (
        <p className="jp-EnvStore-sub">{trans.__('The newest %1 of %2 builds.', builds.length, value.count)}</p>
      )}
      <div className="jp-EnvStore-actions">
        <TextButton
          id={CommandIDs.compare}
          disabled={picked.length !== 2}
          title={trans.__('Tick two builds first')}
          onClick={compare}
        >
          {picked.length === 2 ? trans.__('Compare %1 and %2', numberOf(first), numberOf(second)) : trans.__('Compare')}
        </TextButton>
        <RetentionSetting {...props} />
      </div>
    </div>
  );
}

/** The two builds that were ticked last, and how one is ticked or left out again. */
function usePickedBuilds(): [readonly number[], (id: number) => void] {
  const [picked, setPicked] = React.useState<number[]>([]);
  const pick = (id: number) =>
    setPicked(old => (old.includes(id) ? old.filter(other => other !== id) : [...old, id].slice(-2)));
  return [picked, pick];
}

/** The builds, the newest first. */
function BuildTable(
  props: ITabProps & {
    builds: readonly IBuild[];
    /** Ids of the builds that are ticked. */
    picked: readonly number[];
    pick: (id: number) => void;
    compare: (ids: [number, number]) => void;
  }
): React.ReactElement {
  const { trans, builds, picked, pick, compare } = props;
  const columns = [
    { title: trans.__('Compare'), hidden: true },
    trans.__('Build'),
    trans.__('Status'),
    { title: trans.__('By'), wide: true },
    trans.__('When'),
    { title: trans.__('Took'), wide: true },
    { title: trans.__('Size'), wide: true },
    { title: trans.__('What changed'), wide: true },
    { title: trans.__('Actions'), hidden: true }
  ];
  return (
    <Table columns={columns}>
      {builds.map((build, place) => (
        <BuildRow
          key={build.id}
          {...props}
          row={build}
          before={place < EXPLAINED ? builds.slice(place + 1).find(other => other.package_count > 0) : undefined}
          isFirst={place === builds.length - 1}
          isPicked={picked.includes(build.id)}
          pick={() => pick(build.id)}
          compare={(first, second) => compare([first, second])}
        />
      ))}
    </Table>
  );
}
