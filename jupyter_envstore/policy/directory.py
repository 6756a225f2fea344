"""People as a directory knows them: a hub, for example, which has their groups."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    name: str
    groups: tuple[str, ...] = ()
    is_admin: bool = False


class Directory(Protocol):
    """Knows people at any time, also when they do not ask themselves but a token of theirs does."""

    def find(self, name: str) -> Person | None:
        """Return a person as of now; None where nobody is called so any more.

        Raises
        ------
        StoreUnavailableError
            The directory does not answer.
        AuthenticationError
            It does not tell.
        """
