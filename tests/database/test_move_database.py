"""A store moves from SQLite to PostgreSQL, is saved from there, and outlives the end of its database's server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.schema import HEAD
from jupyter_envstore.errors import ConflictError, DatabaseAwayError, InvalidInputError, StorageError
from jupyter_envstore.services import backup
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.move_database import go_back, move_database
from jupyter_envstore.services.store import EnvStore
from tests.commands import run_command
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES, Store, executor_of
from tests.postgresql import Postgresql

SPECIFICATION = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"


@pytest.fixture
def elsewhere(server: Postgresql, root: Path) -> str:
    """The address of an empty database."""
    return server.make(root.name)


@pytest.fixture
def on_file(root: Path, package_cache: Path) -> Iterator[Store]:
    """A store on SQLite, whatever the others of the tests use."""
    (root / "pkgs").symlink_to(package_cache)
    config = StoreConfig(str(root), lease_seconds=LEASE_SECONDS, settings=dict(WITHOUT_ARCHIVES))
    opened = Store(EnvStore.open(config, executor_of(config)))
    yield opened
    opened.end_workers()
    opened.close()


def opened(store: Store, url: str) -> Store:
    config = replace(store.envstore.config, database_url=url)
    return Store(EnvStore.open(config, executor_of(config)))


def test_a_store_moves_with_all_it_has_and_goes_on_there(on_file: Store, elsewhere: str, nasty_channel: str) -> None:
    first = on_file.build(SPECIFICATION.format(channel=nasty_channel))
    second = on_file.build(SPECIFICATION.format(channel=nasty_channel) + "\nvariables: {A: '1'}")
    on_file.envstore.namespaces.create("other", "tester")
    log = on_file.envstore.logs.read(first["id"])
    shown = on_file.envstore.builds.show(second["id"])
    config = replace(on_file.envstore.config, database_url=elsewhere)

    moved = move_database(config)
    assert moved.rows > 20
    assert moved.source == str(on_file.root / "envstore.sqlite")
    assert elsewhere.partition("?host=")[2] in moved.target
    with pytest.raises(StorageError, match="was moved to another database; start this program again"):
        on_file.envstore.namespaces.create("lost", "tester")  # a server that is still open
    with pytest.raises(StorageError, match=r"was moved to another one; .*move-database --back"):
        EnvStore.open(on_file.envstore.config)
    with pytest.raises(ConflictError, match="was moved already"):
        move_database(config)
    with pytest.raises(StorageError, match=r"was moved to another one; .*move-database --back"):
        back_up(on_file.envstore.config, on_file.root / "b.tar")

    there = opened(on_file, elsewhere)
    assert there.envstore.builds.show(second["id"]) == shown
    assert there.envstore.logs.read(first["id"]) == log
    with there.envstore.database.read() as session:
        assert rows.get_namespace(session, "other") is not None
    assert there.envstore.prefixes.path(second["id"]).is_dir()
    third = there.build(SPECIFICATION.format(channel=nasty_channel) + "\nvariables: {A: '2'}")
    assert (third["status"], third["number"], third["id"]) == ("COMPLETED", 3, second["id"] + 1)
    there.close()

    go_back(config)
    with pytest.raises(ConflictError, match="was not moved"):
        go_back(config)
    again = EnvStore.open(on_file.envstore.config)
    again.namespaces.create("found", "tester")
    assert again.builds.show(second["id"]) == shown
    again.close()
    with pytest.raises(ConflictError, match="has a store already; name an empty one"):
        move_database(config)


def test_a_folder_is_not_taken_for_that_of_another_store(
    on_file: Store, server: Postgresql, elsewhere: str, nasty_channel: str
) -> None:
    view = on_file.build(SPECIFICATION.format(channel=nasty_channel))
    config = replace(on_file.envstore.config, database_url=elsewhere)
    with pytest.raises(
        StorageError, match=r"is empty: the one in .*envstore.sqlite is moved there with: .*move-database"
    ):
        EnvStore.open(config)
    assert {found.what: found.state for found in examine(config)}["database"] == "error"
    stranger = on_file.root.parent / f"{on_file.root.name}-stranger"
    with contextlib.closing(EnvStore.open(replace(config, root_dir=str(stranger)))):
        pass  # what opening an empty store writes does not stop the move
    with pytest.raises(StorageError, match=r"belongs to a store in another database; .* has another one"):
        EnvStore.open(config)
    assert move_database(config).rows
    other = replace(config, database_url=server.make(f"{on_file.root.name}-other"))
    with pytest.raises(StorageError, match=f"If that store is gone for good, remove {on_file.root}/place"):
        EnvStore.open(other)
    (on_file.root / "envstore.sqlite").unlink()
    with pytest.raises(StorageError, match="is not there: set database_url to that one, or choose another root_dir"):
        EnvStore.open(on_file.envstore.config)
    found = {finding.what: finding for finding in examine(on_file.envstore.config)}
    assert "is not there: set database_url to that one" in found["database"].text
    assert not (on_file.root / "envstore.sqlite").exists()
    with contextlib.closing(EnvStore.open(config)) as there:
        assert there.prefixes.path(view["id"]).is_dir()
    shutil.rmtree(stranger)


def test_what_cannot_be_moved_stays_as_it_was(on_file: Store, elsewhere: str, nasty_channel: str) -> None:
    for url in ("", f"sqlite:///{on_file.root}/other.sqlite"):
        with pytest.raises(InvalidInputError, match="name a database of PostgreSQL"):
            move_database(replace(on_file.envstore.config, database_url=url))
    config = replace(on_file.envstore.config, database_url=elsewhere)
    waiting = on_file.submit(SPECIFICATION.format(channel=nasty_channel))
    with pytest.raises(ConflictError, match="builds are queued or run"):
        move_database(config)
    on_file.wait(waiting.id)
    with pytest.raises(DatabaseAwayError):
        move_database(replace(config, database_url=elsewhere.replace("?host=", "?host=/nowhere/")))
    assert on_file.build(SPECIFICATION.format(channel=nasty_channel))["status"] == "COMPLETED"
    assert move_database(config).rows


def test_the_command_reads_the_new_database_from_the_configuration(
    on_file: Store, elsewhere: str, nasty_channel: str, tmp_path: Path
) -> None:
    on_file.build(SPECIFICATION.format(channel=nasty_channel))
    (tmp_path / "jupyter_envstore_config.py").write_text(f"c.EnvStoreApp.database_url = {elsewhere!r}\n")
    configured = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}

    def run(*words: str, variables: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
        return run_command([*words, f"--root={on_file.root}"], tmp_path, variables)

    told = run("move-database", variables=configured)
    assert told.returncode == 0, told.stderr
    assert "start the servers again" in told.stdout
    assert "team/e" in run("list", variables=configured).stdout
    told = run("list")
    assert told.returncode == 6
    assert "was moved to another one" in told.stderr
    assert "is used again" in run("move-database", "--back", variables=configured).stdout
    assert "team/e" in run("list").stdout


def cut_off(*_: object) -> None:
    """Stands for a server of the database that ends in the middle."""
    msg = "cut off"
    raise DatabaseAwayError(msg)


def test_a_backup_of_it_brings_a_store_back_in_either_database(
    on_file: Store,
    server: Postgresql,
    elsewhere: str,
    nasty_channel: str,
    tmp_path: Path,
    package_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    move_database(replace(on_file.envstore.config, database_url=elsewhere))
    there = opened(on_file, elsewhere)
    view = there.build(SPECIFICATION.format(channel=nasty_channel))
    log = there.envstore.logs.read(view["id"])
    server.run(elsewhere.partition("@/")[2].partition("?")[0], "UPDATE alembic_version SET version_num = '0008'")
    with pytest.raises(StorageError, match=r"is of another version of jupyter-envstore \(revision 0008"):
        back_up(there.envstore.config, tmp_path / "b.tar")
    server.run(elsewhere.partition("@/")[2].partition("?")[0], f"UPDATE alembic_version SET version_num = '{HEAD}'")
    saved = back_up(there.envstore.config, tmp_path / "b.tar")
    assert not saved.missing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar"]
    there.close()
    for name, url in (("a", ""), ("b", server.make(f"{on_file.root.name}-b"))):
        folder = on_file.root / name
        config = replace(on_file.envstore.config, root_dir=str(folder), database_url=url)
        if url:  # what fails at the end can be tried again
            with monkeypatch.context() as patched, pytest.raises(DatabaseAwayError):
                patched.setattr(backup, "copy_rows", cut_off)
                bring_back(config, tmp_path / "b.tar")
            assert list(folder.iterdir()) == []
        bring_back(config, tmp_path / "b.tar")
        (folder / "pkgs").symlink_to(package_cache)
        again = Store(EnvStore.open(config, executor_of(config)))
        assert again.envstore.builds.show(view["id"])["packed_away"]
        assert again.envstore.logs.read(view["id"]) == log
        again.envstore.prefixes.restore(view["id"])
        again.until(lambda again=again: not again.envstore.builds.show(view["id"])["packed_away"])
        again.close()
        with pytest.raises((InvalidInputError, ConflictError), match=r"there is a store|has a store"):
            bring_back(config, tmp_path / "b.tar")


@pytest.mark.parametrize(("how", "delay"), [(signal.SIGINT, 0.1), (signal.SIGQUIT, 0.6), (signal.SIGINT, 1.2)])
def test_a_database_that_ends_in_mid_build_and_comes_back_loses_nothing(
    on_file: Store, elsewhere: str, server: Postgresql, channel: str, how: signal.Signals, delay: float
) -> None:
    move_database(replace(on_file.envstore.config, database_url=elsewhere))
    there = opened(on_file, elsewhere)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    build = there.submit(f"name: e\nchannels: [{channel}]\ndependencies: [python={python}, numpy, pandas]")
    there.envstore.scheduler.tick()

    def restart() -> None:
        server.stop(how)
        time.sleep(2)
        server.start()

    timer = threading.Timer(delay, restart)
    timer.start()
    deadline = time.monotonic() + 150
    while True:
        try:
            there.envstore.scheduler.tick()
            if not there.envstore.builds.progress(build.id)["busy"]:
                break
        except StorageError:
            assert time.monotonic() < deadline
        time.sleep(0.1)
        assert time.monotonic() < deadline, there.jobs()
    timer.join()
    view = there.envstore.builds.show(build.id)
    assert view["status"] == "COMPLETED", there.envstore.logs.read(build.id)
    assert all(artifact["state"] == "ready" for artifact in view["artifacts"] if artifact["state"] != "absent")
    done = [job for job in there.jobs() if job.state == "done"]
    assert len({(job.kind, job.artifact_id) for job in done}) == len(done)  # none was done twice
    assert list(there.envstore.config.staging.glob("job-*")) == []
    there.end_workers()
    there.close()
