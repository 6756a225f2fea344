"""Who a user of Jupyter is in the store."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads


class Identities:
    """Finds the identity of users that Jupyter knows.

    Parameters
    ----------
    mapper : callable or None
        Returns the stable name of jupyter_server's ``User``, or a name and a list of groups.
    """

    def __init__(self, access: StoreAccess, threads: Threads, mapper: Callable[[Any], Any] | None = None) -> None:
        self._access = access
        self._threads = threads
        self._mapper = mapper

    async def of_user(self, user: Any) -> Identity:
        """Return the identity of a user that Jupyter knows."""
        rules = self._access.rules
        groups: Sequence[str] = ()
        if self._mapper is not None:
            mapped = self._mapper(user)
            name, groups = (mapped, ()) if isinstance(mapped, str) else mapped
        elif rules.shared:
            name = user.username
        else:
            name = account_name()
        if not rules.shared:
            return rules.person(name)
        return await self._threads.run(self._access.store.people.identify, rules, name, groups)


@functools.cache
def account_name() -> str:
    """Return the name of the account that the server runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"
