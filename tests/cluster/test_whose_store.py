"""Folder, database and bucket of different stores: nothing is removed, and who mixes them is told."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.blobs.object_store import ObjectBlobStore
from jupyter_envstore.builds import retention
from jupyter_envstore.builds.place_marks import DISK, MARK
from jupyter_envstore.database.connection import Database
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import (
    ConflictError,
    ForeignFilesError,
    InvalidInputError,
    MissingDiskError,
    NotFoundError,
    StorageError,
)
from jupyter_envstore.services.backup import back_up, bring_back
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.forget_place import forget_place
from jupyter_envstore.services.move_blobs import move_blobs
from jupyter_envstore.services.move_database import move_database
from jupyter_envstore.services.store import EnvStore
from tests.cluster.conftest import NUMBERS
from tests.helpers import Store
from tests.object_store import ObjectStore
from tests.postgresql import Postgresql

TEXT = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"
Opened = Callable[..., Store]


@pytest.fixture
def of_bucket(bucket: ObjectStore) -> dict[str, Any]:
    """A bucket of its own."""
    return {"blob_url": bucket.make(f"whose{next(NUMBERS)}"), "blob_options": bucket.options()}


def test_a_command_that_is_refused_does_not_make_another_database_fit(
    open_at: Opened, server: Postgresql, nasty_channel: str
) -> None:
    store = open_at("a")
    made = store.build(TEXT.format(channel=nasty_channel))
    waiting = store.submit(TEXT.format(channel=nasty_channel))
    config = replace(store.envstore.config, database_url=server.make(f"whose{next(NUMBERS)}"))
    with pytest.raises(ConflictError, match="builds are queued or run"):
        move_database(config)
    with pytest.raises(StorageError, match="is empty"):
        forget_place(config, 1)
    with contextlib.closing(Database(config.url)) as database:
        assert database.revision() is None
        database.migrate()  # as another program, or a command that was cut off
    named = (store.root / MARK).read_text()
    with pytest.raises(StorageError, match=r"belongs to a store in another database; .* has none: the one in"):
        EnvStore.open(config)
    found = {finding.what: finding for finding in examine(config)}
    assert "belongs to a store in another database" in found["environments"].text
    assert (store.root / MARK).read_text() == named
    store.wait(waiting.id)
    assert store.envstore.prefixes.path(made["id"]).is_dir()
    assert move_database(config).rows


def test_an_empty_file_is_not_the_database_of_a_store(open_at: Opened, nasty_channel: str) -> None:
    store = open_at("a")
    made = store.build(TEXT.format(channel=nasty_channel))
    store.until(lambda: not store.envstore.builds.progress(made["id"])["busy"])
    store.end_workers()
    store.close()
    file = store.root / "envstore.sqlite"
    kept = store.root / "kept"
    kept.mkdir()
    for path in store.root.glob("envstore.sqlite*"):
        path.rename(kept / path.name)
    file.touch()
    with pytest.raises(StorageError, match=r"belongs to a store in another database; .* is empty"):
        EnvStore.open(store.envstore.config)
    for path in kept.iterdir():
        path.replace(store.root / path.name)
    assert open_at("a").envstore.prefixes.path(made["id"]).is_dir()


def test_a_folder_without_anything_may_belong_to_a_new_store(open_at: Opened) -> None:
    """As after a crash between the file with the name and the end of the first transaction."""
    store = open_at("a")
    store.close()
    (store.root / "envstore.sqlite").unlink()
    with contextlib.closing(Database(store.envstore.config.url)) as database:
        database.make()
        database.migrate()
    before = (store.root / MARK).read_text()
    open_at("a")
    assert (store.root / MARK).read_text() != before


def test_no_store_removes_the_files_of_another(
    open_at: Opened, of_bucket: dict[str, Any], nasty_channel: str, monkeypatch: pytest.MonkeyPatch, bucket: ObjectStore
) -> None:
    first = open_at("a", **of_bucket)
    made = first.build(TEXT.format(channel=nasty_channel))
    with pytest.raises(ForeignFilesError, match="has the files of another store, whose database is not the one"):
        open_at("b", **of_bucket)
    bucket.files().rm_file(f"{of_bucket['blob_url'].removeprefix('s3://')}/store")  # as of an older version
    other = open_at("b", **of_bucket)
    bucket.files().rm_file(f"{of_bucket['blob_url'].removeprefix('s3://')}/store")
    first.retention.collect()  # claims it
    (other.root / "pkgs").unlink()  # other tests use these packages
    monkeypatch.setattr(retention, "GRACE_SECONDS", -1.0)
    assert [removal for removal in other.retention.collect().removals if removal.kind == "blob"] == []
    found = {finding.what: finding for finding in examine(other.envstore.config)}
    assert "has the files of another store" in found["object store"].text
    assert first.envstore.records.read(made["id"]).name == "e"
    with pytest.raises(ForeignFilesError):
        move_blobs(other.envstore.config, lambda *_: None)


def test_who_loses_a_bucket_to_another_store_stays_refused(
    open_at: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look, and find that it is nobody's; then the other one claims it."""
    values = {"blob_url": f"file://{tmp_path}/place"}
    original = ObjectBlobStore.owner
    others: list[str] = ["b"]

    def owner(self: ObjectBlobStore) -> str:
        found = original(self)
        if others and not found:
            open_at(others.pop(), **values)
        return found

    monkeypatch.setattr(ObjectBlobStore, "owner", owner)
    for _ in range(2):
        with pytest.raises(ForeignFilesError, match="has the files of another store"):
            open_at("a", **values)
    open_at("b", **values)


def test_a_folder_of_files_that_is_not_mounted_is_noticed(open_at: Opened, tmp_path: Path, nasty_channel: str) -> None:
    values = {"blob_url": f"file://{tmp_path}/place"}
    store = open_at("a", **values)
    view = store.build(TEXT.format(channel=nasty_channel))
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"])
    store.end_workers()
    (tmp_path / "place").rename(tmp_path / "away")
    with pytest.raises(MissingDiskError, match="has no file of the store: if its disk is not mounted, mount it"):
        open_at("a", **values)
    found = {finding.what: finding for finding in examine(store.envstore.config)}["object store"]
    assert (found.state, "mount it" in found.text) == ("error", True)
    assert not (tmp_path / "place").exists()
    (tmp_path / "away").rename(tmp_path / "place")
    open_at("a", **values)


def test_a_bucket_that_is_claimed_by_the_same_store_meanwhile_is_its_own(
    open_at: Opened, of_bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes open a new store at once; the other one claims the bucket while this one asks whose it is."""
    original = ObjectBlobStore.owner
    asked: list[str] = []

    def owner(self: ObjectBlobStore) -> str:
        if not asked:
            asked.append("")
            open_at("a", **of_bucket)
        return original(self)

    monkeypatch.setattr(ObjectBlobStore, "owner", owner)
    open_at("a", **of_bucket)
    assert asked


def test_files_are_copied_from_where_they_are(
    open_at: Opened, of_bucket: dict[str, Any], nasty_channel: str, bucket: ObjectStore
) -> None:
    store = open_at("a", **of_bucket)
    view = store.build(TEXT.format(channel=nasty_channel))
    elsewhere = replace(store.envstore.config, blob_url=bucket.make(f"whose{next(NUMBERS)}"))
    for back in (False, True):
        with pytest.raises(ConflictError, match=f"files of the store are in {of_bucket['blob_url']}"):
            move_blobs(elsewhere, lambda *_: None, back=back)
    other = open_at("b")
    other.build(TEXT.format(channel=nasty_channel))
    (other.root / "blobs" / "sha256").rename(other.root / "away")
    with pytest.raises(NotFoundError, match=r"none of the \d+ files of the store is in .*; nothing was changed"):
        move_blobs(replace(other.envstore.config, **{**of_bucket, "blob_url": elsewhere.blob_url}), lambda *_: None)
    assert not move_blobs(store.envstore.config, lambda *_: None).missing  # what only the bucket has is not missing
    assert open_at("a", **of_bucket).envstore.records.read(view["id"]).name == "e"


@pytest.mark.parametrize("number", [1, 3])
def test_nothing_is_made_or_forgotten_where_a_disk_is_not_mounted(
    open_at: Opened, nasty_channel: str, number: int
) -> None:
    store = open_at("a")
    views = [store.build(TEXT.format(channel=nasty_channel), name=f"e{index}") for index in range(number)]
    store.until(lambda: not any(store.envstore.builds.progress(view["id"])["busy"] for view in views))
    builds = store.envstore.config.builds
    disk = store.root / "disk"
    builds.rename(disk)
    builds.mkdir()
    (builds / "of-nobody").mkdir()
    os.utime(builds / "of-nobody", (0, 0))
    with pytest.raises(MissingDiskError):
        store.envstore.prefixes.path(views[0]["id"])
    words = r"(the only environment is not|none of the 3 environments of this folder is) in .*: if its disk is not moun"
    again = lambda: store.envstore.prefixes.restore(views[0]["id"])  # noqa: E731
    for action in (again, store.retention.collect, store.retention.plan):
        with pytest.raises(MissingDiskError, match=words):
            action()
    waiting = store.submit(TEXT.format(channel=nasty_channel), name="another")
    store.until(lambda: "if its disk is not mounted" in store.envstore.builds.show(waiting.id)["reason"])
    assert store.envstore.builds.show(waiting.id)["status"] == "QUEUED"
    assert [path.name for path in builds.iterdir()] == ["of-nobody"]
    (builds / "of-nobody").rmdir()
    builds.rmdir()
    disk.rename(builds)
    store.retention.collect()
    assert all(store.envstore.prefixes.path(view["id"]).is_dir() for view in views)
    assert store.wait(waiting.id)["status"] == "COMPLETED"
    store.until(lambda: not store.envstore.builds.progress(waiting.id)["busy"])
    remove_tree(builds)
    builds.mkdir()
    store.envstore.retention.collect(gone=True)
    assert store.envstore.builds.show(views[0]["id"])["packed_away"]
    assert not (builds / DISK).exists()  # there is nothing yet
    again()
    assert Path(store.wait(views[0]["id"])["prefix"] or "").is_dir()


def test_a_disk_of_another_folder_loses_nothing(open_at: Opened, nasty_channel: str) -> None:
    store, other = open_at("a"), open_at("b")
    views = [each.build(TEXT.format(channel=nasty_channel)) for each in (store, other)]
    for each, view in zip((store, other), views, strict=True):
        each.until(lambda each=each, view=view: not each.envstore.builds.progress(view["id"])["busy"])
    builds = store.envstore.config.builds
    builds.rename(store.root / "disk")
    other.envstore.config.builds.rename(builds)
    for path in builds.iterdir():
        os.utime(path, (0, 0))
    found = {finding.what: finding for finding in examine(store.envstore.config)}
    assert "has the environments of another folder" in found["environments"].text
    for gone in (False, True):
        with pytest.raises(MissingDiskError, match="has the environments of another folder: mount the right disk"):
            store.envstore.retention.collect(gone=gone)
    with pytest.raises(MissingDiskError):
        store.retention.pack_away(views[0]["id"])
    waiting = store.submit(TEXT.format(channel=nasty_channel), name="second")
    store.until(lambda: "mount the right disk" in store.envstore.builds.show(waiting.id)["reason"])
    store.envstore.builds.cancel(waiting.id)
    builds.rename(other.envstore.config.builds)
    (store.root / "disk").rename(builds)
    for each, view in zip((store, other), views, strict=True):
        each.retention.collect()
        assert each.envstore.prefixes.path(view["id"]).is_dir()


def test_an_environment_that_somebody_removed_is_forgotten(open_at: Opened, nasty_channel: str) -> None:
    """The mark tells that its disk is there. That all of several are missing has to be said."""
    store = open_at("a")
    view = store.build(TEXT.format(channel=nasty_channel))
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"])
    remove_tree(store.envstore.prefixes.path(view["id"]))
    removals = [(each.kind, each.name, each.reason) for each in store.retention.plan().removals]
    told = ("build", "team/e:1", "its folder is gone: it is packed away now")
    assert told in removals
    assert told in [(each.kind, each.name, each.reason) for each in store.retention.collect().removals]
    assert store.envstore.builds.show(view["id"])["packed_away"]
    with pytest.raises(ConflictError, match="bring it here"):
        store.envstore.prefixes.path(view["id"])
    views = [store.build(TEXT.format(channel=nasty_channel), name=name) for name in ("first", "second")]
    store.until(lambda: not any(store.envstore.builds.progress(view["id"])["busy"] for view in views))
    for view in views:
        remove_tree(store.envstore.prefixes.path(view["id"]))
    with pytest.raises(MissingDiskError, match="none of the 2 environments of this folder is in"):
        store.retention.collect()
    store.envstore.retention.collect(gone=True)
    assert all(store.envstore.builds.show(view["id"])["packed_away"] for view in views)


def test_a_folder_of_an_older_version_is_known_by_its_prefixes(open_at: Opened, nasty_channel: str) -> None:
    store = open_at("a")
    view = store.build(TEXT.format(channel=nasty_channel))
    mark = store.envstore.config.builds / DISK
    written = mark.read_text()
    assert mark.stat().st_mode & 0o777 == 0o600
    mark.unlink()
    store.build(TEXT.format(channel=nasty_channel), name="second")
    assert mark.read_text() == written
    mark.unlink()
    store.retention.collect()
    assert mark.read_text() == written
    assert store.envstore.prefixes.path(view["id"]).is_dir()


def test_what_is_left_of_a_store_that_is_gone_is_removed_when_somebody_says_so(
    open_at: Opened, nasty_channel: str
) -> None:
    store = open_at("a")
    view = store.build(TEXT.format(channel=nasty_channel))
    store.until(lambda: not store.envstore.builds.progress(view["id"])["busy"])
    left = store.envstore.prefixes.path(view["id"])
    store.end_workers()
    store.close()
    for path in [store.root / MARK, *store.root.glob("envstore.sqlite*")]:
        path.unlink()
    store = open_at("a")
    waiting = store.submit(TEXT.format(channel=nasty_channel) + "\nvariables: {A: '1'}")
    store.until(lambda: "the environments of another folder" in store.envstore.builds.show(waiting.id)["reason"])
    os.utime(left, (0, 0))
    with pytest.raises(MissingDiskError, match=r"remove .*/builds/\.place; environments that the store does not know"):
        store.retention.collect()
    assert left.is_dir()
    (store.envstore.config.builds / DISK).unlink()
    assert store.wait(waiting.id)["status"] == "COMPLETED"
    disk = (store.envstore.config.builds / DISK).read_text()
    assert disk == (store.root / MARK).read_text().splitlines(keepends=True)[0]
    store.retention.collect()
    assert not left.exists()


def test_a_new_store_claims_its_bucket_or_is_none(
    open_at: Opened, of_bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch, nasty_channel: str
) -> None:
    def refuse(*_: Any) -> str:
        msg = "the object store refuses"
        raise StorageError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(ObjectBlobStore, "claim", refuse)
        with pytest.raises(StorageError, match="the object store refuses"):
            open_at("a", **of_bucket)
    store = open_at("a", **of_bucket)
    assert store.envstore.blobs.owner() == (store.root / MARK).read_text().split()[1]
    made = store.build(TEXT.format(channel=nasty_channel))
    store.close()
    (store.root / MARK).write_text(f"{(store.root / MARK).read_text().split()[0]}\n")  # as of an older version
    with monkeypatch.context() as patched:
        patched.setattr(ObjectBlobStore, "owner", refuse)
        assert open_at("a", **of_bucket).envstore.prefixes.path(made["id"]).is_dir()


def test_a_backup_is_brought_back_where_its_own_files_are(
    open_at: Opened, of_bucket: dict[str, Any], nasty_channel: str, tmp_path: Path
) -> None:
    store = open_at("a", **of_bucket)
    store.build(TEXT.format(channel=nasty_channel))
    back_up(store.envstore.config, tmp_path / "b.tar")
    other = open_at("b")
    back_up(other.envstore.config, tmp_path / "other.tar")
    name = (store.root / MARK).read_text().split()[1]
    store.close()
    for folder in (store, other):
        folder.close()
        (folder.root / "envstore.sqlite").rename(folder.root / "kept")
    with pytest.raises(InvalidInputError, match="belongs to another store than the one that was saved"):
        bring_back(store.envstore.config, tmp_path / "other.tar")
    shutil.rmtree(store.root / "blobs", ignore_errors=True)
    bring_back(store.envstore.config, tmp_path / "b.tar")
    assert (open_at("a", **of_bucket).root / MARK).read_text().split()[1] == name
    copied = replace(store.envstore.config, root_dir=str(tmp_path / "c"), blob_url="", blob_options={})
    bring_back(copied, tmp_path / "b.tar")
    with contextlib.closing(EnvStore.open(copied)):
        assert (tmp_path / "c" / MARK).read_text().split()[1] != name
    there = replace(copied, root_dir=str(tmp_path / "d"), **of_bucket)
    with pytest.raises(InvalidInputError, match="has the files of another store than the one that was saved"):
        bring_back(there, tmp_path / "other.tar")
    with pytest.raises(InvalidInputError, match="the files of the store that was saved, which may still run"):
        bring_back(there, tmp_path / "b.tar")
    (other.root / "kept").rename(other.root / "envstore.sqlite")
