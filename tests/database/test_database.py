"""The database: migrations, troubles of the disk, two processes at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, select
from sqlalchemy.exc import IntegrityError

import jupyter_envstore.database as store_package
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.models import Base, Build, Environment, Token
from jupyter_envstore.database.schema import HEAD, upgrade
from jupyter_envstore.database.sqlite import file_system
from jupyter_envstore.errors import InvalidInputError, StorageError
from jupyter_envstore.services.store import EnvStore
from tests.helpers import LEASE_SECONDS, Store

SCRIPTS = ScriptDirectory(str(Path(store_package.__file__).parent / "migrations"))
REVISIONS = [revision.revision for revision in SCRIPTS.walk_revisions()]


def file_of(database: Database) -> Path:
    """Return the file of a database of SQLite."""
    return Path(database.engine.url.database or "")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """An empty database."""
    return Database(f"sqlite:///{tmp_path / 'test.sqlite'}", busy_timeout=0.5)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_each_revision_is_brought_to_the_newest(database: Database, revision: str) -> None:
    upgrade(database.engine, revision)
    database.migrate()
    assert database.revision() == HEAD == SCRIPTS.get_current_head()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
    modelled = create_engine("sqlite://")
    Base.metadata.create_all(modelled)
    assert whole_schema(database.engine) == whole_schema(modelled)
    modelled.dispose()
    database.close()


def whole_schema(engine: Engine) -> dict[str, object]:
    """Return each table of a database with its columns, keys, constraints and indexes, names included."""
    found = inspect(engine)

    def by_name(values: Sequence[Mapping[str, object]]) -> list[str]:
        return sorted(repr(sorted((key, text_of(value)) for key, value in entry.items())) for entry in values)

    def text_of(value: object) -> str:
        return str({key: str(given) for key, given in value.items()} if isinstance(value, dict) else value)

    return {
        table: {
            "columns": by_name(found.get_columns(table)),
            "primary key": found.get_pk_constraint(table),
            "foreign keys": by_name(found.get_foreign_keys(table)),
            "unique": by_name(found.get_unique_constraints(table)),
            "indexes": by_name(found.get_indexes(table)),
            "checks": by_name(found.get_check_constraints(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_an_upgrade_keeps_the_rows_and_forgets_an_active_build_that_is_not_there(database: Database) -> None:
    upgrade(database.engine, "0005")
    with contextlib.closing(sqlite3.connect(str(file_of(database)))) as connection:
        day = "2026-01-01 00:00:00"
        connection.execute("INSERT INTO namespace VALUES (1, 'a', 'a', '{}', ?, '', NULL)", (day,))
        connection.execute(
            "INSERT INTO specification (id, name, sha256, spec, text, is_lockfile, created_on, created_by)"
            " VALUES (1, 'e', 'x', '{}', 'name: e', 0, ?, '')",
            (day,),
        )
        for number, active in ((1, 1), (2, 77)):
            connection.execute(
                "INSERT INTO environment (id, namespace_id, name, name_key, description, current_build_id, created_on,"
                " created_by) VALUES (?, 1, ?, ?, '', ?, ?, '')",
                (number, f"e{number}", f"e{number}", active, day),
            )
        connection.execute(
            "INSERT INTO build (id, environment_id, specification_id, number, key, directory, platform, status,"
            " status_info, options, prefix_state, package_count, size, own_size, pinned, trigger, scheduled_on,"
            " created_by) VALUES (1, 1, 1, 1, 'k', 'd', '', 'COMPLETED', '', '{}', '', 0, 0, 0, 0, '', ?, '')",
            (day,),
        )
        connection.commit()
    database.migrate()
    with database.read() as session:
        assert [(e.name, e.current_build_id) for e in session.scalars(select(Environment))] == [("e1", 1), ("e2", None)]
        assert [(b.key, b.warning_count) for b in session.scalars(select(Build))] == [("k", 0)]
    with pytest.raises(IntegrityError), database.write() as session:
        session.get_one(Environment, 1).current_build_id = 77
    database.close()


def test_an_upgrade_ends_links_that_do_not_say_which_environment_was_meant(database: Database) -> None:
    upgrade(database.engine, "0008")
    with contextlib.closing(sqlite3.connect(str(file_of(database)))) as connection:
        for kind in ("share", "user"):
            connection.execute(
                "INSERT INTO token (kind, name, hash, prefix, username, primary_namespace, role_bindings, groups,"
                " created_on) VALUES (?, '', ?, '', 'jo', 'jo', '{}', '[]', '2026-01-01 00:00:00')",
                (kind, kind),
            )
        connection.commit()
    database.migrate()
    with database.read() as session:
        tokens = list(session.scalars(select(Token).order_by(Token.kind)))
    assert [(token.kind, token.revoked_on is not None) for token in tokens] == [("share", True), ("user", False)]
    database.close()


def test_nothing_in_the_tables_is_refused_by_postgresql() -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    for table in Base.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
        assert all(len(index.name or "") <= 63 for index in table.indexes)


def test_two_processes_that_make_the_tables_at_once_do_each_other_no_harm(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    code = f"from jupyter_envstore.database.connection import Database; Database({url!r}).migrate()"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in processes] == [b""] * 4
    assert [process.returncode for process in processes] == [0] * 4


def test_a_locked_database_is_said_to_be_locked(database: Database) -> None:
    database.migrate()
    other = sqlite3.connect(str(file_of(database)), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked by another process"), database.write() as session:
        rows.ensure_namespace(session, "a", "tester")
    other.close()
    database.close()


def test_a_write_waits_for_another_that_ends_soon(database: Database) -> None:
    database.migrate()
    other = sqlite3.connect(str(file_of(database)), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("COMMIT")).start()
    started = time.monotonic()
    with database.write() as session:
        rows.ensure_namespace(session, "a", "tester")
    assert time.monotonic() - started > 0.1
    other.close()
    database.close()


def test_an_error_in_a_transaction_leaves_the_old_state(database: Database) -> None:
    database.migrate()
    with pytest.raises(ZeroDivisionError), database.write() as session:
        rows.ensure_namespace(session, "a", "tester")
        raise ZeroDivisionError
    with database.read() as session:
        assert rows.get_namespace(session, "a") is None
    database.close()


def test_a_file_that_is_no_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "test.sqlite").write_bytes(b"not a database at all " * 100)
    with pytest.raises(StorageError, match="damaged"):
        Database(f"sqlite:///{tmp_path / 'test.sqlite'}").migrate()


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self/mounts").exists(), reason="needs root's mounts")
def test_the_file_system_of_a_path_is_known() -> None:
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/no/such/folder")) == file_system(Path("/"))


def test_a_path_that_is_too_long_for_prefixes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"root_dir .* is too long"):
        EnvStore.open(StoreConfig(str(tmp_path / ("x" * 120))))
    with pytest.raises(InvalidInputError, match="space"):
        EnvStore.open(StoreConfig("/tmp/a b"))


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StorageError, match="choose another root_dir"):
        EnvStore.open(StoreConfig("/proc/envstore"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a small disk")
def test_a_full_disk_fails_the_build_with_the_reason_and_leaves_nothing(small_disk: Path, channel: str) -> None:
    store = Store(EnvStore.open(StoreConfig(str(small_disk), lease_seconds=LEASE_SECONDS)))
    view = store.build(f"name: e\nchannels: [{channel}]\ndependencies: [numpy, pandas]")
    store.close()
    assert view["status"] == "FAILED"
    assert "space left" in view["reason"]
    assert store.files() == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a read-only disk")
def test_a_read_only_store_is_said_to_be_read_only(small_disk: Path) -> None:
    EnvStore.open(StoreConfig(str(small_disk))).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match="cannot be written"):
        EnvStore.open(StoreConfig(str(small_disk)))
