"""Blobs as files of this machine: written atomically, verified on demand."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jupyter_envstore.blobs.interface import BlobWriter, Download, StoredBlob
from jupyter_envstore.blobs.staging import PIECE, is_whole, staged


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine that is sent."""

    path: Path
    size: int

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return self.path.open("rb", 0)

    def address(self, _download: Download) -> str:
        """Only this server sends it."""
        return ""


class LocalBlobStore:
    """Blobs below ``root``: ``sha256/ab/<digest>``.

    Parameters
    ----------
    staging : Path or None
        Where blobs are written before they are whole, on the same file system; below ``root`` by default.
    """

    def __init__(self, root: Path, staging: Path | None = None) -> None:
        self.root = root
        self.staging = staging or root / "staging"

    def local_file(self, digest: str) -> Path:
        """Return where a blob is kept, whether or not it is there."""
        return self.root / "sha256" / digest[:2] / digest

    @contextlib.contextmanager
    def create(self, expected: str | None = None) -> Iterator[BlobWriter]:
        """Write a blob; it is there when the context ends well, and nothing is when it does not.

        Raises
        ------
        StorageError
            Its digest is not the ``expected`` one.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged(self.staging, self._keep, expected) as writer:
            yield writer

    def _keep(self, path: Path, blob: StoredBlob) -> None:
        final = self.local_file(blob.digest)
        final.parent.mkdir(parents=True, exist_ok=True)
        path.replace(final)

    def put(self, data: bytes) -> StoredBlob:
        """Store ``data``."""
        with self.create() as writer:
            writer.write(data)
        return writer.result()

    def copy(self, path: Path) -> StoredBlob:
        """Store the content of a file."""
        with self.create() as writer, path.open("rb") as file:
            shutil.copyfileobj(file, writer, PIECE)
        return writer.result()

    def exists(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self.local_file(digest).is_file()

    def present(self, digests: Collection[str]) -> set[str]:
        """Return which of some blobs are there."""
        return {digest for digest in digests if self.exists(digest)}

    def file(self, digest: str) -> LocalFile:
        """Return a blob that is to be sent."""
        path = self.local_file(digest)
        return LocalFile(path, path.stat().st_size)

    def size(self, digest: str) -> int:
        """Return the bytes of a blob."""
        return self.local_file(digest).stat().st_size

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading."""
        return self.local_file(digest).open("rb")

    def read(self, digest: str) -> bytes:
        """Return the content of a small blob."""
        return self.local_file(digest).read_bytes()

    def touch(self, digests: Collection[str]) -> None:
        """Note that blobs are wanted again."""
        for digest in digests:
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.local_file(digest))

    def verify(self, digest: str) -> bool:
        """Whether the blob is there and still has its hash."""
        return is_whole(self.local_file(digest), digest)

    def delete(self, digest: str) -> None:
        """Remove a blob; it may be gone already."""
        self.local_file(digest).unlink(missing_ok=True)

    def age(self, digest: str) -> float:
        """Return the seconds since a blob was written or touched."""
        return time.time() - self.local_file(digest).stat().st_mtime

    def ages(self) -> Iterator[tuple[StoredBlob, float]]:
        """Yield all blobs, each with the seconds since it was written or touched."""
        for path in (self.root / "sha256").glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # somebody else removed it
                about = path.stat()
                yield StoredBlob(path.name, about.st_size), time.time() - about.st_mtime

    def owner(self) -> str:
        """Nobody claims a folder of files: the store's own folder says whose it is."""
        return ""

    def claim(self, name: str) -> str:
        """Return the name."""
        return name

    def unfinished(self) -> list[Path]:
        """Return files that a crash may have left while blobs were written."""
        return list(self.staging.glob("*"))
