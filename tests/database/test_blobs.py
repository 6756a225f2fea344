"""Blobs: there as a whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.database.blob_references import refer, release
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.retention import forget_blob, unneeded_blobs
from jupyter_envstore.errors import StorageError


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
    blobs.local_path(digest).write_bytes(b"CONTENT")
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
        assert not forget_blob(session, blob.digest)
        release(session, "artifact:2")
        assert [found.digest for found in unneeded_blobs(session, now())] == [blob.digest]
        assert forget_blob(session, blob.digest)
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


def test_a_blob_that_was_collected_meanwhile_cannot_be_referred_to(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    database.migrate()
    blobs = LocalBlobStore(tmp_path)
    blob = blobs.put(b"content")
    blobs.local_path(blob.digest).unlink()
    with pytest.raises(StorageError, match="try again"), database.write() as session:
        refer(session, blobs, blob, "artifact:1")
    database.close()
