import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import type { IProps } from '../components/props';
import { isEnvironmentName } from '../store/environment-names';
import type { IEnvironment, IPlace } from '../store/types';
import { containsWords, type IFound } from './environment-filter';
import { EnvironmentRow } from './environment-row';
import { NamespaceGroup } from './namespace-group';
import { handleTreeKey } from './tree-keys';
import { WindowedRows } from './windowed-rows';

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

/** The tree of environments, grouped by namespace: one tab stop, with arrow keys between rows. */
export function EnvironmentTree(props: ITreeProps): React.ReactElement {
  const { model, found, filter, trans, closed, toggle, innerRef } = props;
  const [opened, setOpened] = React.useState<number | null>(null);
  const typed = React.useRef({ text: '', at: 0 });
  const groups = grouped(found.named, filter ? [] : model.namespaces.slice(0, 1), filter ? [] : model.namespaces.slice(1));
  const nothing = groups.size === 0 && found.containing.length === 0 && !found.isLooking;
  const keys = rowKeys(groups, found, closed);
  const focus = useTreeFocus(keys, innerRef);
  useRevealed(props, setOpened);
  const onOpen = React.useCallback((id: number) => setOpened(old => (old === id ? null : id)), []);
  const onKeyDown = (event: React.KeyboardEvent) =>
    handleTreeKey(event, props, {
      keys,
      labelOf: key => labelOf(key, model.environments),
      closed,
      opened,
      setOpened,
      toggle,
      focusKey: focus.focusKey,
      focusPlace: focus.focusPlace,
      focusAgain: () => innerRef.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus(),
      typed
    });

  if (nothing) {
    return <NoMatch {...props} />;
  }
  const rows = { ...props, focus, opened, onOpen };
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
          tabIndex={focus.stop === `group:${name}` ? 0 : -1}
          emptyTabIndex={focus.stop === `empty:${name}` ? 0 : -1}
          onFocus={focus.onFocus}
        >
          <EnvironmentRows {...rows} items={items} kind="item" />
        </NamespaceGroup>
      ))}
      {found.containing.length > 0 && (
        <div role="group" aria-label={trans.__('Contain %1', found.packageName)}>
          <div className="jp-EnvStore-namespace">{trans.__('Contain %1', found.packageName)}</div>
          <EnvironmentRows {...rows} items={found.containing} kind="hit" />
        </div>
      )}
    </div>
  );
}

/** The rows of environments: those of a namespace, or those that contain the package that is filtered for. */
function EnvironmentRows(
  props: ITreeProps & {
    items: readonly IEnvironment[];
    kind: 'item' | 'hit';
    focus: ITreeFocus;
    /** Id of the environment whose card is open. */
    opened: number | null;
    onOpen: (id: number) => void;
  }
): React.ReactElement {
  const { model, commands, trans, found, items, kind, focus, opened } = props;
  const isHit = kind === 'hit';
  return (
    <WindowedRows
      items={items}
      keep={item => [focus.stop, focus.wanted].includes(`${kind}:${item.id}`) || opened === item.id}
      draw={(item, place) => {
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
            of={items.length}
            words={isHit ? null : props.filter.trim()}
            contains={isHit ? containsWords(found.hits.get(item.id) ?? [], found.packageName) : ''}
            isConnected={model.isConnected}
            isOpened={opened === item.id && !(isHit && found.named.includes(item))}
            tabIndex={focus.stop === key ? 0 : -1}
            onFocus={focus.onFocus}
            onOpen={props.onOpen}
          />
        );
      }}
    />
  );
}

/** Return the keys of all rows that are shown, in their order. */
function rowKeys(groups: ReadonlyMap<string, IEnvironment[]>, found: IFound, closed: ReadonlySet<string>): string[] {
  return [
    ...[...groups].flatMap(([name, items]) => [
      `group:${name}`,
      ...(closed.has(name) ? [] : items.length ? items.map(item => `item:${item.id}`) : [`empty:${name}`])
    ]),
    ...found.containing.map(item => `hit:${item.id}`)
  ];
}

/** Return the name that a row is found by when it is typed. */
function labelOf(key: string, environments: readonly IEnvironment[]): string {
  const [kind, of] = key.split(':');
  return kind === 'group' ? key.slice('group:'.length) : environments.find(item => item.id === Number(of))?.name ?? '';
}

/** What has the focus in the tree, and how it goes to another row. */
interface ITreeFocus {
  /** The row that Tab goes to. */
  stop: string | undefined;
  /** The row that gets the focus once it is drawn; empty without one. */
  wanted: string;
  focusKey: (key: string) => void;
  focusPlace: (place: number) => void;
  onFocus: (key: string) => void;
}

/** Keep one row as the tab stop; where its row was deleted, the next one takes its place. */
function useTreeFocus(keys: readonly string[], innerRef: React.RefObject<HTMLDivElement>): ITreeFocus {
  const [focused, setFocused] = React.useState<string>('');
  const [wanted, setWanted] = React.useState<string>('');
  const focusPlace = (place: number) => setWanted(keys[Math.min(Math.max(place, 0), keys.length - 1)] ?? '');
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
      focusPlace(lastPlace.current); // the row was deleted: the next one takes its place
    }
    lastPlace.current = place;
  }, [keys.join(' '), focused]);
  const onFocus = React.useCallback((key: string) => setFocused(key), []);
  const stop = keys.includes(focused) ? focused : keys.find(key => !/^(group|empty):/.test(key)) ?? keys[0];
  return { stop, wanted, focusKey: setWanted, focusPlace, onFocus };
}

/** Open the card of an environment that shall be shown, and give it the focus where nobody types elsewhere. */
function useRevealed({ model, innerRef }: ITreeProps, setOpened: (id: number) => void): void {
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
}

/** That the filter finds nothing, and what can be done. */
function NoMatch(props: ITreeProps): React.ReactElement {
  const { model, trans, commands, filter } = props;
  const name = filter.trim();
  return (
    <div className="jp-EnvStore-note" ref={props.innerRef} role="status">
      {trans.__('No environment matches “%1”.', name)}{' '}
      {isEnvironmentName(name) && model.writable.length > 0 && (
        <Link onClick={() => commands.execute(CommandIDs.create, { name })}>{trans.__('Create “%1”', name)}</Link>
      )}{' '}
      <Link onClick={props.clear}>{trans.__('Clear filter')}</Link>
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
