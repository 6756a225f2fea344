"""Two folders of one store: each has prefixes of its own, and what is here in one is not in the other."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.builds.place_marks import MARK
from jupyter_envstore.cli.build import owner
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import jobs
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.models import Build, Place, Placement
from jupyter_envstore.database.placements import forget_places
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import ConflictError, MissingDiskError, StorageError
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.file_modes import OURS
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec.selectors import current_subdir
from tests.cluster.conftest import NUMBERS
from tests.commands import run_command
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES, Store, executor_of
from tests.kernels.test_late_kernels import said_by_kernel
from tests.object_store import ObjectStore
from tests.postgresql import Postgresql

TEXT = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"
Opened = Callable[..., Store]


@pytest.fixture
def open_in(open_at: Opened, server: Postgresql, bucket: ObjectStore) -> Opened:
    """Open the store with a folder of this letter; all share a database and a bucket."""
    number = next(NUMBERS)
    values: dict[str, Any] = {
        "database_url": server.make(f"places{number}"),
        "blob_url": bucket.make(f"places{number}"),
        "blob_options": bucket.options(),
    }
    return lambda letter, **more: open_at(letter, **{**values, **more})


def prefix(store: Store, view: dict[str, Any]) -> Path:
    """Return where a folder would have the prefix of a build."""
    with store.envstore.database.read() as session:
        return store.envstore.config.builds / str(session.get_one(Build, view["id"]).directory)


def link(store: Store) -> Path:
    """Return the link of the environment in a folder."""
    return store.root / "envs" / "team" / "e"


def test_a_prefix_is_where_it_was_made_and_comes_where_it_is_wanted(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a"), open_in("b")
    made = first.build(TEXT.format(channel=nasty_channel))
    assert (made["packed_away"], made["other_places"]) == (False, [])
    seen = second.envstore.builds.show(made["id"])
    assert (seen["status"], seen["packed_away"], seen["prefix"]) == ("COMPLETED", True, None)
    assert seen["other_places"] == [f"{os.uname().nodename}:{first.root}"]
    assert link(first).readlink() == prefix(first, made)
    with pytest.raises(ConflictError, match=f"team/e:1 is in {first.root} of .*; bring it here: jupyter envstore rest"):
        second.envstore.prefixes.path(made["id"])
    with pytest.raises(ConflictError, match="not packed away"):
        first.envstore.prefixes.restore(made["id"])
    assert first.envstore.database.place != second.envstore.database.place

    second.envstore.prefixes.restore(made["id"], "tester")
    first.envstore.scheduler.tick()  # it is not for this folder
    assert [job.state for job in first.jobs() if job.kind == "restore"] == ["queued"]
    there = second.wait(made["id"])
    assert Path(there["prefix"]) == prefix(second, made)
    assert (Path(there["prefix"]) / "conda-meta" / "history").is_file()
    assert link(second).readlink() == prefix(second, made)
    assert there["other_places"] == seen["other_places"]
    assert first.envstore.prefixes.path(made["id"]) == prefix(first, made)
    for store in (first, second):
        names = [path.name for path in store.root.iterdir()]
        assert [name for name in names if not any(fnmatch(name, pattern) for pattern in OURS)] == []
        assert {path.stat().st_mode & 0o077 for path in store.root.iterdir() if not path.is_symlink()} == {0}


def test_what_one_folder_lets_go_stays_in_the_other(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a"), open_in("b")
    old = first.build(TEXT.format(channel=nasty_channel))
    first.build(TEXT.format(channel=nasty_channel) + "\nvariables: {A: '1'}")
    second.envstore.prefixes.restore(old["id"])
    second.wait(old["id"])
    first.envstore.prefixes.pack_away(old["id"])
    assert first.envstore.builds.show(old["id"])["packed_away"]
    with pytest.raises(ConflictError, match=f"is not here, but in {second.root} of"):
        first.envstore.prefixes.pack_away(old["id"])
    assert not prefix(first, old).exists()
    assert second.envstore.prefixes.path(old["id"]).is_dir()
    first.retention.collect()
    second.retention.collect()
    assert second.envstore.prefixes.path(old["id"]).is_dir()

    first.envstore.builds.delete(old["id"])
    os.utime(prefix(second, old), (0, 0))
    freed = second.retention.collect()
    assert [removal.reason for removal in freed.removals if removal.kind == "prefix"] == ["belongs to no build"]
    assert not prefix(second, old).exists()


def test_any_folder_may_make_a_build_active_and_links_follow(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a"), open_in("b")
    old = first.build(TEXT.format(channel=nasty_channel))
    second.envstore.prefixes.restore(old["id"])
    second.wait(old["id"])
    new = first.build(TEXT.format(channel=nasty_channel) + "\nvariables: {A: '1'}")
    assert link(second).readlink() == prefix(second, old)
    second.envstore.retention.clear_deleted()  # as its server does each minute
    assert not link(second).is_symlink()  # the active build is in the other folder
    second.envstore.environments.activate("team", "e", "1", "tester")
    assert link(second).readlink() == prefix(second, old)
    second.envstore.environments.activate("team", "e", "2", "tester")
    first.envstore.retention.clear_deleted()
    assert link(first).readlink() == prefix(first, new)
    storage = [store.envstore.namespaces.usage(owner())["team"]["storage"] for store in (first, second)]
    assert storage[1] < storage[0]
    assert second.envstore.builds.show(old["id"])["own_size"] > 0
    first.envstore.prefixes.pack_away(old["id"])
    assert second.envstore.builds.show(old["id"])["own_size"] > 0


def test_a_folder_that_is_busy_or_away_is_helped(
    open_in: Opened, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_in("a"), open_in("b")
    reference = first.submit(TEXT.format(channel=nasty_channel))
    second.envstore.scheduler.tick()
    assert [job.state for job in second.jobs()] == ["queued"]  # its own folder comes first
    monkeypatch.setattr(jobs, "HELP_SECONDS", 0.5)
    second.until(lambda: second.envstore.builds.show(reference.id)["status"] == "COMPLETED")
    second.until(lambda: [job.kind for job in second.jobs() if job.state in ("queued", "running")] == ["restore"])
    second.envstore.scheduler.tick()
    assert next(job for job in second.jobs() if job.kind == "restore").state == "queued"  # its own folder does that
    assert second.envstore.scheduler._is_done()
    assert first.envstore.builds.show(reference.id)["packed_away"]
    assert not first.wait(reference.id)["packed_away"]
    assert {job.runner_id for job in first.jobs()} == {first.envstore.database.place, second.envstore.database.place}


def test_each_folder_has_its_own_number_of_workers(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a", max_concurrent_builds=1), open_in("b", max_concurrent_builds=1)
    sleepy = "name: e\nchannels: [{channel}]\ndependencies: [nasty-sleepy]"
    text = sleepy.format(channel=nasty_channel)
    builds = [first.submit(text, name="first"), second.submit(text, name="second")]
    for store in (first, second):
        store.envstore.scheduler.tick()
    assert [job.state for job in first.jobs()] == ["running", "running"]
    for build in builds:
        first.envstore.builds.cancel(build.id)


def test_a_second_folder_without_a_bucket_is_refused(open_in: Opened, root: Path) -> None:
    first = open_in("a", blob_url="")
    with pytest.raises(StorageError, match=f"belongs to the store in {first.root} of .* or let all share a bucket"):
        open_in("b", blob_url="")
    with first.envstore.database.read() as session:
        assert session.query(Place).count() == 1
    open_in("a", blob_url="")
    found = {finding.what: finding for finding in examine(replace(first.envstore.config, root_dir=f"{root}b"))}
    assert found["environments"].state == "error"
    assert "mount that folder as root_dir" in found["environments"].text


def test_a_folder_is_known_again_without_its_mark(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a"), open_in("b")
    made = first.build(TEXT.format(channel=nasty_channel))
    mark = (first.root / MARK).read_text()
    assert (first.root / MARK).stat().st_mode & 0o777 == 0o600
    (first.root / MARK).unlink()
    again = open_in("a")
    assert (again.envstore.database.place, (first.root / MARK).read_text()) == (
        first.envstore.database.place,
        mark,
    )
    assert again.envstore.prefixes.path(made["id"]).is_dir()
    second.envstore.prefixes.restore(made["id"])
    second.wait(made["id"])
    away = first.root.with_name(f"{first.root.name}-away")
    first.root.rename(away)  # as if another machine had the same host name, and a folder of the same name
    with pytest.raises(StorageError, match=r"was used \d+ s ago, and has environments that are not here: machines"):
        open_in("a")
    remove_tree(first.root)
    away.rename(first.root)
    (second.root / MARK).unlink()  # both have the same prefix, and each stays what it is
    assert open_in("b").envstore.database.place == second.envstore.database.place
    (first.root / MARK).write_text("of another database\n")
    assert open_in("a").envstore.database.place == first.envstore.database.place
    assert (first.root / MARK).read_text() == mark
    (first.root / MARK).unlink()
    (first.root / MARK).mkdir()
    with pytest.raises(StorageError, match="place cannot be read"):
        open_in("a")
    (first.root / MARK).rmdir()


def test_nothing_is_lost_while_the_disk_of_a_whole_folder_is_not_mounted(open_in: Opened, nasty_channel: str) -> None:
    first = open_in("a")
    made = first.build(TEXT.format(channel=nasty_channel))
    first.until(lambda: not first.envstore.builds.progress(made["id"])["busy"])
    first.end_workers()
    first.close()
    mounted = first.root.with_name(f"{first.root.name}-disk")
    first.root.rename(mounted)
    with contextlib.closing(Database(first.envstore.config.url)) as database, database.write() as session:
        session.query(Place).update({"seen_on": now() - timedelta(minutes=4)})
    again = open_in("a")
    with pytest.raises(MissingDiskError, match=r"the only environment is not in .*: if its disk is not mounted"):
        again.retention.collect()
    found = {finding.what: finding for finding in examine(again.envstore.config)}["environments"]
    assert found.state == "error"
    assert "1 environment in this folder; the only environment is not in" in found.text
    late = again.submit(TEXT.format(channel=nasty_channel), name="late")
    again.until(lambda: "if its disk is not mounted" in again.envstore.builds.show(late.id)["reason"])
    assert list(again.envstore.config.builds.iterdir()) == []
    again.end_workers()
    again.close()
    remove_tree(first.root)
    mounted.rename(first.root)
    again = open_in("a")
    again.retention.collect()
    assert again.envstore.prefixes.path(made["id"]).is_dir()
    assert again.wait(late.id)["status"] == "COMPLETED"


def test_a_folder_whose_disk_is_missing_takes_no_jobs_of_others(
    open_in: Opened, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "HELP_SECONDS", 0.0)
    first, second = open_in("a"), open_in("b")
    views = [second.build(TEXT.format(channel=nasty_channel), name=name) for name in ("own", "another")]
    second.until(lambda: not any(second.envstore.builds.progress(view["id"])["busy"] for view in views))
    second.envstore.config.builds.rename(second.root / "disk")
    second.envstore.config.builds.mkdir()
    waiting = first.submit(TEXT.format(channel=nasty_channel), name="of-first")
    own = second.submit(TEXT.format(channel=nasty_channel), name="third")
    for _ in range(5):
        assert second.envstore.scheduler.tick() == 0
    assert second.envstore.builds.show(own.id)["reason"].startswith("waits: none of the 2 environments of this folder")
    shown = second.envstore.builds.show(waiting.id)
    assert (shown["status"], shown["reason"]) == ("QUEUED", "")
    assert first.wait(waiting.id)["status"] == "COMPLETED"
    second.envstore.config.builds.rmdir()
    (second.root / "disk").rename(second.envstore.config.builds)
    assert second.wait(own.id)["status"] == "COMPLETED"


def test_a_folder_that_is_gone_is_named_and_forgotten(open_in: Opened, nasty_channel: str, tmp_path: Path) -> None:
    first, second = open_in("a"), open_in("b")
    made = first.build(TEXT.format(channel=nasty_channel))
    gone = first.envstore.database.place
    with second.envstore.database.write() as session:
        jobs.enqueue(session, jobs.RESTORE, made["id"], place_id=gone)
    late = first.submit(TEXT.format(channel=nasty_channel), name="late")
    with second.envstore.database.write() as session:
        session.get_one(Place, gone).host = "gone"  # another machine
    found = {finding.what: finding for finding in examine(second.envstore.config)}["environments"]
    assert found.state == "ok"
    assert f"0 environments in this folder; in other folders: #{gone} {first.root} of" in found.text
    assert "(1 environment, 2 jobs waiting)" in found.text

    config = second.envstore.config
    (tmp_path / "jupyter_server_config.py").write_text(
        f"c.EnvStoreApp.root_dir = {config.root_dir!r}\nc.EnvStoreApp.database_url = {config.database_url!r}\n"
        f"c.EnvStoreApp.blob_url = {config.blob_url!r}\nc.EnvStoreApp.blob_options = {config.blob_options!r}\n"
    )
    variables = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    told = run_command(["forget-place", str(second.envstore.database.place)], tmp_path, variables)
    assert told.returncode == 4
    assert "the folder of this machine's store: it is in use" in told.stderr
    told = run_command(["forget-place", "99"], tmp_path, variables)
    assert "the store has no folder #99; jupyter envstore doctor lists them" in told.stderr
    told = run_command(["forget-place", str(gone)], tmp_path, variables)
    assert "whose server was seen a moment ago: stop it, and try again in 3 minutes" in told.stderr, told
    with second.envstore.database.write() as session:
        session.get_one(Place, gone).seen_on = now() - timedelta(minutes=4)
    told = run_command(["forget-place", str(gone)], tmp_path, variables)
    assert told.returncode == 0, told
    assert "is forgotten, with 1 environment and 2 waiting jobs" in told.stdout
    with second.envstore.database.read() as session:
        assert session.query(Placement).count() == 0
    assert {job.kind: job.state for job in second.jobs() if job.state in ("queued", "canceled")} == {
        "restore": "canceled",
        "build": "queued",
    }
    assert not second.wait(late.id)["packed_away"]  # it was made here instead
    with (tmp_path / "jupyter_server_config.py").open("a") as file:
        file.writelines(f"c.EnvStoreApp.{line}\n" for line in ("predefined_tokens = {}", "shared = 0", "max_bytes = 1"))
    told = run_command(["run", "team/e", "--", "true"], tmp_path, variables)
    assert (told.returncode, "bringing team/e:1 here\n" in told.stderr) == (0, True), told
    assert "predefined_tokens" not in told.stderr  # what only servers read is no fault
    assert "`max_bytes` not recognized" in told.stderr
    assert not second.wait(made["id"])["packed_away"]


def test_an_environment_that_somebody_removed_can_be_brought_back(
    open_in: Opened, nasty_channel: str, tmp_path: Path
) -> None:
    store = open_in("a")
    made = store.build(TEXT.format(channel=nasty_channel))
    store.until(lambda: not store.envstore.builds.progress(made["id"])["busy"])
    remove_tree(Path(made["prefix"]))
    found = {finding.what: finding for finding in examine(store.envstore.config)}["environments"]
    assert (found.state, "1 of them cannot be found: somebody removed them" in found.text) == ("warning", True)
    with pytest.raises(ConflictError, match=r"is not at .* any more; bring it here: jupyter envstore restore team/e:1"):
        store.envstore.prefixes.path(made["id"])
    store.envstore.prefixes.restore(made["id"])
    store.wait(made["id"])
    assert (store.envstore.prefixes.path(made["id"]) / "conda-meta" / "history").is_file()
    with pytest.raises(ConflictError, match="is not packed away: it is there"):
        store.envstore.prefixes.restore(made["id"])


def test_a_file_of_sqlite_knows_its_own_folder(root: Path, package_cache: Path, nasty_channel: str) -> None:
    (root / "pkgs").symlink_to(package_cache)
    config = StoreConfig(str(root), lease_seconds=LEASE_SECONDS, settings=dict(WITHOUT_ARCHIVES))
    store = Store(EnvStore.open(config, executor_of(config)))
    made = store.build(TEXT.format(channel=nasty_channel))
    store.close()
    (root / MARK).unlink()
    remove_tree(Path(made["prefix"]))
    again = Store(EnvStore.open(config, executor_of(config)))
    assert again.envstore.database.place == store.envstore.database.place
    again.close()


def test_a_server_whose_folder_was_forgotten_goes_on(open_in: Opened, nasty_channel: str) -> None:
    first, second = open_in("a"), open_in("b")
    made = first.build(TEXT.format(channel=nasty_channel))
    before = first.envstore.database.place
    with second.envstore.database.write() as session:
        forget_places(session, [before])
    first.envstore.database.place = before
    late = first.submit(TEXT.format(channel=nasty_channel), name="late")  # before it noticed
    first.envstore.retention.clear_deleted()
    assert first.envstore.database.place > second.envstore.database.place
    assert first.envstore.builds.show(made["id"])["packed_away"]
    assert not first.wait(late.id)["packed_away"]
    first.envstore.prefixes.restore(made["id"])
    assert not first.wait(made["id"])["packed_away"]


def test_folders_of_other_platforms_do_not_help(
    open_in: Opened, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_in("a"), open_in("b")
    monkeypatch.setattr(jobs, "HELP_SECONDS", -1.0)
    with second.envstore.database.write() as session:
        session.get_one(Place, first.envstore.database.place).platform = "osx-arm64"
    first.submit(TEXT.format(channel=nasty_channel))
    with second.envstore.database.write() as session:
        assert jobs.claim_next(session, 2, "here") is None
        session.get_one(Place, first.envstore.database.place).platform = current_subdir()
        assert jobs.claim_next(session, 2, "here") is not None
        session.rollback()


def test_kernels_are_offered_in_each_folder_and_bring_what_they_need(
    open_in: Opened, channel: str, tmp_path: Path
) -> None:
    first, second = open_in("a"), open_in("b")
    made = first.build(f"name: data\nchannels: ['{channel}']\ndependencies: [python, ipykernel]")
    assert made["status"] == "COMPLETED", made["reason"]
    names = {}
    for store in (first, second):
        kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
        kernels.sync()
        names[store.root] = json.loads((kernels.directory / "envstore-team--data" / "kernel.json").read_text())
    assert names[first.root]["display_name"] == "Python (team/data)"
    assert names[second.root]["display_name"] == "Python (team/data, not here yet)"
    said = said_by_kernel(kernels, "envstore-team--data", "import sys; print(sys.prefix)", tmp_path / "log")
    assert said.strip() == str(prefix(second, made)) != str(prefix(first, made))
    assert first.envstore.prefixes.path(made["id"]).is_dir()
