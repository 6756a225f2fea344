"""What every store for blobs does: files of a machine, a bucket of S3, another file system of fsspec."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.errors import StorageError

LARGE = random.Random(1).randbytes(40 << 20)  # noqa: S311 - of several parts, and of several pieces
NOBODY = "0" * 64


def test_what_is_stored_is_found_whole(blobs: BlobStore, tmp_path: Path) -> None:
    small = blobs.put(b"content")
    assert small.digest == hashlib.sha256(b"content").hexdigest()
    assert (blobs.read(small.digest), small.size, blobs.size(small.digest)) == (b"content", 7, 7)
    assert blobs.put(b"content") == small
    (tmp_path / "large").write_bytes(LARGE)
    large = blobs.copy(tmp_path / "large")
    assert large.size == blobs.file(large.digest).size == len(LARGE)
    assert blobs.local_file(large.digest).read_bytes() == LARGE
    assert blobs.verify(large.digest)
    assert blobs.present([small.digest, large.digest, NOBODY]) == {small.digest, large.digest}
    assert sorted(blob.digest for blob, _ in blobs.ages()) == sorted([small.digest, large.digest])


def test_a_blob_is_read_from_any_place(blobs: BlobStore) -> None:
    digest = blobs.put(LARGE).digest
    with blobs.file(digest).open() as file:
        assert file.read(10) == LARGE[:10]
        file.seek(-5, os.SEEK_END)
        assert file.read() == LARGE[-5:]
        assert file.read(1) == b""
        file.seek(5 << 20)
        assert file.read(9 << 20) == LARGE[5 << 20 : 14 << 20]
        file.seek(0)
        assert hashlib.sha256(file.read()).hexdigest() == digest


def test_what_is_not_there_is_said_to_be(blobs: BlobStore) -> None:
    assert not blobs.exists(NOBODY)
    assert not blobs.verify(NOBODY)
    assert not blobs.local_file(NOBODY).exists()
    assert list(blobs.ages()) == []
    for ask in (blobs.size, blobs.open, blobs.read, blobs.age, blobs.file):
        with pytest.raises(FileNotFoundError):
            ask(NOBODY)
    blobs.delete(NOBODY)
    blobs.touch([NOBODY])
    assert not blobs.exists(NOBODY)


def test_what_is_not_finished_or_not_what_was_expected_is_not_there(blobs: BlobStore) -> None:
    with pytest.raises(ZeroDivisionError), blobs.create() as writer:
        writer.write(b"half")
        raise ZeroDivisionError
    with pytest.raises(StorageError, match="what was fetched as sha256:000"), blobs.create(NOBODY) as writer:
        writer.write(b"other")
    assert list(blobs.ages()) == []
    assert blobs.unfinished() == []


def test_a_claim_is_noted_beside_the_blobs_and_is_none_of_them(blobs: BlobStore) -> None:
    digest = blobs.put(b"content").digest
    assert blobs.owner() == ""
    assert blobs.claim("a-store") == "a-store"
    assert blobs.owner() == ("" if isinstance(blobs, LocalBlobStore) else "a-store")  # a folder says itself whose it is
    assert [blob.digest for blob, _ in blobs.ages()] == [digest]


@pytest.mark.parametrize("blobs", ["s3", "file://"], indirect=True)
def test_of_many_who_claim_the_blobs_at_once_one_has_them(blobs: BlobStore) -> None:
    barrier = threading.Barrier(8)

    def claim(number: int) -> str:
        barrier.wait()
        return blobs.claim(f"store-{number}")

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(claim, range(8)))
    assert told == {blobs.owner()}
    assert blobs.claim("another") == blobs.owner()


def test_what_is_removed_is_gone(blobs: BlobStore) -> None:
    digest = blobs.put(b"content").digest
    blobs.touch([digest])
    assert 0 <= blobs.age(digest) + 2 < 30  # times have whole seconds in a bucket
    blobs.delete(digest)
    assert not blobs.exists(digest)
    assert not blobs.local_file(digest).exists()
    assert list(blobs.ages()) == []
