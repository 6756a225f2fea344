import { caretDownIcon, caretRightIcon, addIcon, lockIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { copy } from '../commands/context';
import { CommandIDs } from '../commands';
import { IconButton, type IProps, Link } from '../components/basics';
import type { IEnvironment } from '../types';
import type { IFound } from './filter';
import { Row } from './row';

const TYPE_AHEAD = 700;

interface ITreeProps extends IProps {
  innerRef: React.RefObject<HTMLDivElement>;
  found: IFound;
  filter: string;
  closed: ReadonlySet<string>;
  toggle: (namespace: string) => void;
  clear: () => void;
}

/** Environments in groups, one for each namespace; one tab stop, moved through by arrow keys. */
export function Tree(props: ITreeProps): React.ReactElement {
  const { model, found, filter, trans, commands, closed, toggle, innerRef } = props;
  const [opened, setOpened] = React.useState<number | null>(null);
  const [focused, setFocused] = React.useState<string>('');
  const typed = React.useRef({ text: '', at: 0 });
  const own = model.permissions?.primary_namespace;
  const hasEmpty = !filter && own !== undefined && model.writable.includes(own);
  const groups = grouped(found.named, hasEmpty ? [own] : []);
  const nothing = groups.size === 0 && found.containing.length === 0;
  const keys = [
    ...[...groups].flatMap(([name, items]) => [
      `group:${name}`,
      ...(closed.has(name) ? [] : items.map(item => `item:${item.id}`))
    ]),
    ...found.containing.map(item => `hit:${item.id}`)
  ];
  const stop = keys.includes(focused) ? focused : keys.find(key => !key.startsWith('group:')) ?? keys[0];

  const rows = () => Array.from(innerRef.current?.querySelectorAll<HTMLElement>('[role=treeitem]') ?? []);
  const focusRow = (place: number) => {
    const all = rows();
    all[Math.min(Math.max(place, 0), all.length - 1)]?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const row = event.target as HTMLElement;
    if (row.getAttribute('role') !== 'treeitem') {
      if (event.key === 'Escape') {
        row.closest<HTMLElement>('[role=treeitem]')?.focus();
        event.stopPropagation();
      }
      return;
    }
    const all = rows();
    const place = all.indexOf(row);
    const group = row.dataset.group;
    const id = row.dataset.id ? Number(row.dataset.id) : null;
    const item = model.environments.find(other => other.id === id);
    const names = item && { namespace: item.namespace.name, name: item.name };
    const withControl = event.ctrlKey || event.metaKey;
    const act = (): boolean => {
      switch (event.key) {
        case 'ArrowDown':
          focusRow(place + 1);
          return true;
        case 'ArrowUp':
          focusRow(place - 1);
          return true;
        case 'Home':
          focusRow(0);
          return true;
        case 'End':
          focusRow(all.length - 1);
          return true;
        case 'ArrowRight':
          if (group !== undefined && closed.has(group)) {
            toggle(group);
          } else if (group !== undefined || (item && opened === item.id)) {
            focusRow(place + 1);
          } else if (item) {
            setOpened(item.id);
          }
          return true;
        case 'ArrowLeft':
          if (group !== undefined) {
            if (!closed.has(group)) {
              toggle(group);
            }
          } else if (item && opened === item.id) {
            setOpened(null);
          } else if (item) {
            all.find(other => other.dataset.group === item.namespace.name)?.focus();
          }
          return true;
        case 'Escape':
          setOpened(null);
          return true;
        case ' ':
          if (group !== undefined) {
            toggle(group);
          } else if (item) {
            setOpened(opened === item.id ? null : item.id);
          }
          return true;
        case 'Enter':
          if (names) {
            void commands.execute(withControl ? CommandIDs.openNotebook : CommandIDs.open, names);
          } else if (group !== undefined) {
            toggle(group);
          }
          return true;
        case 'ContextMenu':
        case 'F10': {
          if (event.key === 'F10' && !event.shiftKey) {
            return false;
          }
          const box = row.getBoundingClientRect(); // Lab ignores the browser's own event while Shift is held
          const at = { bubbles: true, cancelable: true, clientX: box.left + 24, clientY: box.top + 24 };
          row.dispatchEvent(new MouseEvent('contextmenu', at));
          return true;
        }
        case 'F2':
          return run(CommandIDs.describe);
        case 'Delete':
          return run(CommandIDs.remove, () => focusRow(Math.min(place, rows().length - 1)));
        case 'c':
          if (withControl && names) {
            const name = `${names.namespace}/${names.name}`;
            void copy(name, trans.__('Copied %1', name));
            return true;
          }
      }
      if (event.key.length === 1 && !withControl && !event.altKey && event.key !== '/') {
        const now = Date.now();
        const text = (now - typed.current.at < TYPE_AHEAD ? typed.current.text : '') + event.key.toLowerCase();
        typed.current = { text, at: now };
        const later = [...all.slice(place + (text.length > 1 ? 0 : 1)), ...all.slice(0, place + 1)];
        later.find(other => other.dataset.label?.toLowerCase().startsWith(text))?.focus();
        return true;
      }
      return false;
    };
    const run = (command: string, after?: () => void): boolean => {
      if (names && commands.isEnabled(command, names)) {
        void commands.execute(command, names).then(after);
      }
      return true;
    };
    if (act()) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  if (nothing) {
    const name = filter.trim();
    const valid = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/.test(name);
    return (
      <div className="jp-EnvStore-note" ref={innerRef} role="status">
        {trans.__('No environment matches “%1”.', name)}{' '}
        {valid && model.writable.length > 0 && (
          <Link onClick={() => commands.execute(CommandIDs.create, { name })}>{trans.__('Create “%1”', name)}</Link>
        )}{' '}
        <Link onClick={props.clear}>{trans.__('Clear filter')}</Link>
      </div>
    );
  }
  const row = (item: IEnvironment, kind: string, place: number, of: number) => (
    <Row
      key={`${kind}:${item.id}`}
      {...props}
      item={item}
      place={place}
      of={of}
      hit={kind === 'hit'}
      words={kind === 'hit' ? '' : filter.trim()}
      isOpened={opened === item.id && (kind === 'item' || !found.named.includes(item))}
      tabIndex={stop === `${kind}:${item.id}` ? 0 : -1}
      onFocus={() => setFocused(`${kind}:${item.id}`)}
      onOpen={() => setOpened(opened === item.id ? null : item.id)}
    />
  );
  return (
    <div
      ref={innerRef}
      role="tree"
      aria-label={trans.__('Environments')}
      className="jp-EnvStore-tree"
      onKeyDown={onKeyDown}
    >
      {[...groups].map(([name, items]) => (
        <Group
          key={name}
          {...props}
          name={name}
          items={items}
          isClosed={closed.has(name)}
          tabIndex={stop === `group:${name}` ? 0 : -1}
          onFocus={() => setFocused(`group:${name}`)}
        >
          {items.map((item, place) => row(item, 'item', place + 1, items.length))}
        </Group>
      ))}
      {found.containing.length > 0 && (
        <div role="group" aria-label={trans.__('Contain %1', found.packageName)}>
          <div className="jp-EnvStore-namespace">{trans.__('Contain %1', found.packageName)}</div>
          {found.containing.map((item, place) => row(item, 'hit', place + 1, found.containing.length))}
        </div>
      )}
    </div>
  );
}

/** Return environments by namespace; `first` come first, also where they hold nothing. */
function grouped(items: readonly IEnvironment[], first: string[]): Map<string, IEnvironment[]> {
  const groups = new Map<string, IEnvironment[]>(first.map(name => [name, []]));
  for (const item of items) {
    const list = groups.get(item.namespace.name);
    if (list) {
      list.push(item);
    } else {
      groups.set(item.namespace.name, [item]);
    }
  }
  return groups;
}

/** A namespace: a row that opens and closes what is in it. */
function Group(
  props: IProps & {
    name: string;
    items: IEnvironment[];
    isClosed: boolean;
    tabIndex: number;
    toggle: (namespace: string) => void;
    onFocus: () => void;
    children: React.ReactNode;
  }
): React.ReactElement {
  const { name, items, isClosed, trans, model, commands } = props;
  const own = model.permissions?.primary_namespace === name;
  const writable = model.writable.includes(name);
  const Caret = isClosed ? caretRightIcon : caretDownIcon;
  const label = own
    ? trans.__('%1, yours', name)
    : writable
      ? name
      : trans.__('%1, you can use these, not change them', name);
  return (
    <>
      <div
        role="treeitem"
        aria-level={1}
        aria-expanded={!isClosed}
        aria-selected={false}
        aria-label={trans.__('Namespace %1, %2 environments', label, items.length)}
        className="jp-EnvStore-namespace"
        data-group={name}
        data-namespace={name}
        data-label={name}
        tabIndex={props.tabIndex}
        onFocus={props.onFocus}
        onClick={() => props.toggle(name)}
      >
        <Caret.react tag="span" className="jp-EnvStore-caret" />
        <span className="jp-EnvStore-name" title={name}>
          {name}
          {own && <span className="jp-EnvStore-you"> {trans.__('(you)')}</span>}
        </span>
        {!writable && (
          <span className="jp-EnvStore-lock" title={trans.__('You can use these, not change them')}>
            <lockIcon.react tag="span" height="12px" width="12px" />
          </span>
        )}
        <span className="jp-EnvStore-count">{items.length}</span>
        {writable && (
          <IconButton
            id={CommandIDs.create}
            commands={commands}
            className="jp-mod-onHover"
            icon={addIcon}
            label={trans.__('New environment in %1', name)}
            args={{ namespace: name }}
            tabIndex={-1}
          />
        )}
      </div>
      {!isClosed && (
        <div role="group" aria-label={name}>
          {props.children}
          {items.length === 0 && (
            <div className="jp-EnvStore-note">
              {trans.__('Nothing here yet')}{' '}
              <Link onClick={() => commands.execute(CommandIDs.create, { namespace: name })}>
                {trans.__('New…')}
              </Link>
            </div>
          )}
        </div>
      )}
    </>
  );
}
