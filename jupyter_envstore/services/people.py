"""People: who asks, and what they may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from jupyter_envstore.database import builds
from jupyter_envstore.database import people as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.models import Token
from jupyter_envstore.errors import AuthenticationError
from jupyter_envstore.policy.access import (
    GROUP,
    LINK,
    TOKEN_PREFIX,
    AccessRules,
    Identity,
    PredefinedToken,
    SharedLink,
    check_person,
    common_bindings,
    join_bindings,
    token_hash,
)
from jupyter_envstore.representation import moments
from jupyter_envstore.services.settings import Settings

TOKEN = ("token", "make another")
"""What a text is called that is no link, and the way out where it does not work."""
SKEW = timedelta(minutes=1)
"""How far the clocks of two machines may differ."""
CONFIGURED = "token:"
"""What stands before the name of a token of the configuration where people's names stand."""


class People:
    """Identities of persons and of tokens."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def identify(self, rules: AccessRules, name: str, groups: Sequence[str] = (), is_admin: bool = False) -> Identity:
        """Return the identity of a person, with what role mappings and their groups give them.

        Raises
        ------
        AuthenticationError
            Nobody can be called so, or all namespaces of that name belong to others.
        """
        check_person(name)
        if not rules.shared:
            return rules.person(name)
        with self._database.read() as session:
            own = rows.own_space(session, name, lambda space: rules.opens_to_others(space, name))
            if own is None:
                msg = f"all namespaces that {name[:60]!r} could have belong to others"
                raise AuthenticationError(msg)
            given = rows.mapped_bindings(session, own)
        if rules.group_role:
            given = join_bindings(given, {f"{space}/*": [rules.group_role] for space in self._group_spaces(groups)})
        return rules.person(name, groups, given, own, is_admin)

    def _group_spaces(self, groups: Sequence[str]) -> list[str]:
        """Return the namespaces of groups, made where they are not there yet: members may not make any."""
        with self._database.read() as session:
            spaces, missing = rows.group_spaces(session, groups)
        if not missing:
            return spaces
        with self._database.write() as session:
            spaces, missing = rows.group_spaces(session, groups)
            for space, group in missing.items():
                builds.ensure_namespace(session, space, f"{GROUP}{group}")
        return spaces

    def owner_of(self, token: str) -> str | None:
        """Return the name of the person whose token this is, None where it is nobody's."""
        with self._database.read() as session:
            row = rows.find_token(session, token_hash(token)) if token.startswith(TOKEN_PREFIX) else None
            return None if row is None or row.username.startswith(CONFIGURED) else row.username

    def identify_token(self, rules: AccessRules, token: str) -> Identity | None:
        """Return the identity that a token gives, None when it is none of ours.

        Raises
        ------
        AuthenticationError
            It is one of ours, and unknown, expired or revoked.
        """
        known = rules.predefined(token)
        if known is not None:
            return self._configured(known)
        if not token.startswith(TOKEN_PREFIX):
            return None
        with self._database.read() as session:
            row = rows.find_token(session, token_hash(token))
        what, way = ("link", "ask for another") if row is not None and row.kind == rows.SHARE else TOKEN
        if row is None or row.revoked_on is not None:
            msg = f"the {what} is not known, or was revoked; {way}"
            raise AuthenticationError(msg)
        if rows.expired(row):
            msg = f"the {what} expired on {moments.expiration_json(row.expires_on)}; {way}"
            raise AuthenticationError(msg)
        if not rows.used_lately(row):
            with self._database.write() as session:
                rows.touch_token(session, row.id)
        owner = self._owner(rules, row)
        if row.kind == rows.SHARE:
            return self._of_link(row, owner)
        bindings: Mapping[str, Sequence[str]] = common_bindings(row.role_bindings, owner)
        if not row.role_bindings:  # made to be its maker's equal
            bindings = owner.bindings
        return Identity(
            row.username,
            row.primary_namespace,
            bindings,
            row.id,
            row.expires_on,
            "token",
            owner.groups,
            is_kernel=row.kind == rows.KERNEL,
        )

    def _of_link(self, row: Token, owner: Identity) -> Identity:
        """Return the identity of a share link: it may look at its environment, as long as who made it may.

        Raises
        ------
        AuthenticationError
            The environment was deleted, who made the link may not read it any more, or links are turned off there.
        """
        with self._database.read() as session:
            found = None if row.environment_id is None else builds.environment_place(session, row.environment_id)
            place = None if found is None else (found[0].name, found[1].name)
        if row.environment_id is None or place is None or not owner.may("environment::read", *place):
            msg = "the environment of the link is gone, or who made the link may not read it any more; ask for another"
            raise AuthenticationError(msg)
        if not self._settings.effective(place)["share_links"]:
            msg = "links to this environment are turned off (setting share_links)"
            raise AuthenticationError(msg)
        link = SharedLink(row.environment_id, row.username)
        given = {"/".join(place): ["viewer"]}
        return Identity(f"{LINK}{row.id}", "", given, row.id, row.expires_on, "token", link=link)

    def _owner(self, rules: AccessRules, row: Token) -> Identity:
        """Return what the owner of a token may today: a person, or a token that is in the configuration still.

        Raises
        ------
        AuthenticationError
            The directory does not know the person any more, or knows another one by this name.
        LoginUnavailableError
            It was not asked lately.
        """
        if not row.username.startswith(CONFIGURED):
            if rules.directory is None:
                return self.identify(rules, row.username, row.groups)
            person = rules.directory.known(row.username)
            if person is None:
                msg = f"{row.username}, whose token this is, is not known any more, or may not use the store"
                raise AuthenticationError(msg)
            if person.since is not None and row.created_on < person.since - SKEW:
                msg = f"the token belongs to somebody who was called {row.username} before; make another"
                raise AuthenticationError(msg)
            return self.identify(rules, person.name, person.groups, person.is_admin)
        found = [
            known
            for known in rules.tokens
            if row.username == f"{CONFIGURED}{known.name}" and row.configured_hash in (None, known.hash)
        ]
        return self._configured(found[0]) if found else Identity(row.username, "", {})

    def _configured(self, known: PredefinedToken) -> Identity:
        """Return the identity of a token of the configuration, with what role mappings give its namespace."""
        with self._database.read() as session:
            mapped = rows.mapped_bindings(session, known.primary_namespace)
        bindings = join_bindings(known.bindings, mapped)
        name = f"{CONFIGURED}{known.name}"
        return Identity(name, known.primary_namespace, bindings, source="token", configured_hash=known.hash)
