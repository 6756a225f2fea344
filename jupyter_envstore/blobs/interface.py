"""Blobs: bytes that last, addressed by their SHA-256. What a place for them must offer."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol


@dataclass(frozen=True)
class StoredBlob:
    """A blob's digest (hexadecimal SHA-256) and size in bytes."""

    digest: str
    size: int


class Download(NamedTuple):
    """As what somebody gets a blob: the name of the file, its media type, and whether a browser shows or saves it."""

    name: str
    media_type: str
    attachment: bool


class BlobFile(Protocol):
    """A blob that is sent to somebody."""

    @property
    def size(self) -> int:
        """Its bytes."""

    def open(self) -> BinaryIO:
        """Open it for reading, at any place in it.

        Raises
        ------
        FileNotFoundError
            It is not there any more.
        """

    def address(self, download: Download) -> str:
        """Return where it can be had without this server for a while; empty if only this server sends it."""


class BlobWriter:
    """A blob on its way into the store: hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write ``data``; return how many bytes that were."""
        self._digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def result(self) -> StoredBlob:
        """Return digest and size of what was written."""
        return StoredBlob(self._digest.hexdigest(), self.size)


class BlobStore(Protocol):
    """A place for blobs. A blob never changes; it is there as a whole or not at all.

    Each method may raise a :class:`~jupyter_envstore.errors.StorageError` where the place cannot be used now.
    """

    def create(self, expected: str | None = None) -> contextlib.AbstractContextManager[BlobWriter]:
        """Write a blob; it is there when the context ends well, and nothing is when it does not.

        Raises
        ------
        StorageError
            Its digest is not the ``expected`` one.
        """

    def put(self, data: bytes) -> StoredBlob:
        """Store ``data``."""

    def copy(self, path: Path) -> StoredBlob:
        """Store the content of a file."""

    def exists(self, digest: str) -> bool:
        """Whether a blob is there."""

    def present(self, digests: Collection[str]) -> set[str]:
        """Return which of some blobs are there."""

    def file(self, digest: str) -> BlobFile:
        """Return a blob that is to be sent.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading, at any place in it.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """

    def read(self, digest: str) -> bytes:
        """Return the content of a small blob.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """

    def size(self, digest: str) -> int:
        """Return the bytes of a blob.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """

    def local_file(self, digest: str) -> Path:
        """Return a file of this machine with the content of a blob, for programs that take nothing else.

        It may be fetched first. Where the blob is not there, there is no such file. A worker has it until its job ends,
        others at least for some minutes. Nobody may change it.
        """

    def touch(self, digests: Collection[str]) -> None:
        """Note that blobs are wanted again: they count as new for whoever collects what nobody needs.

        Who finds a blob, and refers to it later, touches it before the look.
        """

    def verify(self, digest: str) -> bool:
        """Whether a blob is there and still has its hash."""

    def delete(self, digest: str) -> None:
        """Remove a blob; it may be gone already."""

    def age(self, digest: str) -> float:
        """Return the seconds since a blob was written or touched.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """

    def ages(self) -> Iterator[tuple[StoredBlob, float]]:
        """Yield all blobs, each with the seconds since it was written or touched."""

    def owner(self) -> str:
        """Return the name of the store whose blobs these are; empty where nobody has claimed them."""

    def claim(self, name: str) -> str:
        """Note the name of the store whose blobs these are, if none is noted; return what is noted then.

        Of several stores that claim them at once, all are told the same name.
        """

    def unfinished(self) -> list[Path]:
        """Return files of this machine that a crash may have left while blobs were written."""
