"""What the configuration says about people and tokens, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.access import AccessRules, PredefinedToken, check_bindings, token_hash
from jupyter_envstore.spec import check_name

SHORTEST_TOKEN = 16
KEYS = ("name", "primary_namespace", "role_bindings")


def access_rules(
    shared: bool,
    default_namespace: str,
    admins: Collection[str],
    role_bindings: Mapping[str, Any],
    unauthenticated_role_bindings: Mapping[str, Any],
    predefined_tokens: Mapping[str, Any],
    account_owner: str = "",
) -> AccessRules:
    """Return the rules that the traits of the same names say.

    Parameters
    ----------
    account_owner : str
        Name of the person whose account the server runs under, where several use it.

    Raises
    ------
    InvalidInputError
        A name, a role, an entity or a token in them cannot be used.
    """
    return AccessRules(
        shared=shared,
        default_namespace=default_namespace,
        admins=frozenset(admins),
        bindings={who: check_bindings(bindings) for who, bindings in role_bindings.items()},
        unauthenticated=check_bindings(unauthenticated_role_bindings),
        tokens=_tokens(predefined_tokens),
        account_owner=account_owner,
    )


def _tokens(predefined: Mapping[str, Any]) -> tuple[PredefinedToken, ...]:
    tokens: list[PredefinedToken] = []
    for token, entry in predefined.items():
        if len(token) < SHORTEST_TOKEN:
            msg = f"a predefined token has {len(token)} characters; it must have at least {SHORTEST_TOKEN}"
            raise InvalidInputError(msg)
        if not isinstance(entry, dict):
            msg = f"a predefined token needs a dictionary with the keys {', '.join(KEYS)}"
            raise InvalidInputError(msg)
        unknown = sorted(map(str, entry.keys() - set(KEYS)))
        if unknown:
            msg = f"a predefined token has the unknown key {unknown[0][:60]!r}; known: {', '.join(KEYS)}"
            raise InvalidInputError(msg)
        if "role_bindings" not in entry:
            called = f" {entry['name']!r}" if entry.get("name") else ""
            msg = f"the predefined token{called} has no 'role_bindings', such as {{'data/*': ['developer']}}"
            raise InvalidInputError(msg)
        space = check_name("namespace", str(entry.get("primary_namespace", "default")))
        name = str(entry.get("name") or space)
        if name in {known.name for known in tokens}:
            msg = f"two predefined tokens are called {name!r}; give each a 'name' of its own"
            raise InvalidInputError(msg)
        bindings = check_bindings(entry["role_bindings"])
        tokens.append(PredefinedToken(token_hash(token), name, space, bindings))
    return tuple(tokens)
