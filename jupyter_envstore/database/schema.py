"""The tables: made as they are now, or brought there from those of an older version."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, inspect, text

from jupyter_envstore.database.models import Base
from jupyter_envstore.errors import StorageError

HEAD = "0014"
"""The newest revision; a test compares it with the migration scripts."""
WRITE_LOCK = 0x656E7673
"""Key of the advisory lock that makes writers of one PostgreSQL database take turns."""
MOVED = "moved:"
"""Stands before the revision of tables whose rows are in another database now."""
VERSION_TABLE = """\
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""As alembic makes it."""


def revision(connection: Connection) -> str | None:
    """Return the revision of the tables, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def to_newest(engine: Engine) -> None:
    """Bring the tables to the newest revision; several processes at once do each other no harm.

    Where there are none, they are made as they are now, which takes a tenth of the time of all migrations.

    Raises
    ------
    StorageError
        They are of a newer version, or were moved away.
    """
    with engine.execution_options(envstore_write=True).begin() as connection:
        wait_for_turn(connection)
        found = revision(connection)
        check_known(found)
        if found is None:
            _make_tables(connection)
            connection.execute(text(VERSION_TABLE))
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
    if found not in (None, HEAD):
        upgrade(engine)


def _make_tables(connection: Connection) -> None:
    """Make all tables.

    Where a database can take it, SQLAlchemy adds the constraint of a circle afterwards, and then never again makes it
    with its table, as SQLite has to; so a copy of what describes the tables is used there.
    """
    if connection.dialect.name == "sqlite":
        Base.metadata.create_all(connection)
        return
    copy = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(copy)
    copy.create_all(connection)


def check_known(found: str | None) -> None:
    """Refuse tables that cannot be used as they are, by their revision.

    Raises
    ------
    StorageError
        They are of a newer version, or their rows were moved away.
    """
    if found is not None and found.startswith(MOVED):
        msg = (
            "the store's database was moved to another one; name that in database_url, or go back to this one with: "
            "jupyter envstore move-database --back"
        )
        raise StorageError(msg)
    if found is not None and found > HEAD:
        msg = (
            f"the store's database was made by a newer version of jupyter-envstore (revision {found}; this one knows "
            f"{HEAD}); install that version"
        )
        raise StorageError(msg)


def upgrade(engine: Engine, target: str = "head") -> None:
    """Run the migrations up to the revision ``target``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    writing = engine.execution_options(envstore_write=True)
    with writing.connect() as connection, _foreign_keys_later(connection), connection.begin():
        wait_for_turn(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, target)
        _check_foreign_keys(connection)


def wait_for_turn(connection: Connection) -> None:
    """Wait for other writers of a PostgreSQL database; on SQLite the transaction has begun with its lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITE_LOCK})


@contextlib.contextmanager
def _foreign_keys_later(connection: Connection) -> Iterator[None]:
    """Let SQLite's tables be made anew, as its changes of constraints are: what refers to them is checked at the end.

    SQLite takes this setting outside of a transaction alone ("Making Other Kinds Of Table Schema Changes" in its
    documentation).
    """
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        msg = f"the store's database is damaged: a row of {broken[0]} refers to a row of {broken[2]} that is not there"
        raise StorageError(msg)
