"""A store that outgrows its file of SQLite: its rows are copied into the database that the configuration names."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.copying import check_empty, close_moved, copy_rows, empty_opened, open_moved
from jupyter_envstore.database.jobs import anything_unfinished
from jupyter_envstore.database.schema import MOVED
from jupyter_envstore.database.sqlite import database_file
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError


@dataclass(frozen=True)
class Moved:
    """What was copied: from which file, to which database, and how many rows."""

    source: str
    target: str
    rows: int


def move_database(config: StoreConfig) -> Moved:
    """Copy the rows of a store's file of SQLite into the database that ``database_url`` names.

    Meanwhile nobody else writes. Afterwards the file takes no more writes: a server that still uses it fails at once,
    and loses nothing. Files of the store stay where they are.

    Raises
    ------
    InvalidInputError
        The configuration names no other database.
    NotFoundError
        There is no file.
    ConflictError
        Builds are queued or run; the file was moved before; or the other database has rows.
    StorageError
        One of the databases cannot be used. Both are as before; only if the connection is lost at the very end, the
        copy may be there: empty the new database then, and begin again.
    """
    if not config.database_url or database_file(config.url) is not None:
        msg = "name a database of PostgreSQL in the configuration first: c.EnvStoreApp.database_url"
        raise InvalidInputError(msg)
    with contextlib.closing(_file_database(config)) as first, contextlib.closing(Database(config.url)) as second:
        if _was_moved(first):
            msg = f"{first.kind.place} was moved already"
            raise ConflictError(msg)
        first.migrate()
        with first.read() as source:
            _check_settled(source)
        second.migrate()
        with first.write() as source, second.write() as target:
            _check_settled(source)
            check_empty(target, second.kind.place)
            empty_opened(target)
            counts = copy_rows(source, target)
            close_moved(source)  # committed behind what was copied: at no moment is there no database to use
        return Moved(first.kind.place, second.kind.place, sum(counts.values()))


def _check_settled(session: Session) -> None:
    if anything_unfinished(session, anywhere=True):
        msg = "builds are queued or run; wait until they have ended, or cancel them"
        raise ConflictError(msg)


def go_back(config: StoreConfig) -> Path:
    """Let the file of a store that was moved be used again, as it was then; return it.

    Raises
    ------
    NotFoundError
        There is no file.
    ConflictError
        It was not moved.
    """
    with contextlib.closing(_file_database(config)) as database:
        if not _was_moved(database):
            msg = f"{database.kind.place} was not moved"
            raise ConflictError(msg)
        with database.write() as session:
            open_moved(session)
        return Path(database.kind.place)


def _was_moved(database: Database) -> bool:
    return (database.revision() or "").startswith(MOVED)


def _file_database(config: StoreConfig) -> Database:
    database = Database(replace(config, database_url="").url)
    if not Path(database.kind.place).is_file():
        msg = f"there is no database at {database.kind.place}; name the folder of the store with --root DIR"
        raise NotFoundError(msg)
    return database
