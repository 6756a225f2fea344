import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useTyped } from '../../components/field-hooks';
import { type ILoaded, useLoaded } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import { Table } from '../../components/table';
import { artifactWords } from '../../presentation/artifacts';
import { day } from '../../presentation/formats';
import type { INamespaceRole, Role } from '../../store/types';
import type { ITabProps } from './tab-props';

const ROLES: readonly Role[] = ['viewer', 'developer', 'admin'];

/** Who may do what in the namespace, the rules that hold, and the user's own tokens. */
export function AccessTab(props: ITabProps): React.ReactElement {
  return (
    <div className="jp-EnvStore-access">
      <Members {...props} />
      <Policy {...props} />
      <Tokens {...props} />
    </div>
  );
}

function Members(props: ITabProps): React.ReactElement {
  const { model, trans, item, place } = props;
  const may = item.permissions.includes('namespace-role-mapping::update');
  const members = useLoaded(() => model.api.members(place.namespace), [place.namespace], `members:${place.namespace}`);
  const { value, reload } = members;
  const [refused, setRefused] = React.useState('');
  const change = async (other: string, next: Role | null, isNew = false) => {
    setRefused('');
    try {
      await model.api.setMember(place.namespace, other, next, isNew);
      return true;
    } catch (reason) {
      setRefused((reason as Error).message);
      return false;
    } finally {
      reload();
    }
  };
  return (
    <section aria-label={trans.__('Members')}>
      <h3>{trans.__('Members of %1', place.namespace)}</h3>
      <NotYet loaded={members} trans={trans} />
      {value && value.length === 0 && (
        <p className="jp-EnvStore-sub">{trans.__('Only its owner, and people named in the configuration, can see it.')}</p>
      )}
      {value && value.length > 0 && (
        <Table columns={[trans.__('Name'), trans.__('Role'), { title: trans.__('Actions'), hidden: true }]}>
          {value.map(member => (
            <MemberRow key={member.id} member={member} may={may} change={change} trans={trans} />
          ))}
        </Table>
      )}
      {value && may && <AddMember trans={trans} add={(other, role) => change(other, role, true)} />}
      {value && !may && <p className="jp-EnvStore-sub">{whoMayChange(place.namespace, value, trans)}</p>}
      {refused && <ErrorBox message={refused} />}
    </section>
  );
}

/** A member and their role, which an admin can change or take away. */
function MemberRow(props: {
  member: INamespaceRole;
  /** Whether the user may change it. */
  may: boolean;
  /** Give the member another role; null takes it away. */
  change: (other: string, role: Role | null) => Promise<boolean>;
  trans: ITabProps['trans'];
}): React.ReactElement {
  const { member, may, change, trans } = props;
  return (
    <tr>
      <th scope="row">{member.other_namespace}</th>
      <td>
        {may ? (
          <select
            aria-label={trans.__('Role of %1', member.other_namespace)}
            value={member.role === 'editor' ? 'developer' : member.role}
            onChange={event => void change(member.other_namespace, event.target.value as Role)}
          >
            {ROLES.map(known => (
              <option key={known}>{known}</option>
            ))}
          </select>
        ) : (
          member.role
        )}
      </td>
      <td>
        {may && (
          <Link
            label={trans.__('Remove %1', member.other_namespace)}
            onClick={() => change(member.other_namespace, null)}
          >
            {trans.__('Remove')}
          </Link>
        )}
      </td>
    </tr>
  );
}

/** Say who can change the members of a namespace. */
function whoMayChange(namespace: string, members: readonly INamespaceRole[], trans: ITabProps['trans']): string {
  const admins = members.filter(member => member.role === 'admin').map(member => member.other_namespace);
  return admins.length
    ? trans.__('Only admins of %1 can change this: %2.', namespace, admins.join(', '))
    : trans.__('Only admins of %1 can change this: its owner, and people named in the configuration.', namespace);
}

/** A form that gives the user of another namespace a role in this one. */
function AddMember(props: {
  trans: ITabProps['trans'];
  /** Add a member; false where that was refused. */
  add: (other: string, role: Role) => Promise<boolean>;
}): React.ReactElement {
  const { trans } = props;
  const [name, setName] = useTyped('member');
  const [role, setRole] = React.useState<Role>('viewer');
  const add = async () => {
    if (await props.add(name.trim(), role)) {
      setName(''); // what is typed is no other's business
    }
  };
  return (
    <form
      className="jp-EnvStore-bar"
      onSubmit={event => {
        event.preventDefault();
        if (name.trim()) {
          void add();
        }
      }}
    >
      <input
        className="jp-mod-styled"
        aria-label={trans.__('Their namespace')}
        placeholder={trans.__('Namespace')}
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <select aria-label={trans.__('Role')} value={role} onChange={event => setRole(event.target.value as Role)}>
        {ROLES.map(known => (
          <option key={known}>{known}</option>
        ))}
      </select>
      <button type="submit" className="jp-EnvStore-textButton jp-mod-styled jp-mod-accept" disabled={!name.trim()}>
        {trans.__('Add member')}
      </button>
    </form>
  );
}

function Policy(props: ITabProps): React.ReactElement | null {
  const { model, trans, item, place } = props;
  const may = item.permissions.includes('setting::read');
  const rules = useLoaded(
    may ? () => model.api.settingsOf(place) : null,
    [place.namespace, place.name],
    `settings:${place.namespace}/${place.name}`
  );
  const { value } = rules;
  if (!may) {
    return (
      <section aria-label={trans.__('Rules')}>
        <h3>{trans.__('Rules')}</h3>
        <p className="jp-EnvStore-sub">
          {trans.__('Only developers and admins of %1 see its rules. A preview shows what the rules refuse or add.', place.namespace)}
        </p>
      </section>
    );
  }
  if (!value) {
    return (
      <section aria-label={trans.__('Rules')}>
        <h3>{trans.__('Rules')}</h3>
        <NotYet loaded={rules} trans={trans} />
      </section>
    );
  }
  const list = (key: string) => (value[key] as string[] | undefined)?.join(', ') ?? '';
  const lines: [string, string][] = [
    [trans.__('Allowed channels'), list('conda_allowed_channels') || trans.__('all')],
    [trans.__('Default channels'), list('conda_default_channels')],
    [trans.__('Packages that are always added'), [list('conda_included_packages'), list('pypi_included_packages')].filter(x => x).join(', ')],
    [trans.__('Required packages'), [list('conda_required_packages'), list('pypi_required_packages')].filter(x => x).join(', ')],
    [trans.__('Artifacts made with each build'), namesOf(value['artifacts_at_once'], trans)],
    [trans.__('Builds kept ready'), String(value['retention_builds'] ?? '')]
  ];
  return (
    <section aria-label={trans.__('Rules')}>
      <h3>{trans.__('Rules')}</h3>
      <dl className="jp-EnvStore-rules">
        {lines
          .filter(([, words]) => words)
          .map(([title, words]) => (
            <React.Fragment key={title}>
              <dt>{title}</dt>
              <dd>{words}</dd>
            </React.Fragment>
          ))}
      </dl>
    </section>
  );
}

function Tokens(props: ITabProps): React.ReactElement {
  const { model, trans, commands } = props;
  const tokens = useLoaded(() => model.api.tokens(), [], 'tokens');
  const { value, reload } = tokens;
  const [refused, setRefused] = React.useState('');
  const revoke = async (id: number) => {
    setRefused('');
    try {
      await model.api.revokeToken(id);
    } catch (reason) {
      setRefused((reason as Error).message);
    }
    reload();
  };
  return (
    <section aria-label={trans.__('Your tokens')}>
      <h3>{trans.__('Your tokens')}</h3>
      <NotYet loaded={tokens} trans={trans} />
      {refused && <ErrorBox message={refused} />}
      {value && value.length === 0 && <p className="jp-EnvStore-sub">{trans.__('You have none.')}</p>}
      {value && value.length > 0 && (
        <Table columns={[trans.__('Name'), trans.__('Permissions'), trans.__('Expires'), trans.__('Last used'), { title: trans.__('Actions'), hidden: true }]}>
            {value.map(token => (
              <tr key={token.id}>
                <th scope="row">
                  {token.name || trans.__('without a name')} <code>{token.prefix}…</code>
                </th>
                <td>
                  {token.role_bindings
                    ? Object.entries(token.role_bindings)
                        .map(([entity, roles]) => `${entity}: ${roles.join(', ')}`)
                        .join('; ')
                    : trans.__('everything that you can do')}
                </td>
                <td>{day(token.expiration) || trans.__('never')}</td>
                <td>{day(token.last_used_on) || trans.__('never')}</td>
                <td>
                  <Link
                    label={trans.__('Revoke %1', token.name || token.prefix)}
                    onClick={() => revoke(token.id)}
                  >
                    {trans.__('Revoke')}
                  </Link>
                </td>
              </tr>
            ))}
          </Table>
      )}
      <TextButton id={CommandIDs.openTokens} onClick={() => void commands.execute(CommandIDs.openTokens)}>
        {trans.__('Make a token… ↗')}
      </TextButton>
    </section>
  );
}

/** What stands in place of something that is being loaded, or cannot be. */
function NotYet(props: { loaded: ILoaded<unknown>; trans: ITabProps['trans'] }): React.ReactElement | null {
  const { loaded, trans } = props;
  if (loaded.error) {
    return (
      <ErrorBox message={loaded.error.message}>
        <TextButton onClick={loaded.reload}>{trans.__('Try again')}</TextButton>
      </ErrorBox>
    );
  }
  return loaded.value === undefined ? <Skeleton trans={trans} rows={2} /> : null;
}

/** Return what people call these artifacts. */
function namesOf(types: unknown, trans: ITabProps['trans']): string {
  return Array.isArray(types) ? types.map(type => artifactWords(String(type), trans).title).join(', ') : '';
}
