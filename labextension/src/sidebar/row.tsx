import { addIcon, consoleIcon, ellipsesIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../commands';
import { KernelNote } from '../components/addkernel';
import { IconButton, type IProps, Link, Mark, TextButton } from '../components/basics';
import { Age, useClock } from '../components/clock';
import { useLoaded, useStale } from '../components/hooks';
import { openContextMenu } from '../components/menu';
import { ago, buildMark, builtOn, clause, duration, mark, moment, size, tookSeconds } from '../status';
import { placeOf } from '../model';
import type { IEnvironment } from '../types';
import { WarningMark } from '../components/warnings';

const SHOWN_BUILDS = 3;
const LONG = 16;
const TAIL = 7;

interface IRowProps extends IProps {
  rowKey: string;
  item: IEnvironment;
  place: number;
  of: number;
  /** What the filter looks for, to be set bold; null where it is shown because of a package that it contains. */
  words: string | null;
  /** The version of the package that was looked for, shown in place of language and age. */
  contains: string;
  isConnected: boolean;
  isOpened: boolean;
  tabIndex: number;
  onFocus: (key: string) => void;
  onOpen: (id: number) => void;
}

/** An environment; opened, it shows a card in place. Drawn again only when something of it changed. */
export const Row = React.memo(function Row(props: IRowProps): React.ReactElement {
  const { item, trans, commands, isOpened } = props;
  const [isHovered, setHovered] = React.useState(false);
  const [isFocused, setFocused] = React.useState(false);
  const status = mark(item, trans, props.isConnected);
  const build = item.current_build;
  const names = placeOf(item);
  const now = useClock();
  const at = builtOn(build);
  const language = item.kernels.length ? item.languages.join(' ') || trans.__('kernel') : '';
  const label = [
    item.name,
    status.words,
    build ? trans.__('build %1', build.number) : '',
    item.active && build?.warning_count ? trans._n('%1 warning', '%1 warnings', build.warning_count) : '',
    props.contains || language,
    at ? trans.__('built %1', ago(at, now, trans)) : '',
    trans.__('%1 of %2 in %3', props.place, props.of, names.namespace)
  ].filter(part => part);
  const failed = item.newest_build ?? item.current_build;
  const isLong = item.name.length > LONG && !props.words; // the ends of long names tell them apart
  const reason = item.newest_build_status === 'FAILED' ? clause(failed?.status_info ?? '') : '';
  return (
    <div
      role="treeitem"
      aria-level={2}
      aria-label={label.join(', ')}
      aria-selected={isOpened}
      aria-expanded={isOpened}
      aria-posinset={props.place}
      aria-setsize={props.of}
      data-key={props.rowKey}
      data-id={item.id}
      data-namespace={names.namespace}
      data-name={names.name}
      data-label={item.name}
      className="jp-EnvStore-environment"
      tabIndex={props.tabIndex}
      onFocus={event => {
        setFocused(true);
        if (event.target === event.currentTarget) {
          props.onFocus(props.rowKey);
        }
      }}
      onBlur={event => setFocused(event.currentTarget.contains(event.relatedTarget))}
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
    >
      <div
        className="jp-EnvStore-line"
        onClick={() => props.onOpen(item.id)}
        onDoubleClick={() => void commands.execute(CommandIDs.open, names)}
      >
        <Mark mark={status} />
        <span
          className={`jp-EnvStore-name ${isLong ? 'jp-mod-long' : ''}`}
          title={`${names.namespace}/${names.name}\n${item.description}`}
        >
          {isLong ? (
            <>
              <span className="jp-EnvStore-head">{item.name.slice(0, -TAIL)}</span>
              <span className="jp-EnvStore-tail">{item.name.slice(-TAIL)}</span>
            </>
          ) : (
            <Bold text={item.name} words={props.words ?? ''} />
          )}
          {props.words === null && <span className="jp-EnvStore-sub"> {names.namespace}</span>}
        </span>
        {item.active && <WarningMark build={build} trans={trans} />}
        <span className="jp-EnvStore-facts">
          {props.contains ? (
            <span className="jp-EnvStore-language" title={props.contains}>
              {props.contains}
            </span>
          ) : (
            <>
              <span className="jp-EnvStore-language" title={item.kernel_note ?? item.kernels.join(', ')}>
                {language}
              </span>
              <Age build={build} trans={trans} />
            </>
          )}
        </span>
        {(isHovered || isFocused) && <RowActions {...props} />}
      </div>
      {reason && !isOpened && (
        <div className="jp-EnvStore-reason" title={failed?.status_info ?? ''}>
          {reason}
        </div>
      )}
      {isOpened && <Card {...props} />}
    </div>
  );
});

/** What takes the place of language and age while the pointer or the focus is on a row. */
function RowActions(props: IRowProps): React.ReactElement {
  const { item, trans, commands } = props;
  const names = placeOf(item);
  return (
    <span className="jp-EnvStore-rowActions">
      <IconButton
        id={CommandIDs.openNotebook}
        commands={commands}
        icon={notebookIcon}
        label={trans.__('Open a notebook in %1', item.name)}
        disabled={!item.kernels.length}
        args={names}
        tabIndex={-1}
      />
      {item.permissions.includes('environment::update') && (
        <IconButton
          id={CommandIDs.addPackage}
          commands={commands}
          icon={addIcon}
          label={trans.__('Add a package to %1', item.name)}
          args={names}
          tabIndex={-1}
        />
      )}
      <IconButton
        id="envstore:row-menu"
        icon={ellipsesIcon}
        label={trans.__('More for %1', item.name)}
        onClick={event => openContextMenu(event.currentTarget)}
        tabIndex={-1}
      />
    </span>
  );
}

function Bold({ text, words }: { text: string; words: string }): React.ReactElement {
  const place = words ? text.toLowerCase().indexOf(words.toLowerCase()) : -1;
  return place < 0 ? (
    <>{text}</>
  ) : (
    <>
      {text.slice(0, place)}
      <b>{text.slice(place, place + words.length)}</b>
      {text.slice(place + words.length)}
    </>
  );
}

/** What matters of an environment, and what is done with it most. */
function Card(props: IRowProps): React.ReactElement {
  const { item, trans, commands, model } = props;
  const now = useClock();
  const names = placeOf(item);
  const build = item.current_build;
  const { value, reload } = useLoaded(() => model.api.builds(item.id, SHOWN_BUILDS), [item.id, item.newest_build_id]);
  useStale(model, null, reload);
  const inTab = (tab: string) => commands.execute(CommandIDs.open, { ...names, tab });
  const away = Boolean(item.active && build?.packed_away);
  return (
    <div className="jp-EnvStore-card" onClick={event => event.stopPropagation()}>
      {item.description && <div className="jp-EnvStore-description">{item.description}</div>}
      {build && item.active && (
        <>
          <div
            className="jp-EnvStore-sub"
            title={trans.__('%1 of its own; the rest is shared, with other builds or the package cache', size(build.own_size))}
          >
            {trans._n(
              'Build %2 · %1 package · %3',
              'Build %2 · %1 packages · %3',
              build.package_count,
              build.number,
              size(build.size).replace(' ', '\u00a0')
            )}
          </div>
          <div className="jp-EnvStore-sub" title={moment(builtOn(build))}>
            {trans.__(
              'Built %1 by %2, in %3',
              ago(builtOn(build), now, trans),
              build.created_by,
              duration(tookSeconds(build))
            )}
          </div>
        </>
      )}
      <KernelNote {...props} />
      <div className="jp-EnvStore-actions">
        {away ? (
          <TextButton primary needsServer id={CommandIDs.restore} onClick={() => commands.execute(CommandIDs.restore, names)}>
            {trans.__('Bring back')}
          </TextButton>
        ) : (
          <>
            {item.kernels.length > 0 && (
              <>
                <TextButton
                  primary
                  needsServer
                  id="envstore:card-notebook"
                  onClick={() => commands.execute(CommandIDs.openNotebook, names)}
                >
                  <notebookIcon.react tag="span" className="jp-EnvStore-buttonIcon" />
                  {trans.__('Notebook')}
                </TextButton>
                <TextButton needsServer id={CommandIDs.openConsole} onClick={() => commands.execute(CommandIDs.openConsole, names)}>
                  <consoleIcon.react tag="span" className="jp-EnvStore-buttonIcon" />
                  {trans.__('Console')}
                </TextButton>
              </>
            )}
          </>
        )}
        <TextButton id="envstore:card-open" onClick={() => commands.execute(CommandIDs.open, names)}>
          {trans.__('Open')}
        </TextButton>
      </div>
      <ul className="jp-EnvStore-lastBuilds" aria-label={trans.__('Last builds')}>
        {value?.builds.map(found => (
          <li key={found.id} className="jp-EnvStore-line">
            <Mark mark={buildMark(found, trans)} />
            <Link
              label={trans.__('Show the log of build %1', found.number)}
              onClick={() => commands.execute(CommandIDs.showLog, { ...names, build: found.id })}
            >
              {found.number}
            </Link>
            {found.active && <span className="jp-EnvStore-badge">{trans.__('active')}</span>}
            <span className="jp-EnvStore-name jp-EnvStore-sub" title={found.status_info ?? ''}>
              {found.status === 'FAILED' ? clause(found.status_info ?? '') : ''}
            </span>
            <Age build={found} trans={trans} />
          </li>
        ))}
      </ul>
      {value && value.count > SHOWN_BUILDS && (
        <Link onClick={() => inTab('builds')}>{trans.__('All %1 builds…', value.count)}</Link>
      )}
    </div>
  );
}
