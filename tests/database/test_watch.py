"""Whether anybody wrote is told for almost nothing, and nothing is missed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from jupyter_envstore.application.change_watcher import ChangeWatcher, News
from jupyter_envstore.database import postgresql_watch, sqlite_watch
from jupyter_envstore.database.connection import Database
from tests.helpers import Store

RESTING_SECONDS = 2.5


def file_of(database: Database) -> Path:
    """Return the file of a database of SQLite."""
    return Path(database.engine.url.database or "")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with one table."""
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE things (name TEXT)"))
    yield database
    database.close()


def add(database: Database) -> None:
    """Write a row."""
    with database.write() as session:
        session.execute(text("INSERT INTO things VALUES ('a')"))


def test_each_write_is_told_once(database: Database) -> None:
    watch = database.watch()
    assert watch.moved()
    assert not watch.moved()
    for _ in range(2):
        add(database)
        assert watch.moved()
        assert not watch.moved()
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM things")).scalar() == 2
    assert not watch.moved()
    watch.close()
    assert watch.moved()  # opened again
    watch.close()


def test_a_write_of_another_process_is_told(database: Database) -> None:
    watch = database.watch()
    watch.moved()
    assert not watch.moved()
    code = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as c: c.execute(\"INSERT INTO things VALUES ('b')\")"
    subprocess.run([sys.executable, "-c", code, str(file_of(database))], check=True)
    assert watch.moved()
    assert not watch.moved()
    watch.close()


def test_a_file_that_was_put_in_place_of_it_is_told_and_watched(database: Database, tmp_path: Path) -> None:
    watch = database.watch()
    watch.moved()
    database.close()  # writes what is kept beside the file into it
    shutil.copy(file_of(database), tmp_path / "copy")
    (tmp_path / "copy").replace(file_of(database))
    assert watch.moved()
    assert not watch.moved()
    add(database)
    assert watch.moved()
    file_of(database).unlink()
    assert watch.moved()
    assert watch.moved()  # nothing is known of a file that is not there
    watch.close()


def test_one_looks_now_and_then_without_news(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_watch, "LOOK_ANYWAY_SECONDS", 0.05)
    watch = database.watch()
    watch.moved()
    time.sleep(0.06)
    assert watch.moved()
    assert not watch.moved()
    watch.close()


def test_an_idle_server_leaves_its_tables_alone_and_goes_on_when_something_is_written(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite_watch, postgresql_watch):
        monkeypatch.setattr(module, "LOOK_ANYWAY_SECONDS", 3600.0)
    store.build(f"channels: [{nasty_channel}]\ndependencies: [nasty-text]", name="first")
    statements: list[str] = []
    event.listen(store.envstore.database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    told: list[News] = []
    stop = threading.Event()
    watcher = ChangeWatcher(store.envstore, told.append, lambda: None)
    rounds = (store.envstore.scheduler.run, watcher.run)
    threads = [threading.Thread(target=run, args=(stop,)) for run in rounds]
    for thread in threads:
        thread.start()
    try:
        time.sleep(RESTING_SECONDS)
        before, told_before = len(statements), len(told)  # the worker of the first build may have ended only now
        time.sleep(RESTING_SECONDS)
        assert statements[before:] == []
        assert len(told) == told_before > 0
        build = store.submit(f"channels: [{nasty_channel}]\ndependencies: [nasty-links]", name="second")
        deadline = time.monotonic() + 60
        while store.envstore.builds.show(build.id)["status"] != "COMPLETED":  # nobody else ticks
            assert time.monotonic() < deadline
            time.sleep(0.1)
        while not (build.id in {row.build_id for news in told for row in news.changed} and told[-1].working == 0):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
