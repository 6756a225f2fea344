"""The database: engine, transactions, migrations."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session as Session  # others name what they are given
from sqlalchemy.pool import QueuePool

from jupyter_envstore.database import schema
from jupyter_envstore.database.write_watch import WriteWatch
from jupyter_envstore.errors import StorageError
from jupyter_envstore.private_files import create_private

BUSY_TIMEOUT = 20.0
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


def now() -> datetime:
    """Return the time as the database keeps it: UTC, naive."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def database_file(url: str) -> Path | None:
    """Return the file of a database; None where it is none of SQLite."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


class Database:
    """A database that several processes use at once.

    Parameters
    ----------
    url : str
        SQLAlchemy address, for example ``sqlite:////home/jo/envstore/envstore.sqlite``.
    busy_timeout : float
        Seconds to wait for another process's write.
    """

    def __init__(self, url: str, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self.url = url
        self.path = database_file(url)
        self.wal = self.path is not None and file_system(self.path.parent) not in NETWORK_FILE_SYSTEMS
        arguments: dict[str, Any] = {"timeout": busy_timeout, "check_same_thread": False} if self.path else {}
        self.engine: Engine = create_engine(url, connect_args=arguments, poolclass=QueuePool)
        if self.path:
            event.listen(self.engine, "connect", self._on_connect)
            event.listen(self.engine, "begin", _begin)

    def make_file(self) -> None:
        """Make the file of SQLite where there is none: for its account alone, as what SQLite puts beside it is then.

        Raises
        ------
        StorageError
            It cannot be made.
        """
        if self.path is None or self.path.exists():
            return
        try:
            with contextlib.suppress(FileExistsError):  # another process was first
                create_private(self.path)
        except OSError as error:
            msg = f"the store's database cannot be written ({error.strerror}); check who owns its folder (root_dir)"
            raise StorageError(msg) from None

    def _on_connect(self, connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are ours: see _begin
        connection.execute("PRAGMA foreign_keys=ON")
        if self.wal:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with _explained(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session whose changes are kept together, or none of them.

        On SQLite the write lock is taken at once (``BEGIN IMMEDIATE``), so that a read and the write that
        follows it cannot be torn apart by another process; on PostgreSQL an advisory lock does the same.
        """
        engine = self.engine.execution_options(envstore_write=True)
        with _explained(), Session(engine, expire_on_commit=False) as session, session.begin():
            schema.wait_for_turn(session.connection())
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest revision; a look and no more where they are."""
        with _explained():
            if self.path:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.revision() != schema.HEAD:
                schema.to_newest(self.engine)

    def revision(self) -> str | None:
        """Return the revision of the tables, None for an empty database."""
        with _explained(), self.engine.connect() as connection:
            return schema.revision(connection)

    def check(self) -> str:
        """Return what is wrong with the file, empty where nothing is."""
        if self.path is None or not self.path.exists():
            return ""
        with _explained(), self.engine.connect() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        return "" if found == "ok" else str(found)

    def watch(self) -> WriteWatch:
        """Return what tells whether anybody wrote, for one thread, which closes it."""
        return WriteWatch(self.path)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


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


def _begin(connection: Any) -> None:
    immediate = connection.get_execution_options().get("envstore_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the database's own troubles into errors with a way out."""
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig)
        if "disk I/O error" in reason:
            msg = f"the store's database cannot be written ({reason}): is its disk full, or broken?"
        elif "locked" in reason:
            msg = "the store's database is locked by another process; try again, and look for one that hangs"
        elif "full" in reason:
            msg = "no space left on the disk of the store's database; free some with: jupyter envstore gc"
        elif "readonly" in reason or "unable to open" in reason:
            msg = f"the store's database cannot be written ({reason}); check who owns its folder (root_dir)"
        else:
            raise
        raise StorageError(msg) from error
    except DatabaseError as error:
        if "not a database" in str(error.orig) or "malformed" in str(error.orig):
            msg = f"the store's database is damaged ({error.orig}); restore a backup of envstore.sqlite"
            raise StorageError(msg) from error
        raise
