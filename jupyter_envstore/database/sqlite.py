"""SQLite: a file of this machine that several processes use at once."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from jupyter_envstore.database.sqlite_watch import SqliteWatch
from jupyter_envstore.errors import StorageError
from jupyter_envstore.private_files import create_private

SCHEME = "sqlite:///"
WAS_MOVED = "the store was moved to another database; start this program again"
"""What a file says to who still writes into it."""
NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "fuse.sshfs",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "glusterfs",
}


def database_file(url: str) -> Path | None:
    """Return the file of a database; None where it is none of SQLite."""
    return Path(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None


class SqliteFile:
    """The database in a file.

    The write lock is taken at once (``BEGIN IMMEDIATE``), so that a read and the write that follows it cannot be torn
    apart by another process.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wal = file_system(path.parent) not in NETWORK_FILE_SYSTEMS

    silence_seconds = 0.0

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    def make_engine(self, busy_timeout: float) -> Engine:
        """Return the engine; a write waits for others for at most ``busy_timeout`` seconds."""
        arguments: dict[str, Any] = {"timeout": busy_timeout, "check_same_thread": False}
        engine = create_engine(f"{SCHEME}{self._path}", connect_args=arguments, poolclass=QueuePool)
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", _begin)
        return engine

    def _on_connect(self, connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are ours: see _begin
        connection.execute("PRAGMA foreign_keys=ON")
        if self._wal:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    def for_reading(self, engine: Engine) -> Engine:
        """Return the engine itself: a transaction of SQLite sees one moment."""
        return engine

    def make(self) -> None:
        """Make the file where there is none: for its account alone, as what SQLite puts beside it is then.

        Raises
        ------
        StorageError
            It cannot be made.
        """
        if self._path.exists():
            return
        try:
            with contextlib.suppress(FileExistsError):  # another process was first
                create_private(self._path)
        except OSError as error:
            msg = f"the store's database cannot be written ({error.strerror}); check who owns its folder (root_dir)"
            raise StorageError(msg) from None

    def begin_write(self, session: Session, alone: bool) -> None:
        """Do nothing: the transaction began with the write lock."""

    def tell_write(self, session: Session) -> None:
        """Do nothing: SQLite counts writes."""

    def watch(self) -> SqliteWatch:
        """Return what tells whether anybody wrote."""
        return SqliteWatch(self._path)

    def check(self, engine: Engine) -> str:
        """Return what is wrong with the file, empty where nothing is."""
        if not self._path.exists():
            return ""
        with engine.connect() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        return "" if found == "ok" else f"it is damaged ({found}); restore a backup"

    def clock_ahead(self, engine: Engine) -> float:
        """Return that the clock is the same."""
        return 0.0

    def explain(self, error: DBAPIError) -> StorageError | None:
        """Return an error of SQLite in words for people."""
        reason = str(error.orig)
        if "not a database" in reason or "malformed" in reason:
            return StorageError(f"the store's database is damaged ({reason}); restore a backup of envstore.sqlite")
        if WAS_MOVED in reason:
            return StorageError(WAS_MOVED)
        if not isinstance(error, OperationalError):
            return None
        if "disk I/O error" in reason:
            return StorageError(f"the store's database cannot be written ({reason}): is its disk full, or broken?")
        if "locked" in reason:
            msg = "the store's database is locked by another process; try again, and look for one that hangs"
            return StorageError(msg)
        if "full" in reason:
            msg = "no space left on the disk of the store's database; free some with: jupyter envstore gc"
            return StorageError(msg)
        if "readonly" in reason or "unable to open" in reason:
            msg = f"the store's database cannot be written ({reason}); check who owns its folder (root_dir)"
            return StorageError(msg)
        return None

    def is_away(self, error: DBAPIError) -> bool:
        """Whether the database does not answer now: a file always does."""
        return False


def _begin(connection: Any) -> None:
    immediate = connection.get_execution_options().get("envstore_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def file_system(path: Path) -> str:
    """Return the type of the file system that holds ``path``, or ``""`` where that is not known."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best = ("", "")
    for line in mounts:
        _, point, kind, *_ = line.split(" ")
        inside = str(path.resolve()) == point or str(path.resolve()).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]
