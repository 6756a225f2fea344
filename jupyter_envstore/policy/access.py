"""Who asks, and what they may: identities, roles, permissions, bindings. Names are data: only ``*`` is special."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from jupyter_envstore.errors import AuthenticationError, InvalidInputError, PermissionDeniedError
from jupyter_envstore.policy.directory import Directory
from jupyter_envstore.spec.names import NAME, RESERVED, suggest_name

VIEWER = frozenset({"environment::read", "namespace::read", "namespace-role-mapping::read"})
DEVELOPER = VIEWER | {
    "build::cancel", "environment:create", "environment::update", "environment::solve", "setting::read"
}  # fmt: skip
ADMIN = DEVELOPER | {
    "build::delete", "environment::delete", "namespace::create", "namespace::update", "namespace::delete",
    "namespace-role-mapping::create", "namespace-role-mapping::update", "namespace-role-mapping::delete",
    "setting::update",
}  # fmt: skip
ROLES: dict[str, frozenset[str]] = {"viewer": VIEWER, "developer": DEVELOPER, "editor": DEVELOPER, "admin": ADMIN}
"""Permissions of each role, in conda-store's spelling; ``editor`` is its newer name of ``developer``."""
ENTITY = re.compile(r"[A-Za-z0-9_.+*-]{1,64}/[A-Za-z0-9_.+*-]{1,64}")
MAX_STARS = 4
EVERYWHERE = "*/*"
TOKEN_PREFIX = "es_"  # noqa: S105 - what our tokens begin with, so that they are told from others at a glance

Bindings = Mapping[str, Sequence[str]]
"""Entity (``namespace/name``, ``*`` allowed in either part) to roles."""


@dataclass(frozen=True)
class SharedLink:
    """What a share link opens: one environment, whatever it is called, and who made the link."""

    environment_id: int
    made_by: str


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Parameters
    ----------
    name : str
        Stable name of the person or service; empty for nobody.
    primary_namespace : str
        Their own namespace.
    bindings : mapping
        Entities to roles, joined from all sources.
    token_id : int or None
        The token that they came with, where it is one of the store's.
    expires_on : datetime or None
        When that token ends (UTC, naive).
    source : str
        ``jupyter``, ``token`` or ``nobody``.
    groups : tuple of str
        Groups that they were known to be in.
    configured_hash : str or None
        Hash of the token of the configuration that they came with.
    is_kernel : bool
        Whether they came with the token of a kernel: it makes no tokens and no links, and revokes none.
    link : SharedLink or None
        The share link that they came with. It opens the few routes that are for links, and nothing else.
    owns_account : bool
        Whether this is the person whose account the store runs under. Only they use what is noted for the account, such
        as its logins to other stores.
    """

    name: str
    primary_namespace: str
    bindings: Bindings = field(default_factory=dict)
    token_id: int | None = None
    expires_on: datetime | None = None
    source: str = "jupyter"
    groups: tuple[str, ...] = ()
    configured_hash: str | None = None
    is_kernel: bool = False
    link: SharedLink | None = None
    owns_account: bool = False

    @property
    def authenticated(self) -> bool:
        """Whether it is known who asks."""
        return self.source != "nobody"

    def permissions(self, namespace: str, name: str) -> set[str]:
        """Return the permissions on ``namespace/name``; the union over all bindings that match."""
        place = f"{namespace}/{name}"
        return {
            permission
            for entity, roles in self.bindings.items()
            if entity == EVERYWHERE or covers(entity, place)
            for role in roles
            for permission in ROLES[role]
        }

    def may(self, permission: str, namespace: str, name: str = "*") -> bool:
        """Whether ``permission`` is given on an environment, or on a whole namespace (``name`` is ``*``).

        A namespace can be read by whoever may read one environment in it.
        """
        if permission == "namespace::read" and name == "*":
            return any(
                permission in ROLES[role] and matches(entity.split("/")[0], namespace)
                for entity, roles in self.bindings.items()
                for role in roles
            )
        return permission in self.permissions(namespace, name)

    def require(self, permission: str, namespace: str, name: str = "*") -> None:
        """Refuse who lacks the permission.

        Raises
        ------
        AuthenticationError
            It is not known who asks.
        PermissionDeniedError
            It is, and they may not.
        """
        if self.may(permission, namespace, name):
            return
        what = namespace if name == "*" else f"{namespace}/{name}"
        if not self.authenticated:
            msg = f"log in, or send a token, to do this ({permission} on {what})"
            raise AuthenticationError(msg)
        admin = "the store" if namespace == "*" else namespace
        msg = f"{self.name} lacks the permission {permission} on {what}; ask an admin of {admin} for a role"
        raise PermissionDeniedError(msg)

    def visible(self, permission: str = "environment::read") -> tuple[str, ...] | None:
        """Return the entities on which ``permission`` holds, in lower case; None for everything."""
        found = {
            entity.lower()
            for entity, roles in self.bindings.items()
            if any(permission in ROLES[role] for role in roles)
        }
        return None if EVERYWHERE in found else tuple(sorted(found))

    def holds(self, bindings: Bindings) -> bool:
        """Whether everything that ``bindings`` give is held already: nobody hands out more than they have."""
        return all(
            any(
                covers(own, entity) and permission in ROLES[role]
                for own, own_roles in self.bindings.items()
                for role in own_roles
            )
            for entity, roles in bindings.items()
            for permission in {p for role in roles for p in ROLES[role]}
        )

    def at_most(self, *roles: str) -> dict[str, list[str]]:
        """Return of each binding the first of ``roles`` that gives no more than the binding does."""
        found: dict[str, list[str]] = {}
        for entity, own in self.bindings.items():
            held = {permission for role in own for permission in ROLES[role]}
            fitting = [role for role in roles if held >= ROLES[role]]
            if fitting:
                found[entity] = fitting[:1]
        return found


NOBODY = Identity("", "", {}, source="nobody")


@dataclass(frozen=True)
class PredefinedToken:
    """A token of the configuration, as its hash."""

    hash: str
    name: str
    primary_namespace: str
    bindings: Bindings


LINK = "link:"
"""What stands before the id of a share link, where names of people stand."""
GROUP = "group:"
"""What stands before the name of a group, where names of people stand."""
KEPT_PREFIXES = (GROUP, "token:", LINK)
"""What stands before names of groups, configured tokens and share links: no person is called so."""


def check_person(name: str) -> None:
    """Refuse a name of a person that would be taken for something else: a group, a token, a link, or everybody.

    Raises
    ------
    AuthenticationError
        It would.
    """
    if name.startswith(KEPT_PREFIXES) or name == "*":
        msg = f"nobody can be called {name[:60]!r} here: such names are not people's (identity_mapper changes names)"
        raise AuthenticationError(msg)


@dataclass(frozen=True)
class AccessRules:
    """What the configuration says about people and tokens.

    Parameters
    ----------
    shared : bool
        Whether several people use the store. If not, whoever is logged in is its one user and may do everything.
    default_namespace : str
        Primary namespace of the one user, and of nobody.
    admins : frozenset of str
        Names of people, and ``group:<name>``, who may do everything in a shared store.
    bindings : mapping
        Name of a person, ``group:<name>``, or ``*`` for everybody who is logged in, to bindings.
    unauthenticated : mapping
        Bindings of who is not logged in.
    tokens : tuple of PredefinedToken
        Tokens of the configuration.
    account_owner : str
        Name of the person whose account a shared store runs under, as that of a JupyterHub server; empty where it is
        nobody's own.
    group_role : str
        What members of a group may do in the namespace of the group; empty for nothing.
    directory : Directory or None
        Who knows the groups of people today; None where what was known at their last visit counts.
    """

    shared: bool = False
    default_namespace: str = "default"
    admins: frozenset[str] = frozenset()
    bindings: Mapping[str, Bindings] = field(default_factory=dict)
    unauthenticated: Bindings = field(default_factory=dict)
    tokens: tuple[PredefinedToken, ...] = ()
    account_owner: str = ""
    group_role: str = ""
    directory: Directory | None = None

    def person(
        self,
        name: str,
        groups: Sequence[str] = (),
        mapped: Bindings | None = None,
        own: str | None = None,
        is_admin: bool = False,
    ) -> Identity:
        """Return the identity of a person.

        Parameters
        ----------
        name : str
            Stable name.
        groups : sequence of str
            Groups of that person.
        mapped : mapping or None
            What the database's role mappings give to their primary namespace.
        own : str or None
            Their primary namespace; None for what :func:`own_namespace` gives.
        is_admin : bool
            Whether they may do everything, whatever the configuration says.
        """
        if not self.shared:
            return Identity(name, self.default_namespace, {EVERYWHERE: ["admin"]}, owns_account=True)
        names = [] if name.startswith(KEPT_PREFIXES) or name == "*" else [name]
        names += [f"group:{group}" for group in groups]
        own = own or own_namespace(name)
        given: Bindings = {EVERYWHERE: ["admin"]}
        if not is_admin and not self.admins.intersection(names):
            configured = [self.bindings[who] for who in ("*", *names) if who in self.bindings]
            given = join_bindings({f"{own}/*": ["admin"]}, *configured, mapped or {})
        is_owner = bool(name) and name == self.account_owner
        return Identity(name, own, given, groups=tuple(groups), owns_account=is_owner)

    def opens_to_others(self, namespace: str, name: str) -> bool:
        """Whether the configuration gives something in a namespace, by its name, to somebody else than ``name``."""
        entities = [entity for who, bindings in self.bindings.items() if who != name for entity in bindings]
        entities += [entity for token in self.tokens for entity in token.bindings]
        return any(entity.split("/")[0].lower() == namespace for entity in entities)

    def nobody(self) -> Identity:
        """Return the identity of who is not logged in."""
        return replace(NOBODY, bindings=self.unauthenticated, primary_namespace=self.default_namespace)

    def predefined(self, token: str) -> PredefinedToken | None:
        """Return the token of the configuration that ``token`` is; all are compared, in constant time."""
        found = [known for known in self.tokens if same_token(token, known.hash)]
        return found[0] if found else None


def own_namespace(name: str, taken: bool = False) -> str:
    """Return the namespace of a person; no two names share one.

    A name that is a valid namespace in lower case is its own; any other is cleaned, with a hash behind a ``+``. So is
    one that is ``taken``: by a namespace that others made, or that the configuration opens to others.
    """
    return own_namespaces(name)[-2 if taken else 0]


def own_namespaces(name: str) -> tuple[str, ...]:
    """Return the namespaces that may be a person's or a group's own, the first of them if nobody else has it.

    The last one has so much of a hash of the name (96 bits) that nobody finds another name for it.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    cleaned = suggest_name(name.lower())[:38].replace("+", "-")
    longer = (f"{suggest_name(name.lower())[:50].replace('+', '-')}+{digest[:12]}", f"{cleaned}+{digest[:24]}")
    is_plain = NAME.fullmatch(name) and name == name.lower() and "+" not in name and name not in RESERVED
    return (name, *longer) if is_plain else longer


def matches(pattern: str, text: str) -> bool:
    """Whether one part of an entity matches: ``*`` any characters, all others themselves, whatever their case.

    Each piece between two stars is looked for from the left, once: patterns come from users, so this must not
    try again and again.
    """
    if pattern == "*":
        return True
    first, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    place, last = len(first), rest.pop()
    for piece in rest:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return len(text) - len(last) >= place and text.endswith(last)


def covers(entity: str, other: str) -> bool:
    """Whether ``entity`` matches all that ``other`` does; its stars are taken for characters like others."""
    own, rest = entity.split("/", 1), other.split("/", 1)
    return all(matches(mine, theirs) for mine, theirs in zip(own, rest, strict=True))


def check_bindings(bindings: object) -> dict[str, list[str]]:
    """Return bindings that can be used.

    Raises
    ------
    InvalidInputError
        An entity is not NAMESPACE/NAME, or a role is not known.
    """
    if not isinstance(bindings, Mapping):
        msg = 'bindings map entities to roles, for example {"team-a/*": ["viewer"]}'
        raise InvalidInputError(msg)
    return {check_entity(entity): check_roles(roles) for entity, roles in bindings.items()}


def check_entity(entity: object) -> str:
    """Return ``entity`` when it has the form ``namespace/name``.

    Raises
    ------
    InvalidInputError
        It has not.
    """
    if not isinstance(entity, str) or not ENTITY.fullmatch(entity) or entity.count("*") > MAX_STARS:
        msg = f"{entity!r} is not an entity: write namespace/name, with * for any"
        raise InvalidInputError(msg)
    return entity


def check_roles(roles: object) -> list[str]:
    """Return ``roles`` when all are known, each once.

    Raises
    ------
    InvalidInputError
        One is not.
    """
    if not isinstance(roles, list | tuple) or not all(isinstance(role, str) for role in roles):
        msg = f"roles are a list, for example ['viewer']; known: {', '.join(ROLES)}"
        raise InvalidInputError(msg)
    found = list(dict.fromkeys(roles))
    for role in found:
        if role not in ROLES:
            msg = f"role {role!r} is not known; known: {', '.join(ROLES)}"
            raise InvalidInputError(msg)
    return found


def join_bindings(*sources: Bindings) -> dict[str, list[str]]:
    """Return the union of bindings."""
    joined: dict[str, list[str]] = {}
    for source in sources:
        for entity, roles in source.items():
            joined[entity] = list(dict.fromkeys([*joined.get(entity, ()), *roles]))
    return joined


def common_bindings(wanted: Bindings, owner: Identity) -> dict[str, list[str]]:
    """Return of ``wanted`` what ``owner`` holds: a token is never wider than whom it belongs to, later either."""
    kept = {entity: [role for role in roles if owner.holds({entity: [role]})] for entity, roles in wanted.items()}
    return {entity: roles for entity, roles in kept.items() if roles}


def new_token() -> str:
    """Return a fresh token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token. It is random and long, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def same_token(token: str, hashed: str) -> bool:
    """Whether ``token`` is the one that was hashed; takes the same time wherever they differ."""
    return hmac.compare_digest(token_hash(token), hashed)
