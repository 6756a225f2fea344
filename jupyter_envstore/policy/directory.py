"""People as a directory knows them: a hub, for example, which has their groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Person:
    """A person who is logged in, or whom a token belongs to.

    Parameters
    ----------
    name : str
        Stable name.
    groups : tuple of str
        Names of groups.
    is_admin : bool
        Whether the directory calls them an admin, who may do everything.
    since : datetime or None
        Since when they have this name, in UTC without a zone: what is older belongs to somebody who had it before.
    """

    name: str
    groups: tuple[str, ...] = ()
    is_admin: bool = False
    since: datetime | None = None


class Directory(Protocol):
    """Knows people at any time, also when they do not ask themselves but a token of theirs does."""

    async def look(self, name: str) -> None:
        """Ask about a person, unless what was told a moment ago still counts.

        Raises
        ------
        LoginUnavailableError
            The directory does not answer.
        AuthenticationError
            It does not tell.
        """

    def known(self, name: str) -> Person | None:
        """Return a person as they were when :meth:`look` asked; None where nobody is called so.

        Raises
        ------
        LoginUnavailableError
            Nobody has asked lately.
        """
