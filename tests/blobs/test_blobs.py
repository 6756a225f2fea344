"""Blobs: there as a whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.builds.blob_collection import BlobCollection
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
        refer(session, blobs, blob, "artifact:1")
        refer(session, blobs, blob, "artifact:2")
    with database.write() as session:
        release(session, "artifact:1")
        assert unneeded_blobs(session, now()) == []
        assert begin_removals(session, [blob.digest], now()) == []
        release(session, "artifact:2")
        assert [found.digest for found in unneeded_blobs(session, now())] == [blob.digest]
        assert begin_removals(session, [blob.digest], now()) == [blob.digest]
        assert unneeded_blobs(session, now()) == []
    database.close()


def test_a_new_blob_of_an_owner_replaces_the_old_one(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    database.migrate()
    blobs = LocalBlobStore(tmp_path)
    first, second = blobs.put(b"one"), blobs.put(b"two")
    with database.write() as session:
        refer(session, blobs, first, "build:1:log")
        refer(session, blobs, second, "build:1:log")
        assert [found.digest for found in unneeded_blobs(session, now())] == [first.digest]
    database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    made.migrate()
    yield made
    made.close()


def test_a_blob_that_was_collected_meanwhile_cannot_be_referred_to_until_it_is_stored_again(
    tmp_path: Path, database: Database
) -> None:
    blobs = LocalBlobStore(tmp_path)
    blob = blobs.put(b"content")
    assert BlobCollection(database, blobs, -1).remove([blob.digest]) == {blob.digest}
    with pytest.raises(BlobRemovedError, match="try again"), database.write() as session:
        refer(session, blobs, blob, "artifact:1")
    blobs.put(b"content")
    with database.write() as session:
        refer(session, blobs, blob, "artifact:1")
    assert BlobCollection(database, blobs, -1).remove([blob.digest]) == set()
    assert blobs.verify(blob.digest)


class Interfering:
    """A blob store in which something happens at a moment of a removal."""

    def __init__(self, blobs: LocalBlobStore, at: str, then: Callable[[], None]) -> None:
        self.blobs, self.at, self.then = blobs, at, then
        self.looks = 0

    def age(self, digest: str) -> float:
        self.looks += 1
        if self.at == f"look {self.looks}":
            self.then()
        return self.blobs.age(digest) if self.blobs.age(digest) < 1 else 1e9

    def delete(self, digest: str) -> None:
        if self.at == "before delete":
            self.then()
        self.blobs.delete(digest)
        if self.at == "after delete":
            self.then()


@pytest.mark.parametrize("at", ["look 1", "look 2", "before delete", "after delete"])
def test_a_blob_that_is_stored_while_it_is_collected_is_there_or_cannot_be_referred_to(
    tmp_path: Path, database: Database, at: str
) -> None:
    blobs = LocalBlobStore(tmp_path)
    blob = blobs.put(b"content")
    os.utime(blobs.local_file(blob.digest), (1e9, 1e9))
    referred: list[bool] = []

    def store() -> None:
        """Store the blob as a worker of another host does, and refer to it."""
        other = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
        blobs.put(b"content")
        try:
            with other.write() as session:
                refer(session, blobs, blob, "artifact:1")
        except BlobRemovedError:
            referred.append(False)
        else:
            referred.append(True)
        other.close()

    interfering = cast("BlobStore", Interfering(blobs, at, store))
    gone = BlobCollection(database, interfering, 3600).remove([blob.digest])
    if referred == [True]:
        assert gone == set()
        assert blobs.exists(blob.digest)
    else:
        store()
    assert referred[-1]
    assert blobs.exists(blob.digest)
    assert len(referred) == (1 if at in ("look 1", "look 2") and referred[0] else 2)


def test_a_removal_that_a_crash_cut_off_is_ended_by_the_next_one(tmp_path: Path, database: Database) -> None:
    blobs = LocalBlobStore(tmp_path)
    blob = blobs.put(b"content")

    def crash() -> None:
        raise KeyboardInterrupt

    os.utime(blobs.local_file(blob.digest), (1e9, 1e9))
    with pytest.raises(KeyboardInterrupt):
        BlobCollection(database, cast("BlobStore", Interfering(blobs, "before delete", crash)), 3600).remove(
            [blob.digest]
        )
    assert blobs.exists(blob.digest)
    assert BlobCollection(database, blobs, 3600).remove([blob.digest]) == set()  # it may still be at it
    with database.write() as session:
        session.get_one(RemovedBlob, blob.digest).changed_on -= timedelta(hours=1)
    assert BlobCollection(database, blobs, 3600).remove([]) == {blob.digest}
    assert not blobs.exists(blob.digest)
