import { addIcon, caretDownIcon, caretRightIcon, lockIcon, usersIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { IconButton, Link } from '../components/buttons';
import type { IProps } from '../components/props';
import type { IEnvironment } from '../store/types';

interface IGroupProps extends IProps {
  name: string;
  items: IEnvironment[];
  isClosed: boolean;
  tabIndex: number;
  emptyTabIndex: number;
  toggle: (namespace: string) => void;
  onFocus: (key: string) => void;
}

/** A namespace: a row that opens and closes what is in it. */
export function NamespaceGroup(props: IGroupProps & { children: React.ReactNode }): React.ReactElement {
  const { name, items, isClosed } = props;
  return (
    <>
      <NamespaceRow {...props} />
      {!isClosed && (
        <div role="group" aria-label={name}>
          {props.children}
          {items.length === 0 && <EmptyRow {...props} />}
        </div>
      )}
    </>
  );
}

/** The row of a namespace: whose it is, who else has a role in it, and how many environments it has. */
function NamespaceRow(props: IGroupProps): React.ReactElement {
  const { name, items, isClosed, trans, model, commands } = props;
  const own = model.permissions?.primary_namespace === name;
  const writable = model.writable.includes(name);
  const Caret = isClosed ? caretRightIcon : caretDownIcon;
  return (
    <div
      role="treeitem"
      aria-level={1}
      aria-expanded={!isClosed}
      aria-selected={false}
      aria-label={trans._n('Namespace %2, %1 environment', 'Namespace %2, %1 environments', items.length, namespaceLabel(props, own, writable))}
      className="jp-EnvStore-namespace"
      data-key={`group:${name}`}
      data-group={name}
      data-namespace={name}
      data-label={name}
      tabIndex={props.tabIndex}
      onFocus={() => props.onFocus(`group:${name}`)}
      onClick={() => props.toggle(name)}
    >
      <Caret.react tag="span" className="jp-EnvStore-caret" />
      <span className="jp-EnvStore-name" title={name}>
        {name}
        {own && <span className="jp-EnvStore-you"> {trans.__('(you)')}</span>}
      </span>
      {!writable && (
        <span className="jp-EnvStore-lock" title={trans.__('You can use these environments, but not change them')}>
          <lockIcon.react tag="span" height="12px" width="12px" />
        </span>
      )}
      <MembersButton {...props} />
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
  );
}

/** Return what a screen reader says of a namespace: whose it is, or that its environments can only be used. */
function namespaceLabel({ name, trans }: IGroupProps, own: boolean, writable: boolean): string {
  if (own) {
    return trans.__('%1, yours', name);
  }
  return writable ? name : trans.__('%1, you can use these environments, but not change them', name);
}

/** How many others have a role in the namespace; it opens what shows them. */
function MembersButton(props: IGroupProps): React.ReactElement | null {
  const { name, items, trans, commands } = props;
  const members = items[0]?.namespace.members ?? 0;
  return members === 0 ? null : (
    <button
      type="button"
      className="jp-EnvStore-members"
      data-testid="envstore:members"
      tabIndex={-1}
      title={trans._n('%1 other has a role here', '%1 others have a role here', members)}
      aria-label={trans._n('%1 other has a role in %2', '%1 others have a role in %2', members, name)}
      onClick={event => {
        event.stopPropagation();
        void commands.execute(CommandIDs.open, { namespace: name, name: items[0]!.name, tab: 'access' });
      }}
    >
      <usersIcon.react tag="span" height="12px" width="12px" />
      {members}
    </button>
  );
}

/** The row that stands in a namespace without environments. */
function EmptyRow(props: IGroupProps): React.ReactElement {
  const { name, trans, commands } = props;
  return (
    <div
      role="treeitem"
      aria-level={2}
      aria-selected={false}
      className="jp-EnvStore-note"
      data-key={`empty:${name}`}
      data-empty={name}
      data-namespace={name}
      tabIndex={props.emptyTabIndex}
      onFocus={() => props.onFocus(`empty:${name}`)}
    >
      {trans.__('Nothing here yet')}{' '}
      <Link onClick={() => commands.execute(CommandIDs.create, { namespace: name })}>
        {trans.__('New…')}
      </Link>
    </div>
  );
}
