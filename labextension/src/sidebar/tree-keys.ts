import { Notification } from '@jupyterlab/apputils';
import type * as React from 'react';
import { CommandIDs } from '../command-ids';
import type { IProps } from '../components/props';
import { copy } from '../lab/clipboard';
import { placeOf } from '../store/accessors';
import type { IEnvironment, IPlace } from '../store/types';

const TYPE_AHEAD = 700;
const SOON = 150;

/** The tree as its keys see it. */
export interface ITreeState {
  /** The keys of the rows, in their order: `group:`, `empty:`, `item:` or `hit:`, and what the row is of. */
  keys: readonly string[];
  /** Return the name that a row is found by when it is typed. */
  labelOf: (key: string) => string;
  /** Namespaces that are closed. */
  closed: ReadonlySet<string>;
  /** Id of the environment whose card is open. */
  opened: number | null;
  setOpened: (id: number | null) => void;
  /** Open or close a namespace. */
  toggle: (namespace: string) => void;
  /** Give the row of a key the focus, once it is drawn. */
  focusKey: (key: string) => void;
  /** Give the row at a place the focus; the first or last one where there is none. */
  focusPlace: (place: number) => void;
  /** Give the focus back to the row that had it. */
  focusAgain: () => void;
  /** What was typed to find a row, and when. */
  typed: React.MutableRefObject<{ text: string; at: number }>;
}

/** The row that has the focus, and what it is of. */
interface IFocusedRow {
  node: HTMLElement;
  place: number;
  /** The namespace, in a row that is one. */
  group: string | undefined;
  /** The namespace that holds nothing, in a row that says so. */
  empty: string | undefined;
  item: IEnvironment | undefined;
  names: IPlace | undefined;
}

/** Do what a key is for in the tree; other keys are left to the page. */
export function handleTreeKey(event: React.KeyboardEvent, props: IProps, tree: ITreeState): void {
  const node = event.target as HTMLElement;
  if (node.getAttribute('role') !== 'treeitem') {
    if (event.key === 'Escape') {
      node.closest<HTMLElement>('[role=treeitem]')?.focus();
      event.stopPropagation();
    }
    return;
  }
  const id = node.dataset.id ? Number(node.dataset.id) : null;
  const item = props.model.environments.find(other => other.id === id);
  const row: IFocusedRow = {
    node,
    place: tree.keys.indexOf(node.dataset.key ?? ''),
    group: node.dataset.group,
    empty: node.dataset.empty,
    item,
    names: item && placeOf(item)
  };
  if (move(event, row, tree) || act(event, row, props, tree) || typeAhead(event, row, tree)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Go to another row, or open and close one; false for other keys. */
function move(event: React.KeyboardEvent, row: IFocusedRow, tree: ITreeState): boolean {
  const { place, group, empty, item } = row;
  switch (event.key) {
    case 'ArrowDown':
      tree.focusPlace(place + 1);
      return true;
    case 'ArrowUp':
      tree.focusPlace(place - 1);
      return true;
    case 'Home':
      tree.focusPlace(0);
      return true;
    case 'End':
      tree.focusPlace(tree.keys.length - 1);
      return true;
    case 'ArrowRight':
      if (group !== undefined && tree.closed.has(group)) {
        tree.toggle(group);
      } else if (group !== undefined || (item && tree.opened === item.id)) {
        tree.focusPlace(place + 1);
      } else if (item) {
        tree.setOpened(item.id);
      }
      return true;
    case 'ArrowLeft':
      if (group !== undefined) {
        if (!tree.closed.has(group)) {
          tree.toggle(group);
        }
      } else if (item && tree.opened === item.id) {
        tree.setOpened(null);
      } else if (item || empty !== undefined) {
        tree.focusKey(`group:${item?.namespace.name ?? empty}`);
      }
      return true;
    case 'Escape':
      tree.setOpened(null);
      return true;
    case ' ':
      if (group !== undefined) {
        tree.toggle(group);
      } else if (item) {
        tree.setOpened(tree.opened === item.id ? null : item.id);
      }
      return true;
    default:
      return false;
  }
}

/** Do something with what a row is of; false for other keys. */
function act(event: React.KeyboardEvent, row: IFocusedRow, props: IProps, tree: ITreeState): boolean {
  const { commands, trans } = props;
  const { node, group, empty, names } = row;
  switch (event.key) {
    case 'Enter':
      if (names) {
        void commands.execute(hasControl(event) ? CommandIDs.openNotebook : CommandIDs.open, names);
      } else if (group !== undefined) {
        tree.toggle(group);
      } else if (empty !== undefined) {
        void commands.execute(CommandIDs.create, { namespace: empty });
      }
      return true;
    case 'ContextMenu':
    case 'F10': {
      if (event.key === 'F10' && !event.shiftKey) {
        return false;
      }
      const box = node.getBoundingClientRect(); // Lab ignores the browser's own event while Shift is held
      const at = { bubbles: true, cancelable: true, clientX: box.left + 24, clientY: box.top + 24 };
      node.dispatchEvent(new MouseEvent('contextmenu', at));
      return true;
    }
    case 'F2':
      return run(CommandIDs.describe, names, props);
    case 'Delete':
      return run(CommandIDs.remove, names, props, () => window.setTimeout(tree.focusAgain, SOON));
    case 'c':
      if (hasControl(event) && names) {
        const name = `${names.namespace}/${names.name}`;
        void copy(name, trans.__('Copied %1', name));
        return true;
      }
      return false;
    default:
      return false;
  }
}

/** Go to the next row whose name begins with what is typed; false for keys that write nothing. */
function typeAhead(event: React.KeyboardEvent, row: IFocusedRow, tree: ITreeState): boolean {
  const { keys, typed } = tree;
  if (event.key.length !== 1 || hasControl(event) || event.altKey || event.key === '/') {
    return false;
  }
  const now = Date.now();
  const text = (now - typed.current.at < TYPE_AHEAD ? typed.current.text : '') + event.key.toLowerCase();
  typed.current = { text, at: now };
  const later = [...keys.slice(row.place + (text.length > 1 ? 0 : 1)), ...keys.slice(0, row.place + 1)];
  tree.focusKey(later.find(key => tree.labelOf(key).toLowerCase().startsWith(text)) ?? '');
  return true;
}

/** Run a command about an environment, or say why it cannot be done. */
function run(command: string, names: IPlace | undefined, props: IProps, after?: () => void): boolean {
  const { commands, trans } = props;
  if (names && commands.isEnabled(command, names)) {
    void commands.execute(command, names).then(after);
  } else if (names) {
    Notification.info(commands.caption(command, names) || trans.__('That cannot be done here.'), { autoClose: 5000 });
  }
  return true;
}

function hasControl(event: React.KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey;
}
