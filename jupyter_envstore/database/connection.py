"""The database: engine and transactions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as Session  # others name what they are given

from jupyter_envstore.database import schema
from jupyter_envstore.database.clock import now as now
from jupyter_envstore.database.clock import set_ahead
from jupyter_envstore.database.kinds import DatabaseKind, WriteWatch
from jupyter_envstore.database.sessions import PLACE, PlacedSession
from jupyter_envstore.database.sqlite import SqliteFile, database_file

BUSY_TIMEOUT = 20.0
PATIENCE = 3.0
"""How long a database that does not answer is asked again."""
PAUSE = 0.2
CLOCK_SECONDS = 300.0
"""How often the clock of a database on another machine is asked for."""


def kind_of(url: str) -> DatabaseKind:
    """Return the database that an address names.

    Raises
    ------
    InvalidInputError
        It names none that is known, or its driver is not installed.
    """
    file = database_file(url)
    if file is not None:
        return SqliteFile(file)
    from jupyter_envstore.database.postgresql import PostgresqlServer

    return PostgresqlServer(url)


class Database:
    """A database that several processes use at once.

    Parameters
    ----------
    url : str
        SQLAlchemy address, for example ``sqlite:////home/jo/envstore/envstore.sqlite``.
    busy_timeout : float
        Seconds to wait for another process's write.
    patience : float
        Seconds to wait for a server of the database that does not answer, before a transaction begins.

    Raises
    ------
    InvalidInputError
        The address names no database that is known, or its driver is not installed.
    """

    def __init__(self, url: str, busy_timeout: float = BUSY_TIMEOUT, patience: float = PATIENCE) -> None:
        self.kind = kind_of(url)
        self.engine: Engine = self.kind.make_engine(busy_timeout)
        self.place = 0
        """The number of the place that sessions belong to; 0 for none, in which no prefix is."""
        self.patience = patience
        self._reading = self.kind.for_reading(self.engine)
        self._writing = self.engine.execution_options(envstore_write=True)
        self._clock_asked = -CLOCK_SECONDS

    def make(self) -> None:
        """Make the database where there is none, if it is a file.

        Raises
        ------
        StorageError
            It cannot be made.
        """
        self.kind.make()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads, and sees the database as it is at one moment.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        with self._session(self._reading) as session:
            yield session

    @contextlib.contextmanager
    def write(self, alone: bool = True) -> Iterator[Session]:
        """Open a session whose changes are kept together, or none of them.

        Parameters
        ----------
        alone : bool
            Whether no other writer may come between what is read and what is written. Without, only rows that are
            locked are safe from others: enough for who writes rows of its own.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        with self._session(self._writing) as session, session.begin():
            self.kind.begin_write(session, alone)
            yield session
            if session.in_transaction():  # it may have been rolled back
                self.kind.tell_write(session)

    def migrate(self) -> None:
        """Bring the tables to the newest revision; a look and no more where they are.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        if self.revision() != schema.HEAD:
            with self._explained():
                schema.to_newest(self.engine)

    def revision(self) -> str | None:
        """Return the revision of the tables, None for an empty database.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        with self._explained(), self._connect(self.engine) as connection:
            return schema.revision(connection)

    def check(self) -> str:
        """Return what is wrong with what is stored, empty where nothing is.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        with self._explained():
            return self.kind.check(self.engine)

    def clock_ahead(self) -> float:
        """Return how many seconds the clock of the database is ahead of that of this machine.

        Raises
        ------
        StorageError
            The database cannot be used.
        """
        with self._explained():
            return self.kind.clock_ahead(self.engine)

    def watch(self) -> WriteWatch:
        """Return what tells whether anybody wrote, for one thread, which closes it."""
        return self.kind.watch()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with (
            self._explained(),
            self._connect(engine) as connection,
            PlacedSession(connection, expire_on_commit=False, info={PLACE: self.place}) as session,
        ):
            yield session

    @contextlib.contextmanager
    def _connect(self, engine: Engine) -> Iterator[Connection]:
        """Give a connection; a server that is restarted, or cannot be reached for a moment, is waited for."""
        until = time.monotonic() + self.patience
        while True:
            try:
                if time.monotonic() - self._clock_asked > CLOCK_SECONDS:
                    set_ahead(self.kind.clock_ahead(self.engine))
                    self._clock_asked = time.monotonic()
                connection = engine.connect()
                break
            except DBAPIError as error:
                if not self.kind.is_away(error) or time.monotonic() > until:
                    raise
                time.sleep(PAUSE)
        with connection:
            yield connection

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the database's own troubles into errors with a way out."""
        try:
            yield
        except DBAPIError as error:
            explained = self.kind.explain(error)
            if explained is None:
                raise
            raise explained from error
