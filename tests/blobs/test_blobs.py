"""Blobs: there as a whole or not at all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.builds.blob_collection import BlobCollection, confirmed
from jupyter_envstore.database.blob_references import refer, release
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.models import RemovedBlob
from jupyter_envstore.database.retention import begin_removals, unneeded_blobs
from jupyter_envstore.errors import BlobRemovedError


def test_a_blob_is_found_by_its_digest(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path)
    stored = blobs.put(b"content")
    assert stored.digest == hashlib.sha256(b"content").hexdigest()
    assert (blobs.read(stored.digest), stored.size) == (b"content", 7)
    assert blobs.put(b"content") == stored


def test_a_blob_that_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path)
    with pytest.raises(ZeroDivisionError), blobs.create() as writer:
        writer.write(b"half")
        raise ZeroDivisionError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_changed_blob_is_noticed(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path)
    digest = blobs.put(b"content").digest
    assert blobs.verify(digest)
    blobs.local_file(digest).write_bytes(b"CONTENT")
    assert not blobs.verify(digest)
    assert not blobs.verify("0" * 64)


def test_a_blob_is_needed_as_long_as_one_owner_needs_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    database.migrate()
    blobs = LocalBlobStore(tmp_path)
    blob = blobs.put(b"content")
    with database.write() as session:
        refer(session, {}, blob, "artifact:1")
        refer(session, {}, blob, "artifact:2")
    with database.write() as session:
        release(session, "artifact:1")
        assert unneeded_blobs(session, now()) == []
        assert begin_removals(session, [blob.digest], now(), now()) == []
        release(session, "artifact:2")
        assert [found.digest for found in unneeded_blobs(session, now())] == [blob.digest]
        assert begin_removals(session, [blob.digest], now(), now()) == [blob.digest]
        assert unneeded_blobs(session, now()) == []
    database.close()


def test_a_new_blob_of_an_owner_replaces_the_old_one(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    database.migrate()
    blobs = LocalBlobStore(tmp_path)
    first, second = blobs.put(b"one"), blobs.put(b"two")
    with database.write() as session:
        refer(session, {}, first, "build:1:log")
        refer(session, {}, second, "build:1:log")
        assert [found.digest for found in unneeded_blobs(session, now())] == [first.digest]
    database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    made.migrate()
    yield made
    made.close()


def refer_to(database: Database, blobs: BlobStore, blob: StoredBlob) -> None:
    """Refer to a blob as a worker does."""
    known = confirmed(database, blobs, [blob.digest])
    with database.write() as session:
        refer(session, known, blob, "artifact:1")


def test_a_blob_that_was_collected_meanwhile_cannot_be_referred_to_until_it_is_stored_again(
    blobs: BlobStore, database: Database
) -> None:
    blob = blobs.put(b"content")
    assert BlobCollection(database, blobs, -100).remove([blob.digest]) == {blob.digest}
    with pytest.raises(BlobRemovedError, match="try again"):
        refer_to(database, blobs, blob)
    blobs.put(b"content")
    refer_to(database, blobs, blob)
    assert BlobCollection(database, blobs, -100).remove([blob.digest]) == set()
    assert blobs.verify(blob.digest)


def test_who_waits_for_a_removal_waits_for_no_blob_that_is_gone_and_removes_none(
    tmp_path: Path, database: Database
) -> None:
    blobs = LocalBlobStore(tmp_path / "blobs")
    blob = blobs.put(b"content")
    BlobCollection(database, blobs, -100).remove([blob.digest])
    started = time.monotonic()
    with pytest.raises(BlobRemovedError):
        confirmed(database, blobs, [blob.digest], patience=60.0)
    assert time.monotonic() - started < 5
    blobs.put(b"content")
    with database.write() as session:
        row = session.get_one(RemovedBlob, blob.digest)
        row.is_gone, row.changed_on = False, now() - timedelta(hours=1)  # as of a collector that was killed
    assert confirmed(database, blobs, [blob.digest], patience=60.0) == {}
    assert blobs.verify(blob.digest)


def test_what_was_confirmed_holds_until_it_is_removed_again(blobs: BlobStore, database: Database) -> None:
    blob = blobs.put(b"content")
    BlobCollection(database, blobs, -100).remove([blob.digest])
    blobs.put(b"content")
    known = confirmed(database, blobs, [blob.digest])
    BlobCollection(database, blobs, -100).remove([blob.digest])
    with pytest.raises(BlobRemovedError), database.write() as session:
        refer(session, known, blob, "artifact:1")


class Interfering:
    """A blob store in which something happens at a moment of a removal; old until it is stored again."""

    def __init__(self, blobs: BlobStore, at: str, then: Callable[[], None]) -> None:
        self.blobs, self.at, self.then = blobs, at, then
        self.looks = 0
        self.is_fresh = False

    def age(self, digest: str) -> float:
        self.looks += 1
        if self.at == f"look {self.looks}":
            self.then()
        self.blobs.age(digest)
        return 0.0 if self.is_fresh else 1e9

    def delete(self, digest: str) -> None:
        if self.at == "before delete":
            self.then()
        self.blobs.delete(digest)
        if self.at == "after delete":
            self.then()


@pytest.mark.parametrize("at", ["look 1", "look 2", "before delete", "after delete"])
def test_a_blob_that_is_stored_while_it_is_collected_is_there_or_cannot_be_referred_to(
    tmp_path: Path, blobs: BlobStore, database: Database, at: str
) -> None:
    blob = blobs.put(b"content")
    referred: list[bool] = []

    def store() -> None:
        """Store the blob as a worker of another host does, and refer to it."""
        other = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
        blobs.put(b"content")
        interfering.is_fresh = True
        try:
            refer_to(other, blobs, blob)
        except BlobRemovedError:
            referred.append(False)
        else:
            referred.append(True)
        other.close()

    interfering = Interfering(blobs, at, store)
    gone = BlobCollection(database, cast("BlobStore", interfering), 3600).remove([blob.digest])
    if referred == [True]:
        assert gone == set()
        assert blobs.exists(blob.digest)
    else:
        store()
    assert referred[-1]
    assert blobs.exists(blob.digest)


def test_a_blob_that_was_found_and_then_collected_cannot_be_referred_to(
    tmp_path: Path, blobs: BlobStore, database: Database
) -> None:
    blob = blobs.put(b"content")

    def find() -> None:
        """Store what is there, which finds it, right before it goes."""
        blobs.put(b"content")

    BlobCollection(database, cast("BlobStore", Interfering(blobs, "before delete", find)), 3600).remove([blob.digest])
    with pytest.raises(BlobRemovedError):
        refer_to(database, blobs, blob)


def stop() -> None:
    """Stands for a bucket that goes away, or a process that is killed."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["look 3", "before delete"])
def test_a_removal_that_was_cut_off_is_ended_by_whoever_comes_next(tmp_path: Path, database: Database, at: str) -> None:
    blobs = LocalBlobStore(tmp_path / "blobs")
    blob, other = blobs.put(b"content"), blobs.put(b"other")
    cut = cast("BlobStore", Interfering(blobs, at, stop))
    with pytest.raises(KeyboardInterrupt):
        BlobCollection(database, cut, 3600).remove([blob.digest, other.digest])
    refer_to(database, blobs, other)  # it was not begun with, so nobody waits for it
    if at == "look 3":
        refer_to(database, blobs, blob)
        return
    with pytest.raises(BlobRemovedError):
        refer_to(database, blobs, blob)
    assert BlobCollection(database, blobs, 3600).remove([blob.digest]) == set()  # another may still be at it
    with database.write() as session:
        session.get_one(RemovedBlob, blob.digest).changed_on -= timedelta(hours=1)
    assert BlobCollection(database, blobs, -1).remove([]) == {blob.digest}
    blobs.put(b"content")
    refer_to(database, blobs, blob)


def test_a_collector_that_stood_still_takes_back_nothing_from_who_went_on(tmp_path: Path, database: Database) -> None:
    blobs = LocalBlobStore(tmp_path / "blobs")
    blob = blobs.put(b"content")

    def stand_still() -> None:
        """Let another collector take the removal over."""
        with database.write() as session:
            session.get_one(RemovedBlob, blob.digest).changed_on -= timedelta(hours=1)
        assert BlobCollection(database, blobs, -1).finish_stuck() == {blob.digest}

    BlobCollection(database, cast("BlobStore", Interfering(blobs, "look 2", stand_still)), 3600).remove([blob.digest])
    with pytest.raises(BlobRemovedError):
        refer_to(database, blobs, blob)
