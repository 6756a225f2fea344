"""What a kind of database must offer: SQLite for one machine, PostgreSQL for several."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from jupyter_envstore.errors import EnvStoreError


class WriteWatch(Protocol):
    """Tells, for one thread, whether anybody may have written into the database since it was last asked."""

    def moved(self) -> bool:
        """Whether there may be something new; the first answer is yes, and so is one every few seconds."""

    def close(self) -> None:
        """Close the connection; asked again, it is opened again."""


class DatabaseKind(Protocol):
    """One database, by its address."""

    @property
    def place(self) -> str:
        """Which database it is, for people: without what opens it."""

    silence_seconds: float
    """How long workers that could not reach the database may take to report again, once it can be reached."""

    def make_engine(self, busy_timeout: float) -> Engine:
        """Return the engine; a write waits for others for at most ``busy_timeout`` seconds.

        Raises
        ------
        InvalidInputError
            Its driver is not installed.
        """

    def for_reading(self, engine: Engine) -> Engine:
        """Return the engine for sessions that only read: each sees the database as it is at one moment."""

    def make(self) -> None:
        """Make the database where there is none, if it is a file.

        Raises
        ------
        StorageError
            It cannot be made.
        """

    def begin_write(self, session: Session, alone: bool) -> None:
        """Wait for other writers, unless the transaction needs to be ``alone`` in no way but by the rows it locks."""

    def tell_write(self, session: Session) -> None:
        """Have those who watch told of what was written, once it is committed."""

    def watch(self) -> WriteWatch:
        """Return what tells whether anybody wrote."""

    def check(self, engine: Engine) -> str:
        """Return what is wrong with what is stored, empty where nothing is."""

    def clock_ahead(self, engine: Engine) -> float:
        """Return how many seconds the clock of the database is ahead of that of this machine."""

    def explain(self, error: DBAPIError) -> EnvStoreError | None:
        """Return an error of the driver in words for people, with a way out; None where it is a fault of ours."""

    def is_away(self, error: DBAPIError) -> bool:
        """Whether the database does not answer now, and may soon."""
