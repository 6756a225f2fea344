import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Age } from '../../components/age';
import { WarningMark } from '../../components/build-warnings';
import { IconButton, Link } from '../../components/buttons';
import { useLoaded } from '../../components/hooks';
import { type Action, openActions } from '../../components/menus';
import { StatusMark } from '../../components/status-mark';
import { clause } from '../../presentation/error-text';
import { duration, size } from '../../presentation/formats';
import { buildMark, tookSeconds } from '../../presentation/status';
import { isUnfinished } from '../../store/accessors';
import type { IBuild, IPackageChange } from '../../store/types';
import { changeWords } from '../specification/package-changes';
import { keepActions, KeptBadge } from './kept-packages';
import type { ITabProps } from './tab-props';

interface IBuildRowProps extends ITabProps {
  row: IBuild;
  /** The build that changes are told against. */
  before: IBuild | undefined;
  isFirst: boolean;
  isPicked: boolean;
  pick: () => void;
  compare: (first: number, second: number) => void;
}

/** One build, with what it changed, and a menu of what can be done with it. */
export function BuildRow(props: IBuildRowProps): React.ReactElement {
  const { row, before, trans, model, show } = props;
  const hasLock = row.package_count > 0;
  const diff = useLoaded(hasLock && before ? () => model.api.diff(before.id, row.id) : null, [row.id, before?.id, hasLock]);
  const took = duration(tookSeconds(row));
  const own = row.own_size ? trans.__('%1 own', size(row.own_size)) : '';
  const news = newsWords(props, diff.value);
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          checked={props.isPicked}
          disabled={!hasLock}
          aria-label={trans.__('Compare build %1', row.number)}
          onChange={props.pick}
        />
      </td>
      <th scope="row">
        <Link label={trans.__('Show build %1', row.number)} onClick={() => show({ tab: 'packages', build: row.id })}>
          {row.number}
        </Link>
      </th>
      <td>
        <BuildBadges {...props} />
        <div className="jp-mod-narrow jp-EnvStore-sub">
          {[row.created_by, took, own, news].filter(part => part).join(' · ')}
        </div>
      </td>
      <td className="jp-mod-wide">{row.created_by}</td>
      <td>
        <Age build={row} trans={trans} />
      </td>
      <td className="jp-mod-wide jp-EnvStore-number">{took}</td>
      <td className="jp-mod-wide jp-EnvStore-number" title={size(row.size)}>
        {own}
      </td>
      <td className="jp-mod-wide jp-EnvStore-sub">{news}</td>
      <td className="jp-EnvStore-rowButtons">
        <BuildRowButtons {...props} />
      </td>
    </tr>
  );
}

/** The status of a build, and what else is to be known of it. */
function BuildBadges({ row, model, trans }: IBuildRowProps): React.ReactElement {
  const status = buildMark(row, trans);
  return (
    <>
      <span className="jp-EnvStore-buildStatus">
        <StatusMark mark={status} /> {row.active ? trans.__('active') : status.words}
      </span>
      <WarningMark build={row} trans={trans} />
      {row.pinned && <span className="jp-EnvStore-badge">{trans.__('pinned')}</span>}
      <KeptBadge row={row} model={model} trans={trans} />
    </>
  );
}

/** What is done most often with a build of this status, and a menu of all that can be done. */
function BuildRowButtons(props: IBuildRowProps): React.ReactElement {
  const { row, trans, commands, place, item, show } = props;
  const args = { ...place, build: row.id };
  const may = item.permissions.includes('environment::update');
  return (
    <>
      {isUnfinished(row.status) && item.permissions.includes('build::cancel') && (
        <Link onClick={() => commands.execute(CommandIDs.cancel, { build: row.id })}>{trans.__('Cancel')}</Link>
      )}
      {row.packed_away && may && (
        <Link id={CommandIDs.restore} onClick={() => commands.execute(CommandIDs.restore, args)}>
          {trans.__('Bring back')}
        </Link>
      )}
      {row.status === 'COMPLETED' && !row.packed_away && !row.active && may && (
        <Link id={CommandIDs.makeActive} onClick={() => commands.execute(CommandIDs.makeActive, args)}>
          {trans.__('Make active')}
        </Link>
      )}
      <Link onClick={() => show({ tab: 'artifacts', build: row.id })}>{trans.__('Log')}</Link>
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('More for build %1', row.number)}
        onClick={event => openActions(buildActions(props), event.currentTarget)}
      />
    </>
  );
}

/** Say what a build changed, or why it failed, in a few words. */
function newsWords(props: IBuildRowProps, changes: readonly IPackageChange[] | undefined): string {
  const { row, before, isFirst, trans } = props;
  if (row.status === 'FAILED') {
    return clause(row.status_info ?? '');
  }
  if (before || !(isFirst || row.status === 'COMPLETED')) {
    return changeWords(changes, trans.__('the same packages'));
  }
  if (!isFirst) {
    return trans.__('first ready build');
  }
  return row.number === 1 ? trans.__('first build') : trans.__('oldest build that is kept');
}

/** Return what can be done with a build. */
function buildActions(props: IBuildRowProps): Action[] {
  const { row, trans, commands, place, item, show } = props;
  const hasLock = row.package_count > 0;
  const args = { ...place, build: row.id };
  const done = row.status === 'COMPLETED';
  const readOnly = item.permissions.includes('environment::update') ? undefined : trans.__('You can use it, but not change it');
  return [
    {
      label: trans.__('Compare with Active'),
      run: () => props.compare(row.id, item.current_build_id!),
      refused: row.active || !hasLock || !item.active ? trans.__('It is the active build, or there is nothing to compare') : undefined
    },
    {
      label: trans.__('Open Notebook with This Build'),
      run: () =>
        row.active
          ? commands.execute(CommandIDs.openNotebook, { ...place })
          : commands.execute(CommandIDs.openBuild, { build: row.id }),
      refused: done && !row.packed_away ? undefined : trans.__('It has no files on the server')
    },
    { label: trans.__('Edit as New Build'), run: () => show({ tab: 'specification', build: row.id }) },
    {
      label: trans.__('Clone…'),
      run: () => commands.execute(CommandIDs.clone, args),
      refused: done ? undefined : trans.__('It is not ready')
    },
    null,
    row.pinned
      ? { label: trans.__('Unpin'), run: () => commands.execute(CommandIDs.pin, { ...args, pinned: false }), refused: readOnly }
      : { label: trans.__('Never Pack Away (Pin)'), run: () => commands.execute(CommandIDs.pin, { ...args, pinned: true }), refused: readOnly ?? (done ? undefined : trans.__('It is not ready')) },
    ...keepActions(row, args, commands, trans, readOnly),
    {
      label: trans.__('Pack Away'),
      run: () => commands.execute(CommandIDs.packAway, args),
      refused: !item.permissions.includes('build::delete')
        ? trans.__('You can use it, but not change it')
        : row.active
          ? trans.__('It is the active build')
          : row.pinned
            ? trans.__('It is pinned')
            : done && !row.packed_away
              ? undefined
              : trans.__('It has no files to free')
    },
    {
      label: trans.__('Delete…'),
      run: () => commands.execute(CommandIDs.deleteBuild, { ...args, number: row.number }),
      refused: !item.permissions.includes('build::delete')
        ? trans.__('You can use it, but not change it')
        : row.active
          ? trans.__('It is the active build')
          : isUnfinished(row.status)
            ? trans.__('It is running. Cancel it first.')
            : undefined
    }
  ];
}
