"""Rows of tokens, role mappings and the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import ENTITY_KIND, NAMESPACE_KIND, AuditEntry, Namespace, RoleMapping, Token
from jupyter_envstore.database.values import TokenValues
from jupyter_envstore.errors import AuthenticationError, ConflictError, NotFoundError
from jupyter_envstore.policy.access import GROUP, own_namespaces

USER, KERNEL, SHARE = "user", "kernel", "share"
"""Kinds of tokens: made by people, handed to kernels, and part of links that share an environment."""
USED_AGAIN = timedelta(minutes=1)


def add_token(session: Session, values: TokenValues) -> Token:
    """Add a token, unless the one that it is made with has ended meanwhile.

    Raises
    ------
    AuthenticationError
        It has.
    """
    maker = values["made_with"]
    if maker is not None:
        row = session.get(Token, maker, with_for_update=True, populate_existing=True)
        if row is None or row.revoked_on is not None or expired(row):
            msg = "the token was revoked or has ended; make another"
            raise AuthenticationError(msg)
    token = Token(created_on=now(), **values)
    session.add(token)
    session.flush()
    return token


def find_token(session: Session, hashed: str) -> Token | None:
    """Return the token with this hash, revoked and expired ones too."""
    return session.scalars(select(Token).where(Token.hash == hashed)).first()


def list_tokens(session: Session, username: str | None) -> list[Token]:
    """Return the tokens of a person, or everybody's, newest first; revoked ones are left out."""
    query = select(Token).where(Token.revoked_on.is_(None), Token.kind.in_((USER, SHARE))).order_by(Token.id.desc())
    return list(session.scalars(query if username is None else query.where(Token.username == username)))


def get_token(session: Session, token_id: int) -> Token:
    """Return a token that was not revoked.

    Raises
    ------
    NotFoundError
        There is none.
    """
    token = session.get(Token, token_id)
    if token is None or token.revoked_on is not None:
        msg = f"there is no token {token_id}"
        raise NotFoundError(msg)
    return token


def list_links(session: Session, environment_id: int) -> list[Token]:
    """Return the share links to an environment, newest first; those that ended or were revoked are left out."""
    query = select(Token).where(Token.kind == SHARE, Token.environment_id == environment_id, Token.revoked_on.is_(None))
    return list(session.scalars(query.where(Token.expires_on > now()).order_by(Token.id.desc())))


def revoke_token(session: Session, token: Token) -> list[int]:
    """Revoke a token, and every token that was made with it; return the ids of these."""
    moment, ended, also = now(), [token.id], list[int]()
    while ended:
        locked = select(Token.id).where(Token.id.in_(ended)).with_for_update()  # nothing is made with them meanwhile
        session.execute(update(Token).where(Token.id.in_(list(session.scalars(locked)))).values(revoked_on=moment))
        ended = list(session.scalars(select(Token.id).where(Token.made_with.in_(ended), Token.revoked_on.is_(None))))
        also += ended
    return also


def forget_kernel_tokens(session: Session) -> None:
    """Delete kernels' tokens that ended."""
    session.execute(delete(Token).where(Token.kind == KERNEL, Token.expires_on < now()))


def touch_token(session: Session, token_id: int) -> None:
    """Note that a token was used; once a minute is enough."""
    session.execute(
        update(Token)
        .where(Token.id == token_id, or_(Token.last_used_on.is_(None), Token.last_used_on < now() - USED_AGAIN))
        .values(last_used_on=now())
    )


def used_lately(token: Token) -> bool:
    """Whether the last use of a token was noted within the last minute."""
    return token.last_used_on is not None and token.last_used_on > now() - USED_AGAIN


def mapped_bindings(session: Session, primary_namespace: str) -> dict[str, list[str]]:
    """Return what role mappings give to the user of a namespace: entity to roles."""
    key = primary_namespace.lower()
    found: dict[str, list[str]] = {}
    own = (
        select(RoleMapping.entity, RoleMapping.role)
        .join(Namespace, Namespace.id == RoleMapping.namespace_id)
        .where(RoleMapping.kind == ENTITY_KIND, Namespace.name_key == key)
    )
    others = (
        select(Namespace.name, RoleMapping.role)
        .join(Namespace, Namespace.id == RoleMapping.namespace_id)
        .where(RoleMapping.kind == NAMESPACE_KIND, RoleMapping.entity == key, Namespace.deleted_on.is_(None))
    )
    for entity, role in session.execute(own):
        found.setdefault(entity, []).append(role)
    for namespace, role in session.execute(others):
        found.setdefault(f"{namespace}/*", []).append(role)
    return found


def set_entity_mappings(session: Session, namespace: Namespace, mappings: dict[str, list[str]], who: str) -> None:
    """Replace what the user of a namespace is given."""
    session.execute(
        delete(RoleMapping).where(RoleMapping.namespace_id == namespace.id, RoleMapping.kind == ENTITY_KIND)
    )
    for entity, roles in mappings.items():
        for role in roles:
            _add(session, namespace, ENTITY_KIND, entity, role, who)


def list_namespace_mappings(session: Session, namespace: Namespace) -> list[RoleMapping]:
    """Return whom a namespace is opened to: the namespaces of others, with their role."""
    query = select(RoleMapping).where(RoleMapping.namespace_id == namespace.id, RoleMapping.kind == NAMESPACE_KIND)
    return list(session.scalars(query.order_by(RoleMapping.id)))


def find_namespace_mapping(session: Session, namespace: Namespace, other: str) -> RoleMapping | None:
    """Return the mapping that opens a namespace to the user of another."""
    query = select(RoleMapping).where(
        RoleMapping.namespace_id == namespace.id,
        RoleMapping.kind == NAMESPACE_KIND,
        RoleMapping.entity == other.lower(),
    )
    return session.scalars(query).first()


def add_namespace_mapping(session: Session, namespace: Namespace, other: str, role: str, who: str) -> None:
    """Open a namespace to the user of another.

    Raises
    ------
    ConflictError
        It is opened to them already.
    """
    found = find_namespace_mapping(session, namespace, other)
    if found is not None:
        msg = f"the user of {other} has role {found.role} in {namespace.name} already; change it with PUT"
        raise ConflictError(msg)
    _add(session, namespace, NAMESPACE_KIND, other.lower(), role, who)


def delete_namespace_mappings(session: Session, namespace: Namespace, other: str | None = None) -> int:
    """Close a namespace to the user of another, or to all; return how many mappings that were."""
    query = select(RoleMapping).where(RoleMapping.namespace_id == namespace.id, RoleMapping.kind == NAMESPACE_KIND)
    rows = list(session.scalars(query if other is None else query.where(RoleMapping.entity == other.lower())))
    for row in rows:
        session.delete(row)
    return len(rows)


def _add(session: Session, namespace: Namespace, kind: str, entity: str, role: str, who: str) -> None:
    mapping = RoleMapping(
        namespace_id=namespace.id, kind=kind, entity=entity, role=role, created_on=now(), created_by=who
    )
    session.add(mapping)


def audit(session: Session, who: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
    """Note who did what. Nothing changes or deletes these rows."""
    session.add(AuditEntry(at=now(), who=who, verb=verb, subject=subject[:255], detail=detail or {}))


def list_audit(session: Session, after: int, size: int, who: str = "", verb: str = "") -> Sequence[AuditEntry]:
    """Return entries of the audit behind entry ``after``, in order."""
    query = select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(size)
    if who:
        query = query.where(AuditEntry.who == who)
    if verb:
        query = query.where(AuditEntry.verb == verb)
    return session.scalars(query).all()


def expired(token: Token, moment: datetime | None = None) -> bool:
    """Whether a token has ended."""
    return token.expires_on is not None and token.expires_on <= (moment or now())


def own_space(session: Session, name: str, is_open: Callable[[str], bool]) -> str | None:
    """Return the namespace of a person; None where all that may be theirs belong to others.

    Parameters
    ----------
    is_open : callable
        Whether the configuration gives something in a namespace that is not there yet to somebody else.
    """
    candidates = own_namespaces(name)
    makers = _makers_of(session, candidates)
    return next(
        (space for space in candidates if (makers[space] in ("", name) if space in makers else not is_open(space))),
        None,
    )


def group_spaces(session: Session, groups: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the namespaces of groups, and of those that are not there yet the group of each.

    No group shares one with a person or with another group. One that has the plain name of the group is the group's,
    too, if an admin made it; one that a person of the group's name made is that person's own, and so may be one of
    which nobody knows who made it. A group whose namespaces all belong to others has none.
    """
    found: list[str] = []
    missing: dict[str, str] = {}
    candidates = {group: own_namespaces(f"{GROUP}{group}") for group in groups}
    plain = {group: own_namespaces(group)[0] for group in groups if own_namespaces(group)[0] == group}
    makers = _makers_of(session, [*plain.values(), *(space for spaces in candidates.values() for space in spaces)])
    for group, spaces in candidates.items():
        who = f"{GROUP}{group}"
        if group in plain and makers.get(group) not in (group, ""):
            space: str | None = group
        else:
            space = next((space for space in spaces if makers.get(space, who) == who), None)
        if space is not None:
            found.append(space)
            if space not in makers:
                missing[space] = group
    return found, missing


def _makers_of(session: Session, names: Iterable[str]) -> dict[str, str]:
    """Return who made the namespaces that exist, by their names in lower case."""
    spaces = session.scalars(select(Namespace).where(Namespace.name_key.in_({name.lower() for name in names})))
    return {space.name_key: space.created_by for space in spaces}
