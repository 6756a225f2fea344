import { addIcon, ellipsesIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Age, useClock } from '../components/age';
import { WarningMark } from '../components/build-warnings';
import { IconButton } from '../components/buttons';
import { openContextMenu } from '../components/menus';
import type { IProps } from '../components/props';
import { StatusMark } from '../components/status-mark';
import { clause } from '../presentation/error-text';
import { ago } from '../presentation/formats';
import { builtOn, mark } from '../presentation/status';
import { placeOf } from '../store/accessors';
import type { IEnvironment } from '../store/types';
import { EnvironmentCard } from './environment-card';
const LONG = 16;
const TAIL = 7;

interface IRowProps extends IProps {
  rowKey: string;
  item: IEnvironment;
  place: number;
  of: number;
  /** The filter's text, which is shown in bold; null if the row is shown because of a package. */
  words: string | null;
  /** The version of the package that the filter found, shown in place of language and age. */
  contains: string;
  isConnected: boolean;
  isOpened: boolean;
  tabIndex: number;
  onFocus: (key: string) => void;
  onOpen: (id: number) => void;
}

/** The row of an environment; opened, it shows a card. It is rendered again only when it changed. */
export const EnvironmentRow = React.memo(function EnvironmentRow(props: IRowProps): React.ReactElement {
  const { item, trans, commands, isOpened } = props;
  const [isHovered, setHovered] = React.useState(false);
  const [isFocused, setFocused] = React.useState(false);
  const status = mark(item, trans, props.isConnected);
  const build = item.current_build;
  const names = placeOf(item);
  const now = useClock();
  const failed = item.newest_build ?? item.current_build;
  const reason = item.newest_build_status === 'FAILED' ? clause(failed?.status_info ?? '') : '';
  return (
    <div
      role="treeitem"
      aria-level={2}
      aria-label={rowLabel(props, status.words, now)}
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
        <StatusMark mark={status} />
        <RowName {...props} />
        {item.active && <WarningMark build={build} trans={trans} />}
        <RowFacts {...props} />
        {(isHovered || isFocused) && <RowActions {...props} />}
      </div>
      {reason && !isOpened && (
        <div className="jp-EnvStore-reason" title={failed?.status_info ?? ''}>
          {reason}
        </div>
      )}
      {isOpened && <EnvironmentCard {...props} />}
    </div>
  );
});

/** Return what a screen reader says of a row: `status` in words, and the facts that are shown beside the name. */
function rowLabel(props: IRowProps, status: string, now: Date): string {
  const { item, trans } = props;
  const build = item.current_build;
  const at = builtOn(build);
  return [
    item.name,
    status,
    build ? trans.__('build %1', build.number) : '',
    item.active && build?.warning_count ? trans._n('%1 warning', '%1 warnings', build.warning_count) : '',
    props.contains || languageOf(item, trans),
    at ? trans.__('built %1', ago(at, now, trans)) : '',
    trans.__('%1 of %2 in %3', props.place, props.of, item.namespace.name)
  ]
    .filter(part => part)
    .join(', ');
}

/** Return the languages of an environment's kernels; empty without a kernel. */
function languageOf(item: IEnvironment, trans: IProps['trans']): string {
  return item.kernels.length ? item.languages.join(' ') || trans.__('kernel') : '';
}

/** The name of an environment: what matches the filter is bold, and a long name is shortened before its end. */
function RowName(props: IRowProps): React.ReactElement {
  const { item } = props;
  const { namespace, name } = placeOf(item);
  const isLong = item.name.length > LONG && !props.words; // the ends of long names tell them apart
  return (
    <span
      className={`jp-EnvStore-name ${isLong ? 'jp-mod-long' : ''}`}
      title={`${namespace}/${name}\n${item.description}`}
    >
      {isLong ? (
        <>
          <span className="jp-EnvStore-head">{item.name.slice(0, -TAIL)}</span>
          <span className="jp-EnvStore-tail">{item.name.slice(-TAIL)}</span>
        </>
      ) : (
        <Bold text={item.name} words={props.words ?? ''} />
      )}
      {props.words === null && <span className="jp-EnvStore-sub"> {namespace}</span>}
    </span>
  );
}

/** Language and age of an environment, or the package that the filter found. */
function RowFacts(props: IRowProps): React.ReactElement {
  const { item, trans } = props;
  return (
    <span className="jp-EnvStore-facts">
      {props.contains ? (
        <span className="jp-EnvStore-language" title={props.contains}>
          {props.contains}
        </span>
      ) : (
        <>
          <span className="jp-EnvStore-language" title={item.kernel_note ?? item.kernels.join(', ')}>
            {languageOf(item, trans)}
          </span>
          <Age build={item.current_build} trans={trans} />
        </>
      )}
    </span>
  );
}

/** The buttons that replace language and age while the pointer or the focus is on a row. */
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
