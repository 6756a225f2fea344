"""Tokens: made, listed, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from jupyter_envstore.database import people as rows
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Token
from jupyter_envstore.database.values import TokenValues
from jupyter_envstore.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from jupyter_envstore.policy.access import (
    EVERYWHERE,
    Identity,
    check_bindings,
    new_token,
    token_hash,
)
from jupyter_envstore.representation import conda_store, moments
from jupyter_envstore.representation.conda_store_types import TokenJson
from jupyter_envstore.spec import check_name

SHOWN = 10
"""How many characters of a token are kept, for people to recognise it."""


class Tokens:
    """What stands for a person in a program."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(
        self,
        identity: Identity,
        name: str = "",
        primary_namespace: str | None = None,
        bindings: Any = None,
        expires_on: datetime | None = None,
    ) -> tuple[str, TokenJson]:
        """Make a token that gives no more than ``identity`` has; return it, the only time, and what is kept of it.

        Raises
        ------
        InvalidInputError
            It would give more, or last longer, than who makes it; or it has ended already.
        AuthenticationError
            The token that it is made with was revoked meanwhile.
        PermissionDeniedError
            It would be made with the token of a kernel.
        """
        refuse_kernel(identity)
        wanted = _bindings_to_give(identity, bindings)
        if len(name) > 255:
            msg = "the name of a token has at most 255 characters"
            raise InvalidInputError(msg)
        if primary_namespace is not None:
            _check_primary_namespace(identity, primary_namespace)
        expires_on = end_to_give(identity, expires_on)
        token = new_token()
        with self._database.write() as session:
            values = token_values(identity, token, name, wanted, expires_on)
            row = rows.add_token(
                session, {**values, "primary_namespace": primary_namespace or identity.primary_namespace}
            )
            detail = {"name": name, "role_bindings": wanted, "expiration": moments.expiration_json(expires_on)}
            rows.audit(session, identity.name, "token.create", f"token:{row.id}", detail)
            return token, conda_store.token_json(row)

    def for_kernel(self, identity: Identity, lifetime: timedelta) -> str:
        """Return a token for a kernel, which ends by itself.

        It may look, download and build wherever ``identity`` may, and neither delete nor give anything to others.

        Raises
        ------
        AuthenticationError
            The token that it is made with was revoked meanwhile.
        PermissionDeniedError
            It would be made with the token of a kernel.
        """
        refuse_kernel(identity)
        bindings = identity.at_most("developer", "viewer")
        token = new_token()
        ends = now() + lifetime
        if identity.expires_on is not None:
            ends = min(ends, identity.expires_on)
        with self._database.write() as session:
            rows.forget_kernel_tokens(session)
            if bindings:
                values = token_values(identity, token, "for a kernel", bindings, ends)
                row = rows.add_token(session, {**values, "kind": rows.KERNEL})
                rows.audit(session, identity.name, "token.create", f"token:{row.id}", {"name": row.name})
        return token if bindings else ""

    def of_person(self, identity: Identity) -> list[TokenJson]:
        """Return the tokens of a person."""
        with self._database.read() as session:
            found = rows.list_tokens(session, identity.name)
        return [conda_store.token_json(row) for row in found if may_handle(identity, row)]

    def revoke(self, identity: Identity, token_id: int) -> None:
        """End a token of one's own, or anybody's as admin of everything; and all tokens that were made with it.

        Raises
        ------
        NotFoundError
            There is no such token, or it is somebody else's.
        PermissionDeniedError
            A kernel's token would do it.
        """
        refuse_kernel(identity)
        with self._database.write() as session:
            row = rows.get_token(session, token_id)
            mine = row.username == identity.name and may_handle(identity, row)
            if not mine and not identity.holds({EVERYWHERE: ["admin"]}):
                msg = f"there is no token {token_id}"
                raise NotFoundError(msg)
            revoke_row(session, identity, row)


def token_values(
    identity: Identity, token: str, name: str, bindings: dict[str, list[str]], expires_on: datetime | None
) -> TokenValues:
    """Return the values of a person's new token; of its text only the hash and the beginning are kept."""
    return {
        "name": name,
        "hash": token_hash(token),
        "prefix": token[:SHOWN],
        "username": identity.name,
        "primary_namespace": identity.primary_namespace,
        "role_bindings": bindings,
        "expires_on": expires_on,
        "groups": list(identity.groups),
        "made_with": identity.token_id,
        "configured_hash": identity.configured_hash,
    }


def revoke_row(session: Session, identity: Identity, row: Token) -> None:
    """Revoke a token and those that were made with it, and note who did."""
    also = rows.revoke_token(session, row)
    detail: dict[str, object] = {"name": row.name, **({"also": also} if also else {})}
    rows.audit(session, identity.name, "token.revoke", f"token:{row.id}", detail)


def refuse_kernel(identity: Identity) -> None:
    """Refuse the token of a kernel: a notebook's code gives nothing to others, and takes nothing from them.

    Raises
    ------
    PermissionDeniedError
        It is one.
    """
    if identity.is_kernel:
        msg = "the token of a kernel makes no tokens and no links, and revokes none; do it in JupyterLab"
        raise PermissionDeniedError(msg)


def may_handle(identity: Identity, token: Token) -> bool:
    """Whether who asks may list and revoke a token of the same person: with a token, none that is wider than it."""
    if identity.source != "token" or token.id == identity.token_id:
        return True
    return bool(token.role_bindings) and identity.holds(token.role_bindings)


def _bindings_to_give(identity: Identity, bindings: Any) -> dict[str, list[str]]:
    """Return the role bindings of a new token: those that are asked for, or what who makes it has by a token.

    Raises
    ------
    InvalidInputError
        They give more than ``identity`` has, or nothing.
    """
    wanted = {} if bindings is None else check_bindings(bindings)
    for entity, roles in wanted.items():
        if not identity.holds({entity: roles}):
            msg = f"a token cannot give {', '.join(roles)} on {entity}: {identity.name} does not have that"
            raise InvalidInputError(msg)
    if not wanted and identity.source == "token":  # no wider than the token that it is made with
        wanted = {entity: list(roles) for entity, roles in identity.bindings.items()}
        if not wanted:
            msg = "a token that gives nothing can make no other"
            raise InvalidInputError(msg)
    return wanted


def _check_primary_namespace(identity: Identity, name: str) -> None:
    """Refuse a primary namespace that is neither the maker's own nor one that the maker administrates.

    Raises
    ------
    InvalidInputError
        It is, or it is no name.
    """
    check_name("namespace", name)
    if name.lower() != identity.primary_namespace.lower() and not identity.holds({f"{name}/*": ["admin"]}):
        msg = f"{name} can be the primary namespace only for its admins"
        raise InvalidInputError(msg)


def end_to_give(identity: Identity, expires_on: datetime | None) -> datetime | None:
    """Return when a new token ends: no later than what it is made with.

    Raises
    ------
    InvalidInputError
        It would end later, or has ended already.
    """
    if expires_on is not None and expires_on <= now():
        msg = f"the token would have ended already, on {moments.expiration_json(expires_on)}"
        raise InvalidInputError(msg)
    if identity.expires_on is None:
        return expires_on
    if expires_on is not None and expires_on > identity.expires_on:
        msg = f"a token ends no later than the one it is made with: {moments.expiration_json(identity.expires_on)}"
        raise InvalidInputError(msg)
    return expires_on or identity.expires_on
