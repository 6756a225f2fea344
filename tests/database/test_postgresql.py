"""A store on PostgreSQL: it means what it means on SQLite, survives a restart, and can be moved there."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import postgresql_watch
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.job_endings import silent_jobs
from jupyter_envstore.database.jobs import BUILD, claim_next, enqueue
from jupyter_envstore.database.listings import list_namespaces
from jupyter_envstore.database.models import (
    Base,
    Build,
    BuildPackage,
    Environment,
    Job,
    LogChunk,
    Namespace,
    Package,
    Specification,
)
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.postgresql import PostgresqlServer, parse, shown
from jupyter_envstore.database.schema import HEAD, upgrade
from jupyter_envstore.errors import DatabaseAwayError, InvalidInputError, StorageError
from jupyter_envstore.services.doctor import Finding, examine
from tests.database.test_database import REVISIONS, whole_schema
from tests.postgresql import Postgresql


@pytest.fixture
def url(server: Postgresql, request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    return server.make(f"d{abs(hash(request.node.nodeid))}")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with the tables of today."""
    found = Database(url, busy_timeout=1.0)
    found.migrate()
    yield found
    found.close()


def test_migrations_and_today_s_tables_are_the_same(server: Postgresql) -> None:
    made = Database(server.make("made"))
    made.migrate()
    for revision in REVISIONS:
        migrated = Database(server.make(f"migrated{revision}"))
        upgrade(migrated.engine, revision)
        migrated.migrate()
        assert migrated.revision() == HEAD
        with migrated.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert whole_schema(migrated.engine) == whole_schema(made.engine)
        migrated.close()
    made.close()


def test_several_processes_make_the_tables_at_once(url: str) -> None:
    databases = [Database(url) for _ in range(4)]
    threads = [threading.Thread(target=database.migrate) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {database.revision() for database in databases} == {HEAD}
    for database in databases:
        database.close()


def test_names_are_sorted_and_compared_by_their_letters_whatever_the_language_of_the_database(
    database: Database,
) -> None:
    names = ["a_b", "a-c", "ab", "A1", "b.a", "a.b", "a9", "a10"]
    with database.write() as session:
        for name in names:
            rows.ensure_namespace(session, name, "tester")
    with database.read() as session:
        count, found = list_namespaces(session, None, Page())
    assert [space.name for space in found] == sorted(names, key=str.lower)
    assert count == len(names)
    with database.write() as session:
        assert rows.ensure_namespace(session, "AB", "tester").name == "ab"


def test_texts_that_are_longer_than_their_columns_say_are_kept_as_in_sqlite(database: Database) -> None:
    with database.write() as session:
        space = rows.ensure_namespace(session, "a", "x" * 500)
        number = space.id
    with database.read() as session:
        assert session.get_one(Namespace, number).created_by == "x" * 500


def test_a_session_that_reads_sees_one_moment(database: Database) -> None:
    with database.read() as session:
        assert list_namespaces(session, None, Page())[0] == 0
        with database.write() as writing:
            rows.ensure_namespace(writing, "a", "tester")
        assert list_namespaces(session, None, Page())[0] == 0
    with database.read() as session:
        assert list_namespaces(session, None, Page())[0] == 1


def test_writers_take_turns_but_who_writes_own_rows_does_not_wait(database: Database) -> None:
    with database.write() as first:
        rows.ensure_namespace(first, "a", "tester")
        with database.write(alone=False) as own:
            own.execute(text("SELECT 1"))
        with pytest.raises(StorageError, match="locked by another process"), database.write() as second:
            rows.ensure_namespace(second, "b", "tester")
    with database.read() as session:
        assert [space.name for space in list_namespaces(session, None, Page())[1]] == ["a"]


def test_each_write_is_told_to_who_watches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_watch, "LOOK_ANYWAY_SECONDS", 3600.0)
    with contextlib.closing(database.watch()) as watch:
        assert watch.moved()
        assert not watch.moved()
        for alone in (True, False):
            with database.write(alone) as session:
                rows.ensure_namespace(session, f"a{alone}", "tester")
                assert not watch.moved()  # not before it is committed
            assert_soon(watch.moved)
            assert not watch.moved()
        with pytest.raises(ZeroDivisionError), database.write() as session:
            rows.ensure_namespace(session, "b", "tester")
            raise ZeroDivisionError
        time.sleep(0.1)
        assert not watch.moved()


def assert_soon(condition: Any, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_connection_that_was_cut_is_made_again(database: Database, server: Postgresql) -> None:
    with contextlib.closing(database.watch()) as watch:
        watch.moved()
        with database.read() as session:
            session.execute(text("SELECT 1"))
        server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert_soon(watch.moved)  # as long as nothing is known, it may have been
        with database.write() as session:
            rows.ensure_namespace(session, "a", "tester")


def test_a_server_that_is_restarted_is_waited_for_and_one_that_is_away_is_named(server: Postgresql, url: str) -> None:
    patient, other = Database(url, patience=20.0), Database(url, patience=0.0)
    patient.migrate()
    server.stop()
    threading.Timer(1.5, server.start).start()
    started = time.monotonic()
    with pytest.raises(DatabaseAwayError, match=r"database \S+ on \S+ does not answer: .*; try again"), other.read():
        pass
    with patient.write() as session:
        rows.ensure_namespace(session, "a", "tester")
    assert time.monotonic() - started > 1
    for database in (patient, other):
        database.close()


def test_what_a_transaction_wrote_that_was_cut_is_not_there(database: Database, server: Postgresql) -> None:
    with pytest.raises(DatabaseAwayError), database.write() as session:
        rows.ensure_namespace(session, "a", "tester")
        server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        rows.ensure_namespace(session, "b", "tester")
    with database.read() as session:
        assert list_namespaces(session, None, Page())[0] == 0


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mysql://a:pw-secret@h/d", "names mysql, which is not known"),
        ("postgresql+asyncpg://a:pw-secret@h/d", "not known"),
        ("nonsense pw-secret", "no address of a database"),
        ("postgresql://a:pw-secret@h:port/d", "no address of a database"),
    ],
)
def test_an_address_of_another_kind_is_refused_without_its_password(address: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told) as refused:
        Database(address)
    assert "pw-secret" not in str(refused.value)


def test_no_error_shows_a_password(server: Postgresql, url: str) -> None:
    (hba := server.data / "pg_hba.conf").write_text("local all tests trust\nlocal all all scram-sha-256\n")
    server.run("postgres", "CREATE ROLE other LOGIN PASSWORD 'right'")
    server.run("postgres", "SELECT pg_reload_conf()")
    name = url.partition("@/")[2].partition("?")[0]
    told = []
    for address in (
        f"postgresql://other:pw-secret@/{name}?host={server.folder}",
        f"postgresql://other@/{name}?host={server.folder}&password=pw-secret",
        f"postgresql://other:pw-secret@/nowhere?host={server.folder}",
        "postgresql://other:pw-secret@127.0.0.1:9/d",
    ):
        database = Database(address, patience=0.0)
        with pytest.raises(StorageError) as failed:
            database.migrate()
        told.append(str(failed.value))
        assert "pw-secret" not in f"{failed.value} {failed.value.__cause__} {database.kind.place} {database.engine}"
        database.close()
    assert all("refuses: " in text and "authentication failed" in text for text in told[:3])
    assert told[3] == "the store's database d on 127.0.0.1 does not answer: Connection refused; try again"
    hba.write_text("local all all trust\n")


def test_the_driver_is_set_and_what_is_shown_opens_nothing() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert parse(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"
    assert shown(parse("postgresql://u:p@h/d?sslmode=require&password=q")) == "d on h"
    assert shown(parse("postgresql:///?host=/run/pg")) == "the default database on /run/pg"
    assert isinstance(Database("postgresql://u@h/d").kind, PostgresqlServer)


def test_two_servers_that_claim_at_once_get_different_jobs(database: Database, server: Postgresql) -> None:
    count = 40
    with database.write() as session:
        space = rows.ensure_namespace(session, "a", "tester")
        _add_jobs(session, space, count)
    claimed: list[int] = []

    def claim() -> None:
        own = Database(str(database.engine.url.render_as_string(hide_password=False)))
        while True:
            with own.write() as session:
                found = claim_next(session, 1000, "host")
            if found is None:
                break
            claimed.append(found.job_id)
        own.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == count


def test_hosts_whose_clocks_differ_agree_on_who_is_silent(database: Database) -> None:
    """A worker on a host whose clock is minutes off reports, and counts as heard of."""
    if shutil.which("faketime") is None:
        pytest.skip("needs faketime")
    with database.write() as session:
        space = rows.ensure_namespace(session, "a", "tester")
        _add_jobs(session, space, 2)
        claims = [claim_next(session, 10, "host") for _ in range(2)]
    url = database.engine.url.render_as_string(hide_password=False)
    code = (
        "import sys\n"
        "from jupyter_envstore.database.connection import Database, now\n"
        "from jupyter_envstore.database.job_endings import silent_jobs\n"
        "from jupyter_envstore.database.models import Job\n"
        "database = Database(sys.argv[1])\n"
        "with database.read() as session:\n"
        "    assert silent_jobs(session, 30.0) == []\n"
        "with database.write() as session:\n"
        "    session.get_one(Job, int(sys.argv[2])).heartbeat_on = now()\n"
    )
    for skew, claim in zip(("-5m", "+5m"), claims, strict=True):
        assert claim is not None
        command = ["faketime", "-f", skew, sys.executable, "-c", code, url, str(claim.job_id)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    with database.read() as session:
        assert silent_jobs(session, 30.0) == []
        reported = [session.get_one(Job, claim.job_id).heartbeat_on for claim in claims if claim]
    assert all(moment is not None and abs((moment - now()).total_seconds()) < 20 for moment in reported)


def test_a_job_whose_worker_hangs_in_a_transaction_can_be_stopped(database: Database) -> None:
    with database.write() as session:
        space = rows.ensure_namespace(session, "a", "tester")
        _add_jobs(session, space, 1)
        claim = claim_next(session, 10, "host")
    assert claim is not None
    patient = Database(str(database.engine.url.render_as_string(hide_password=False)))
    with pytest.raises(DatabaseAwayError), claim.write(database, alone=False) as hanging:  # as of a stopped machine
        with patient.write() as session:
            session.get_one(Job, claim.job_id).cancel_requested = True
        hanging.get_one(Job, claim.job_id).heartbeat_on = now()
    with database.read() as session:
        assert session.get_one(Job, claim.job_id).cancel_requested
    patient.close()


def _add_jobs(session: Any, space: Namespace, count: int) -> None:
    spec = Specification(
        name="e", sha256="0" * 64, spec={}, text="", is_lockfile=False, created_on=now(), created_by="tester"
    )
    place = Environment(namespace_id=space.id, name="e", name_key="e", created_on=now(), created_by="tester")
    session.add_all([spec, place])
    session.flush()
    for number in range(count):
        build = Build(
            environment_id=place.id, specification_id=spec.id, number=number, key=f"k{number}", directory=f"d{number}",
            status="QUEUED", scheduled_on=now(), options={},
        )  # fmt: skip
        session.add(build)
        session.flush()
        enqueue(session, BUILD, build.id)


def finding(url: str, root: Path) -> Finding:
    """Return what the doctor says of the database."""
    return next(found for found in examine(StoreConfig(str(root), database_url=url)) if found.what == "database")


def test_an_address_with_options_serves_the_watch_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_watch, "LOOK_ANYWAY_SECONDS", 3600.0)
    database = Database(f"{url}&options=-c%20search_path%3Dpublic%20-c%20work_mem%3D8MB&application_name=mine")
    database.migrate()
    with contextlib.closing(database.watch()) as watch:
        assert watch.moved()
        assert not watch.moved()
        with database.write() as session:
            rows.ensure_namespace(session, "a", "tester")
        assert_soon(watch.moved)
        assert not watch.moved()
    with database.read() as session:
        assert session.execute(text("SHOW work_mem")).scalar() == "8MB"
        assert session.execute(text("SHOW application_name")).scalar() == "mine"
    database.close()


def test_a_connection_keeps_nothing_of_a_transaction(database: Database) -> None:
    with database.write() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar() == "1s"
        assert session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "15s"
    with database.write(alone=False) as session:
        assert session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "5s"
    with database.read() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar() == "0"
        assert session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "0"
        for _ in range(20):
            session.execute(text("SELECT 1"))
        assert session.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0


def test_patterns_take_no_notice_of_case_and_far_pages_are_empty(database: Database) -> None:
    with database.write() as session:
        _add_jobs(session, rows.ensure_namespace(session, "a", "tester"), 1)
        package = Package(manager="conda", name="Foo-Bar", version="1")
        session.add(package)
        session.flush()
        session.add(BuildPackage(build_id=1, package_id=package.id))
    with database.read() as session:
        found = [list_environments(session, Filters(packages=(name,)), Page())[0] for name in ("foo*", "fo_*", "*BAR")]
        assert found == [1, 0, 1]
        assert list_environments(session, Filters(), Page(number=2**31 - 1, size=1000)) == (1, [])


def test_a_text_that_cannot_be_kept_is_refused_with_words(database: Database) -> None:
    refused = pytest.raises(InvalidInputError, match="a character that the store's database cannot keep")
    with refused, database.write() as session:
        rows.ensure_namespace(session, "a", "with \0 in it")


def test_lines_of_a_log_are_numbered_as_they_are_committed(database: Database) -> None:
    with database.write() as session:
        _add_jobs(session, rows.ensure_namespace(session, "a", "tester"), 1)
        claim = claim_next(session, 10, "host")
    assert claim is not None
    with claim.write(database) as first, pytest.raises(StorageError, match="locked"):
        first.add(LogChunk(build_id=1, text="first", created_on=now()))
        first.flush()
        with database.write() as second:
            second.add(LogChunk(build_id=1, text="second", created_on=now()))


def test_the_doctor_looks_at_the_server_its_encoding_and_its_clock(
    server: Postgresql, url: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = url.replace("tests@", "tests:pw-secret@")
    name = url.partition("@/")[2].partition("?")[0]
    found = finding(secret, root)
    assert (found.state, found.text) == ("ok", f"{name} on {server.folder}, revision none yet")
    server.run("postgres", "CREATE DATABASE ascii TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'")
    found = finding(server.url("ascii"), root)
    assert found.state == "error"
    assert "its encoding is SQL_ASCII" in found.text
    found = finding(server.url("nowhere"), root)
    assert found.state == "error"
    assert 'refuses: database "nowhere" does not exist; check database_url' in found.text
    ours = time.time
    monkeypatch.setattr(time, "time", lambda: ours() - 300)
    found = finding(url, root)
    assert found.state == "warning"
    assert "is +300 s from that of this machine" in found.text
