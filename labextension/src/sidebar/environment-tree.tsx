import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import type { IProps } from '../components/props';
import { copy } from '../lab/clipboard';
import { placeOf } from '../store/model';
import type { IEnvironment, IPlace } from '../store/types';
import { containsWords, type IFound } from './environment-filter';
import { EnvironmentRow } from './environment-row';
import { NamespaceGroup } from './namespace-group';
import { WindowedRows } from './windowed-rows';

const TYPE_AHEAD = 700;
const SOON = 150;
const FIRST_USE = '[data-testid="envstore:card-notebook"]';

interface ITreeProps extends IProps {
  innerRef: React.RefObject<HTMLDivElement>;
  found: IFound;
  filter: string;
  closed: ReadonlySet<string>;
  toggle: (namespace: string) => void;
  clear: () => void;
}

/** Environments in groups, one for each namespace; one tab stop, moved through by arrow keys. */
export function EnvironmentTree(props: ITreeProps): React.ReactElement {
  const { model, found, filter, trans, commands, closed, toggle, innerRef } = props;
  const [opened, setOpened] = React.useState<number | null>(null);
  const [focused, setFocused] = React.useState<string>('');
  const [wanted, setWanted] = React.useState<string>('');
  const typed = React.useRef({ text: '', at: 0 });
  const groups = grouped(found.named, filter ? [] : model.namespaces.slice(0, 1), filter ? [] : model.namespaces.slice(1));
  const nothing = groups.size === 0 && found.containing.length === 0 && !found.isLooking;
  const keys = [
    ...[...groups].flatMap(([name, items]) => [
      `group:${name}`,
      ...(closed.has(name) ? [] : items.length ? items.map(item => `item:${item.id}`) : [`empty:${name}`])
    ]),
    ...found.containing.map(item => `hit:${item.id}`)
  ];
  const stop = keys.includes(focused) ? focused : keys.find(key => !/^(group|empty):/.test(key)) ?? keys[0];

  const labels = new Map([...model.environments].map(item => [item.id, item.name]));
  const labelOf = (key: string) =>
    key.startsWith('group:') ? key.slice('group:'.length) : labels.get(Number(key.split(':')[1])) ?? '';
  const focusRow = (place: number) => setWanted(keys[Math.min(Math.max(place, 0), keys.length - 1)] ?? '');
  React.useEffect(() => {
    if (wanted) {
      innerRef.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted)}"]`)?.focus();
      setWanted('');
    }
  }, [wanted, innerRef]);
  const lastPlace = React.useRef(-1);
  React.useEffect(() => {
    const place = keys.indexOf(focused);
    if (place < 0 && lastPlace.current >= 0 && document.activeElement === document.body) {
      focusRow(lastPlace.current); // the row was deleted: the next one takes its place
    }
    lastPlace.current = place;
  }, [keys.join(' '), focused]);
  React.useEffect(() => {
    const slot = (_: unknown, place: IPlace) => {
      const item = model.find(place);
      if (item) {
        setOpened(item.id);
        window.setTimeout(() => {
          const panel = innerRef.current?.closest('.jp-EnvStore-panel');
          const active = document.activeElement;
          if (panel && (active === document.body || panel.contains(active))) {
            // who types elsewhere meanwhile goes on
            const row = panel.querySelector<HTMLElement>(`[data-key="item:${item.id}"]`);
            (row?.querySelector<HTMLElement>(FIRST_USE) ?? row)?.focus();
          }
        }, SOON);
      }
    };
    model.revealed.connect(slot);
    return () => {
      model.revealed.disconnect(slot);
    };
  }, [model, innerRef]);
  const onFocus = React.useCallback((key: string) => setFocused(key), []);
  const onOpen = React.useCallback((id: number) => setOpened(old => (old === id ? null : id)), []);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const row = event.target as HTMLElement;
    if (row.getAttribute('role') !== 'treeitem') {
      if (event.key === 'Escape') {
        row.closest<HTMLElement>('[role=treeitem]')?.focus();
        event.stopPropagation();
      }
      return;
    }
    const place = keys.indexOf(row.dataset.key ?? '');
    const group = row.dataset.group;
    const empty = row.dataset.empty;
    const id = row.dataset.id ? Number(row.dataset.id) : null;
    const item = model.environments.find(other => other.id === id);
    const names = item && placeOf(item);
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
          focusRow(keys.length - 1);
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
          } else if (item || empty !== undefined) {
            setWanted(`group:${item?.namespace.name ?? empty}`);
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
          } else if (empty !== undefined) {
            void commands.execute(CommandIDs.create, { namespace: empty });
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
          return run(CommandIDs.remove, () =>
            window.setTimeout(() => innerRef.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus(), SOON)
          );
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
        const later = [...keys.slice(place + (text.length > 1 ? 0 : 1)), ...keys.slice(0, place + 1)];
        setWanted(later.find(key => labelOf(key).toLowerCase().startsWith(text)) ?? '');
        return true;
      }
      return false;
    };
    const run = (command: string, after?: () => void): boolean => {
      if (names && commands.isEnabled(command, names)) {
        void commands.execute(command, names).then(after);
      } else if (names) {
        Notification.info(commands.caption(command, names) || trans.__('That cannot be done here.'), { autoClose: 5000 });
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
  const draw = (kind: 'item' | 'hit', of: number) => (item: IEnvironment, place: number) => {
    const key = `${kind}:${item.id}`;
    return (
      <EnvironmentRow
        key={key}
        rowKey={key}
        model={model}
        commands={commands}
        trans={trans}
        item={item}
        place={place + 1}
        of={of}
        words={kind === 'hit' ? null : filter.trim()}
        contains={kind === 'hit' ? containsWords(found.hits.get(item.id) ?? [], found.packageName) : ''}
        isConnected={model.isConnected}
        isOpened={opened === item.id && (kind === 'item' || !found.named.includes(item))}
        tabIndex={stop === key ? 0 : -1}
        onFocus={onFocus}
        onOpen={onOpen}
      />
    );
  };
  const rowsOf = (items: readonly IEnvironment[], kind: 'item' | 'hit') => (
    <WindowedRows
      items={items}
      keep={item => [stop, wanted].includes(`${kind}:${item.id}`) || opened === item.id}
      draw={draw(kind, items.length)}
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
        <NamespaceGroup
          key={name}
          {...props}
          name={name}
          items={items}
          isClosed={closed.has(name)}
          tabIndex={stop === `group:${name}` ? 0 : -1}
          emptyTabIndex={stop === `empty:${name}` ? 0 : -1}
          onFocus={onFocus}
        >
          {rowsOf(items, 'item')}
        </NamespaceGroup>
      ))}
      {found.containing.length > 0 && (
        <div role="group" aria-label={trans.__('Contain %1', found.packageName)}>
          <div className="jp-EnvStore-namespace">{trans.__('Contain %1', found.packageName)}</div>
          {rowsOf(found.containing, 'hit')}
        </div>
      )}
    </div>
  );
}

/** Return environments by namespace; `first` comes first, and it and `others` stand there where they hold nothing too. */
function grouped(items: readonly IEnvironment[], first: string[], others: string[]): Map<string, IEnvironment[]> {
  const groups = new Map<string, IEnvironment[]>(first.map(name => [name, []]));
  for (const name of [...new Set([...others, ...items.map(item => item.namespace.name)])].sort()) {
    if (!groups.has(name)) {
      groups.set(name, []);
    }
  }
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
