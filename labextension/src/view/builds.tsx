import { InputDialog } from '@jupyterlab/apputils';
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../commands';
import { copy } from '../commands/context';
import { ErrorBox, IconButton, Link, Mark, Skeleton, TextButton } from '../components/basics';
import { Age } from '../components/clock';
import { useLoaded, useStale } from '../components/hooks';
import { type Action, openActions } from '../components/menu';
import { Table } from '../components/table';
import { WarningMark } from '../components/warnings';
import { isUnsettled } from '../model';
import { buildMark, clause, duration, size, tookSeconds } from '../status';
import type { IBuild, IPackageChange } from '../types';
import type { ITabProps } from './tab-props';
import { newestFirst } from './completer';
import { KeptBadge, keepActions } from './keeping';
import { Changes } from './preview';
import type { IShow } from './views';

const EXPLAINED = 10;

/** All builds of an environment; two of them compared. */
export function BuildsTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { model, trans, item } = props;
  const [picked, setPicked] = React.useState<number[]>([]);
  const [compared, setCompared] = React.useState<[number, number] | null>(props.asked.compare ?? null);
  React.useEffect(() => setCompared(props.asked.compare ?? null), [props.asked]);
  const { value, error, reload } = useLoaded(() => model.api.builds(item.id), [item.id, item.newest_build_id], `builds:${item.id}`);
  useStale(model, null, reload);
  const builds = value?.builds ?? [];
  if (compared) {
    return <Compare {...props} first={compared[0]} second={compared[1]} back={() => setCompared(null)} />;
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
  const pick = (id: number) =>
    setPicked(old => (old.includes(id) ? old.filter(other => other !== id) : [...old, id].slice(-2)));
  const compare = () => {
    const [first, second] = [...picked].sort((a, b) => a - b);
    if (first && second) {
      setCompared([first, second]);
    }
  };
  const names = [...picked].sort((a, b) => a - b).map(id => builds.find(build => build.id === id)?.number ?? '');
  return (
    <div
      className="jp-EnvStore-buildsTab"
      onKeyDown={event => {
        if (event.key.toLowerCase() === 'c' && picked.length === 2 && !event.ctrlKey && !event.metaKey) {
          compare();
        }
      }}
    >
      <Table columns={[
          { title: trans.__('Compare'), hidden: true },
          trans.__('Build'),
          trans.__('Status'),
          { title: trans.__('By'), wide: true },
          trans.__('When'),
          { title: trans.__('Took'), wide: true },
          { title: trans.__('Size'), wide: true },
          { title: trans.__('What changed'), wide: true },
          { title: trans.__('Actions'), hidden: true }
        ]}>
          {builds.map((build, place) => (
            <BuildRow
              key={build.id}
              {...props}
              row={build}
              before={place < EXPLAINED ? builds.slice(place + 1).find(other => other.package_count > 0) : undefined}
              isFirst={place === builds.length - 1}
              isPicked={picked.includes(build.id)}
              pick={() => pick(build.id)}
              compare={(first, second) => setCompared([first, second])}
            />
          ))}
        </Table>
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
          {picked.length === 2 ? trans.__('Compare %1 and %2', names[0], names[1]) : trans.__('Compare')}
        </TextButton>
        <Kept {...props} />
      </div>
    </div>
  );
}

/** How many builds are kept ready; changed by those who may. */
function Kept(props: ITabProps): React.ReactElement | null {
  const { model, trans, item, place } = props;
  const may = item.permissions.includes('setting::read');
  const { value, reload } = useLoaded(
    may ? () => model.api.settingsOf(place) : null,
    [place.namespace, place.name],
    `settings:${place.namespace}/${place.name}`
  );
  const [refused, setRefused] = React.useState('');
  const number = Number(value?.['retention_builds'] ?? 0);
  if (!value) {
    return null;
  }
  const change = async () => {
    const answer = await InputDialog.getNumber({
      title: trans.__('Builds of %1 that are kept ready', item.name),
      label: trans.__('Older ones are packed away: their lock stays, and brings them back. 0 keeps all.'),
      value: number,
      okLabel: trans.__('Change')
    });
    if (answer.button.accept && answer.value !== null) {
      setRefused('');
      await model.api
        .changeSettings({ retention_builds: answer.value }, place)
        .catch((reason: Error) => setRefused(reason.message));
      reload();
    }
  };
  return (
    <span className="jp-EnvStore-sub">
      {number === 0
        ? trans.__('All are kept ready')
        : trans._n('The newest %1 is kept ready', 'The newest %1 are kept ready', number)}{' '}
      {item.permissions.includes('setting::update') && (
        <Link id="envstore:change-kept" onClick={change}>
          {trans.__('Change…')}
        </Link>
      )}{' '}
      {refused && <span className="jp-EnvStore-error">{refused}</span>}
    </span>
  );
}

function BuildRow(
  props: ITabProps & {
    row: IBuild;
    before: IBuild | undefined;
    isFirst: boolean;
    isPicked: boolean;
    pick: () => void;
    compare: (first: number, second: number) => void;
  }
): React.ReactElement {
  const { row, before, trans, commands, place, item, model, show } = props;
  const hasLock = row.package_count > 0;
  const diff = useLoaded(hasLock && before ? () => model.api.diff(before.id, row.id) : null, [row.id, before?.id, hasLock]);
  const args = { ...place, build: row.id };
  const may = item.permissions.includes('environment::update');
  const status = buildMark(row, trans);
  const readOnly = may ? undefined : trans.__('You may use it, not change it');
  const done = row.status === 'COMPLETED';
  const took = duration(tookSeconds(row));
  const own = row.own_size ? trans.__('%1 own', size(row.own_size)) : '';
  const news =
    row.status === 'FAILED'
      ? clause(row.status_info ?? '')
      : !before && (props.isFirst || done)
        ? props.isFirst ? (row.number === 1 ? trans.__('first build') : trans.__('the oldest that is kept')) : trans.__('the first that is ready')
        : changeWords(diff.value, trans.__('the same packages'));
  const actions = (): Action[] => [
    {
      label: trans.__('Compare with Active'),
      run: () => props.compare(row.id, item.current_build_id!),
      refused: row.active || !hasLock || !item.active ? trans.__('It is the active one, or there is nothing to compare') : undefined
    },
    {
      label: trans.__('Open Notebook with This Build'),
      run: () =>
        row.active
          ? commands.execute(CommandIDs.openNotebook, { ...place })
          : commands.execute(CommandIDs.openBuild, { build: row.id }),
      refused: done && !row.packed_away ? undefined : trans.__('Its files are not there')
    },
    { label: trans.__('Edit as New Build'), run: () => show({ tab: 'specification', build: row.id }) },
    {
      label: trans.__('Clone…'),
      run: () => commands.execute(CommandIDs.clone, args),
      refused: done ? undefined : trans.__('It is not ready')
    },
    null,
    row.pinned
      ? { label: trans.__('Let It Be Packed Away'), run: () => commands.execute(CommandIDs.pin, { ...args, pinned: false }), refused: readOnly }
      : { label: trans.__('Never Pack Away (Pin)'), run: () => commands.execute(CommandIDs.pin, { ...args, pinned: true }), refused: readOnly ?? (done ? undefined : trans.__('It is not ready')) },
    ...keepActions(row, args, commands, trans, readOnly),
    {
      label: trans.__('Pack Away'),
      run: () => commands.execute(CommandIDs.packAway, args),
      refused: !item.permissions.includes('build::delete')
        ? trans.__('You may use it, not change it')
        : row.active
          ? trans.__('It is the active one')
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
        ? trans.__('You may use it, not change it')
        : row.active
          ? trans.__('It is the active one')
          : isUnsettled(row.status)
            ? trans.__('It runs; cancel it first')
            : undefined
    }
  ];
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
        <span className="jp-EnvStore-buildStatus">
          <Mark mark={status} /> {row.active ? trans.__('active') : status.words}
        </span>
        <WarningMark build={row} trans={trans} />
        {row.pinned && <span className="jp-EnvStore-badge">{trans.__('pinned')}</span>}
        <KeptBadge row={row} model={model} trans={trans} />
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
        {isUnsettled(row.status) && item.permissions.includes('build::cancel') && (
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
          onClick={event => openActions(actions(), event.currentTarget)}
        />
      </td>
    </tr>
  );
}

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

/** Two builds side by side: packages added, changed, removed; what was typed. */
function Compare(props: ITabProps & { first: number; second: number; back: () => void }): React.ReactElement {
  const { first, second, trans, model, item, place, commands } = props;
  const { value, error } = useLoaded(
    () => Promise.all([model.api.diff(first, second), model.api.build(first), model.api.build(second)]),
    [first, second],
    `compare:${first}:${second}`
  );
  if (error && !value) {
    return (
      <ErrorBox message={error.message}>
        <TextButton onClick={props.back}>{trans.__('Back')}</TextButton>
      </ErrorBox>
    );
  }
  if (!value) {
    return <Skeleton trans={trans} />;
  }
  const [changes, before, after] = value;
  const title = `${before.number} → ${after.number}`;
  const markdown = () =>
    [`**${place.namespace}/${place.name} ${title}**`, '', '| package | from | to |', '| --- | --- | --- |']
      .concat(changes.map(change => `| ${change.name} | ${change.from} | ${change.to} |`))
      .join('\n') + '\n';
  return (
    <section className="jp-EnvStore-compare" aria-label={trans.__('Builds compared')}>
      <div className="jp-EnvStore-bar">
        <h3>{title}</h3>
        <TextButton onClick={props.back}>{trans.__('All builds')}</TextButton>
        <TextButton onClick={() => copy(markdown(), trans.__('Copied'))}>{trans.__('Copy as Markdown')}</TextButton>
        {before.status === 'COMPLETED' && before.id !== item.current_build_id && item.permissions.includes('environment::update') && (
          <TextButton
            id="envstore:roll-back"
            onClick={() => commands.execute(CommandIDs.makeActive, { ...place, build: before.id })}
          >
            {trans.__('Roll back to %1', before.number)}
          </TextButton>
        )}
      </div>
      <Changes changes={changes} trans={trans} all />
      {before.exclude_newer !== after.exclude_newer && (
        <p>
          {[before, after]
            .map(build =>
              build.exclude_newer
                ? trans.__('Build %1 leaves out packages uploaded after %2.', build.number, build.exclude_newer)
                : trans.__('Build %1 takes packages of any date.', build.number)
            )
            .join(' ')}
        </p>
      )}
      {before.specification && after.specification && before.specification.text !== after.specification.text && (
        <>
          <h4>{trans.__('Specification')}</h4>
          <div className="jp-EnvStore-sideBySide">
            <LineDiff
              text={before.specification.text}
              other={after.specification.text}
              title={trans.__('Build %1', before.number)}
              kind="removed"
            />
            <LineDiff
              text={after.specification.text}
              other={before.specification.text}
              title={trans.__('Build %1', after.number)}
              kind="added"
            />
          </div>
        </>
      )}
    </section>
  );
}

function LineDiff(props: { text: string; other: string; title: string; kind: string }): React.ReactElement {
  const known = new Set(props.other.split('\n').map(line => line.trimEnd()));
  return (
    <figure>
      <figcaption className="jp-EnvStore-sub">{props.title}</figcaption>
      <pre tabIndex={0}>
        {props.text.split('\n').map((line, place) => (
          <div key={place} data-diff={known.has(line.trimEnd()) ? undefined : props.kind}>
            {line || ' '}
          </div>
        ))}
      </pre>
    </figure>
  );
}
