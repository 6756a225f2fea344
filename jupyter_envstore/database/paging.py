"""What listings are asked for and give. Whoever asks needs no table for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_envstore.database.states import BUILDING, CANCELED, COMPLETED, FAILED, QUEUED

if TYPE_CHECKING:
    from jupyter_envstore.database.models import Build, Environment, Namespace

STATUSES = (QUEUED, BUILDING, COMPLETED, FAILED, CANCELED)


@dataclass(frozen=True)
class Filters:
    """What a listing is narrowed to; empty values narrow nothing.

    Parameters
    ----------
    visible : tuple of str or None
        Entities (``namespace/name`` in lower case, ``*`` for any characters) that may be seen; None for all.
    search : str
        Part of the name of a namespace or environment.
    packages : tuple of str
        Names of packages that a build must all have.
    artifact : str
        Type of an artifact that is ready; ``logs`` and ``prefix`` too.
    """

    visible: tuple[str, ...] | None = None
    search: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""
    packages: tuple[str, ...] = ()
    artifact: str = ""
    environment_id: int | None = None


@dataclass(frozen=True)
class Page:
    """Which part of a listing: number (from 1), rows (None for all), and the order."""

    number: int = 1
    size: int | None = 100
    sort_by: tuple[str, ...] = ()
    descending: bool = False
    after: tuple[Any, ...] = field(default=())


@dataclass(frozen=True)
class EnvironmentRow:
    """An environment as listings show it; ``build`` is the active one, or the newest where none is.

    ``members`` is how many have a role in its namespace by the store's own word.
    """

    environment: Environment
    namespace: Namespace
    build: Build | None
    newest: Build | None
    members: int = 0
