"""Retention: what is kept, what goes, and how it comes back."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jupyter_envstore.builds import retention
from jupyter_envstore.builds.blob_collection import BlobCollection
from jupyter_envstore.builds.cache_lock import caches_in_use
from jupyter_envstore.builds.log_keeping import keep_log
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Artifact, Job, LogChunk
from jupyter_envstore.errors import ConflictError, InvalidInputError
from tests.helpers import Store


def text(channel: str, package: str = "nasty-text") -> str:
    return f"name: e\nchannels: [{channel}]\ndependencies: [{package}]"


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """Collect at once what is usually left alone for an hour, in a cache that no other test uses."""
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    (store.root / "pkgs").unlink()
    (store.root / "pkgs").mkdir()


@pytest.mark.archives
def test_builds_beyond_the_newest_lose_prefix_and_archive_but_keep_their_texts(
    store: Store, nasty_channel: str
) -> None:
    store.envstore.settings.change({"retention_builds": 2}, (), "tester")
    views = [store.build(text(nasty_channel)) for _ in range(4)]
    planned = store.envstore.retention.collect(dry_run=True)
    assert [r.name for r in planned.removals if r.kind == "build"] == ["team/e:2", "team/e:1"]
    assert Path(views[0]["prefix"]).exists()
    freed = store.envstore.retention.collect()
    assert [r.name for r in freed.removals if r.kind == "build"] == ["team/e:2", "team/e:1"]
    assert [Path(view["prefix"]).exists() for view in views] == [False, False, True, True]
    old = store.envstore.builds.show(views[0]["id"])
    assert old["packed_away"]
    assert {a["type"]: a["state"] for a in old["artifacts"]} == {
        "archive": "dropped",
        "explicit": "ready",
        "lockfile": "ready",
        "yaml": "ready",
    }
    assert "Find versions" in store.envstore.logs.read(views[0]["id"])
    assert store.envstore.retention.collect().removals == []


def test_the_active_build_and_one_in_use_are_never_dropped(store: Store, nasty_channel: str, channel: str) -> None:
    store.envstore.settings.change({"retention_builds": 1}, (), "tester")
    first = store.build(f"name: e\nchannels: [{channel}]\ndependencies: [python]")
    second, third = (store.build(text(nasty_channel)) for _ in range(2))
    store.envstore.environments.activate("team", "e", "2")
    kernel = subprocess.Popen([f"{first['prefix']}/bin/python", "-c", "input()"], stdin=subprocess.PIPE)
    time.sleep(0.3)
    assert [r.name for r in store.envstore.retention.collect().removals if r.kind == "build"] == []
    assert all(Path(view["prefix"]).exists() for view in (first, second, third))
    kernel.communicate(b"\n")
    assert [r.name for r in store.envstore.retention.collect().removals if r.kind == "build"] == ["team/e:1"]


def test_a_namespace_over_its_bytes_loses_the_oldest_first(store: Store, nasty_channel: str) -> None:
    views = [store.build(text(nasty_channel)) for _ in range(3)]
    store.envstore.settings.change({"retention_bytes": 1}, ("team",), "tester")
    store.envstore.retention.collect()
    assert [Path(view["prefix"]).exists() for view in views] == [False, False, True]


@pytest.mark.archives
def test_bytes_that_builds_share_are_counted_once_and_freed_with_the_last(store: Store, nasty_channel: str) -> None:
    views = [store.build(text(nasty_channel)) for _ in range(3)]
    with store.envstore.database.read() as session:
        namespace = rows.find_build(session, views[0]["id"]).namespace.id
        archive, count = session.execute(
            select(Artifact.size, func.count())
            .where(Artifact.type == "archive")
            .group_by(Artifact.digest, Artifact.size)
        ).one()  # one digest for all
        ids = [view["id"] for view in views]
        sizes = [queries.namespace_bytes(session, namespace, ids[:gone]) for gone in range(4)]
        own = [rows.find_build(session, build_id).build.own_size for build_id in ids]
    assert count == 3
    steps = [before - after for before, after in itertools.pairwise(sizes)]
    assert steps == [own[0], own[1], own[2] + archive]
    store.envstore.settings.change({"retention_bytes": sizes[1]}, ("team",), "tester")
    store.envstore.retention.collect()
    assert [Path(view["prefix"]).exists() for view in views] == [False, True, True]


def test_a_restored_build_is_the_same_as_before_without_solving(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    store.build(text(nasty_channel))
    before = {p.relative_to(view["prefix"]): p.read_bytes() for p in Path(view["prefix"]).rglob("*") if p.is_file()}
    store.envstore.settings.change({"retention_builds": 1}, (), "tester")
    store.envstore.retention.collect()
    with pytest.raises(ConflictError, match="restore"):
        store.envstore.environments.activate("team", "e", "1")
    assert store.envstore.prefixes.restore_sources(view["id"])["missing"] == []
    store.envstore.prefixes.restore(view["id"])
    again = store.wait(view["id"])
    after = {p.relative_to(again["prefix"]): p.read_bytes() for p in Path(again["prefix"]).rglob("*") if p.is_file()}
    assert after == before
    assert [step["name"] for step in again["steps"]].count("solve") == 1
    store.envstore.retention.collect()
    assert Path(again["prefix"]).is_dir()  # for a day, whatever the settings keep
    with store.envstore.database.write() as session:
        (job,) = session.query(Job).filter(Job.kind == "restore")
        job.ended_on = now() - timedelta(days=2)
    store.envstore.retention.collect()
    assert not Path(again["prefix"]).exists()
    store.envstore.prefixes.restore(view["id"])
    store.wait(view["id"])
    store.envstore.environments.activate("team", "e", "1")


def test_a_restore_says_beforehand_which_packages_are_gone(store: Store, nasty_channel: str, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "channel"
    shutil.copytree(Path(nasty_channel.removeprefix("file://")), copy)
    view = store.build(text(copy.as_uri()))
    store.build(text(copy.as_uri()))
    assert store.retention.pack_away(view["id"])
    shutil.rmtree(store.root / "pkgs" / "conda")
    assert store.envstore.prefixes.restore_sources(view["id"])["missing"] == []
    (copy / "noarch" / "nasty-text-1.0-0.conda").unlink()
    assert store.envstore.prefixes.restore_sources(view["id"])["missing"] == ["nasty-text-1.0-0.conda"]


def test_caches_keep_what_kept_builds_need_and_lose_the_rest(store: Store, nasty_channel: str) -> None:
    store.build(text(nasty_channel, "nasty-links"))
    store.build(text(nasty_channel, "nasty-text"))
    cache = store.root / "pkgs" / "conda"
    assert (cache / "nasty-links-1.0-0").exists()
    store.envstore.settings.change({"retention_builds": 1}, (), "tester")
    with caches_in_use(store.envstore.config):
        store.envstore.retention.collect()
        assert (cache / "nasty-links-1.0-0").exists()
    store.envstore.retention.collect()
    assert not (cache / "nasty-links-1.0-0").exists()
    assert (cache / "nasty-text-1.0-0").exists()


def test_what_a_crash_left_is_found(store: Store) -> None:
    for name in ("staging/job-99-1", "builds/01234567-99"):
        (store.root / name).mkdir(parents=True)
        os.utime(store.root / name, (0, 0))
    orphan = store.envstore.blobs.put(b"nobody knows me")
    names = {removal.name for removal in store.envstore.retention.collect().removals}
    assert names == {"job-99-1", "01234567-99", orphan.digest}
    assert store.files() == set()
    assert not store.envstore.blobs.local_file(orphan.digest).exists()


def test_settings_are_checked(store: Store, nasty_channel: str) -> None:
    with pytest.raises(InvalidInputError, match="unknown setting"):
        store.envstore.settings.change({"retention_build": 1}, (), "tester")
    with pytest.raises(InvalidInputError, match="not a whole number"):
        store.envstore.settings.change({"retention_builds": "many"}, (), "tester")
    store.submit(text(nasty_channel))
    with pytest.raises(InvalidInputError, match="whole store only"):
        store.envstore.settings.change({"conda_max_solve_time": 5.0}, ("team",), "tester")
    store.envstore.settings.change({"retention_builds": 9}, ("team", "e"), "tester")
    assert store.envstore.settings.effective(("team", "e"))["retention_builds"] == 9
    assert store.envstore.settings.effective(("team",))["retention_builds"] == 5


def test_a_build_that_became_active_after_the_plan_is_not_dropped(store: Store, nasty_channel: str) -> None:
    view, _ = store.build(text(nasty_channel)), store.build(text(nasty_channel))
    assert store.retention.pack_away(view["id"])
    store.envstore.prefixes.restore(view["id"])
    store.wait(view["id"])
    store.envstore.environments.activate("team", "e", "1")
    assert not store.retention.pack_away(view["id"])
    assert Path(view["prefix"]).exists()


def test_a_blob_that_is_written_again_during_the_collection_stays(store: Store) -> None:
    blobs = store.envstore.blobs
    blob = blobs.put(b"the same bytes as before")
    assert BlobCollection(store.envstore.database, blobs, 60.0).remove([blob.digest]) == set()
    assert blobs.verify(blob.digest)


def test_each_namespace_has_its_own_limit_of_bytes(store: Store, nasty_channel: str) -> None:
    def build(namespace: str) -> dict[str, object]:
        return store.build(text(nasty_channel), namespace)

    [build("a") for _ in range(3)]
    views = [build("b") for _ in range(2)]
    store.envstore.settings.change({"retention_builds": 1}, ("a",), "tester")
    store.envstore.settings.change({"retention_bytes": 1}, ("b",), "tester")
    store.envstore.retention.collect()
    assert [Path(str(view["prefix"])).exists() for view in views] == [False, True]


def test_a_prefix_that_is_gone_is_said_to_be_gone(store: Store, nasty_channel: str) -> None:
    from jupyter_envstore.engine.prefix import remove_tree

    view = store.build(text(nasty_channel))
    remove_tree(Path(view["prefix"]))
    store.envstore.retention.collect()
    assert store.envstore.builds.show(view["id"])["packed_away"]
    store.envstore.prefixes.restore(view["id"])
    assert store.wait(view["id"])["prefix"] == view["prefix"]


def test_builds_that_a_crash_left_behind_a_deleted_environment_are_forgotten(store: Store, nasty_channel: str) -> None:
    view = store.build(text(nasty_channel))
    with store.envstore.database.write() as session:
        from jupyter_envstore.database.models import Environment

        session.query(Environment).one().deleted_on = retention.now() - timedelta(hours=1)
        session.add(LogChunk(build_id=view["id"], text="not stored yet\n", created_on=retention.now()))
    os.utime(view["prefix"], (0, 0))
    store.envstore.retention.collect()
    # what its worker does last of all, when it is late
    keep_log(store.envstore.database, store.envstore.blobs, view["id"], ("COMPLETED",))
    assert store.files() == set()
    assert not any(path.is_file() for path in (store.root / "blobs").rglob("*"))


def test_links_that_a_crash_left_wrong_are_mended(store: Store, nasty_channel: str) -> None:
    first, second = store.build(text(nasty_channel)), store.build(text(nasty_channel))
    link = store.root / "envs" / "team" / second["name"]
    assert link.resolve() == Path(second["prefix"])
    link.unlink()
    link.symlink_to(first["prefix"])
    stray = link.with_name("gone")
    stray.symlink_to(store.root / "builds" / "nothing")
    store.envstore.retention.collect()
    assert link.resolve() == Path(second["prefix"])
    assert not stray.is_symlink()


def test_a_deleted_environment_that_a_kernel_runs_from_goes_when_the_kernel_ends(store: Store, channel: str) -> None:
    view = store.build(f"name: e\nchannels: [{channel}]\ndependencies: [python]")
    kernel = subprocess.Popen([f"{view['prefix']}/bin/python", "-c", "input()"], stdin=subprocess.PIPE)
    time.sleep(0.3)
    store.envstore.environments.delete("team", "e", at_once=True)
    assert Path(view["prefix"]).exists()
    assert store.envstore.environments.list_all() == []
    os.utime(view["prefix"], (0, 0))
    assert "prefix" not in [r.kind for r in store.envstore.retention.collect().removals]
    kernel.communicate(b"\n")
    assert "prefix" in [r.kind for r in store.envstore.retention.collect().removals]
    assert not Path(view["prefix"]).exists()


def test_an_archive_of_a_packed_away_build_goes_too(store: Store, nasty_channel: str) -> None:
    store.envstore.settings.change({"retention_builds": 1}, (), "tester")
    first, _ = store.build(text(nasty_channel)), store.build(text(nasty_channel))
    store.envstore.retention.collect()
    store.envstore.artifacts.request(first["id"], "archive")
    assert {a["type"]: a["state"] for a in store.wait(first["id"])["artifacts"]}["archive"] == "ready"
    assert [r.name for r in store.envstore.retention.collect().removals if r.kind == "build"] == ["team/e:1"]
    assert {a["type"]: a["state"] for a in store.envstore.builds.show(first["id"])["artifacts"]}["archive"] == "dropped"


def test_wheels_that_no_build_needs_and_old_indexes_are_collected(
    store: Store, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WHEEL_SECONDS", -1.0)
    monkeypatch.setattr(retention, "INDEX_SECONDS", -1.0)
    spec = f"name: e\nchannels: [{channel}]\ndependencies: [python, {{pip: [cowsay]}}]"
    store.build(spec)
    assert "wheel" not in [r.kind for r in store.envstore.retention.collect(dry_run=True).removals]
    store.envstore.environments.delete("team", "e", at_once=True)
    kinds = [r.kind for r in store.envstore.retention.collect().removals]
    assert "wheel" in kinds
    assert store.build(spec)["status"] == "COMPLETED"
