"""Who a user of Jupyter is in the store."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_envstore.policy.directory import Person

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads


class Identities:
    """Finds the identity of users that Jupyter knows.

    Parameters
    ----------
    mapper : callable or None
        Returns the stable name of jupyter_server's ``User``, or a name and a list of groups, or a ``Person``.
    """

    def __init__(self, access: StoreAccess, threads: Threads, mapper: Callable[[Any], Any] | None = None) -> None:
        self._access = access
        self._threads = threads
        self._mapper = mapper

    async def of_token(self, token: str) -> Identity | None:
        """Return the identity that a token gives, None when it is none of ours.

        Raises
        ------
        AuthenticationError
            It is one of ours, and unknown, expired or revoked; or its owner is gone.
        LoginUnavailableError
            The directory that knows its owner does not answer.
        """
        rules, people = self._access.rules, self._access.store.people
        if rules.directory is not None:
            owner = await self._threads.run(people.owner_of, token)
            if owner is not None:
                await rules.directory.look(owner)
        return await self._threads.run(people.identify_token, rules, token)

    async def of_user(self, user: Any) -> Identity:
        """Return the identity of a user that Jupyter knows."""
        rules = self._access.rules
        if self._mapper is not None:
            person = _person(self._mapper(user))
        else:
            person = Person(user.username if rules.shared else account_name())
        if not rules.shared:
            return rules.person(person.name)
        identify = self._access.store.people.identify
        return await self._threads.run(identify, rules, person.name, person.groups, person.is_admin)


def _person(mapped: str | tuple[str, Sequence[str]] | Person) -> Person:
    """Return the person that a mapper names."""
    if isinstance(mapped, Person):
        return mapped
    name, groups = (mapped, ()) if isinstance(mapped, str) else mapped
    return Person(name, tuple(groups))


@functools.cache
def account_name() -> str:
    """Return the name of the account that the server runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"
