"""Blobs as files of this machine: written atomically, verified on demand."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jupyter_envstore.blobs.interface import BlobWriter, StoredBlob
from jupyter_envstore.errors import StorageError


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

    def local_path(self, digest: str) -> Path:
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
        self.staging.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.staging)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                writer = BlobWriter(file)
                yield writer
                if expected is not None and (found := writer.result().digest) != expected:
                    msg = f"what was fetched as sha256:{expected} is sha256:{found}"
                    raise StorageError(msg)
                file.flush()
                os.fsync(file.fileno())
            final = self.local_path(writer.result().digest)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.chmod(0o644)
            path.replace(final)
        finally:
            path.unlink(missing_ok=True)

    def put(self, data: bytes) -> StoredBlob:
        """Store ``data``."""
        with self.create() as writer:
            writer.write(data)
        return writer.result()

    def copy(self, path: Path) -> StoredBlob:
        """Store the content of a file."""
        with self.create() as writer, path.open("rb") as file:
            while chunk := file.read(1 << 20):
                writer.write(chunk)
        return writer.result()

    def exists(self, digest: str) -> bool:
        """Whether a blob is there."""
        return self.local_path(digest).is_file()

    def size(self, digest: str) -> int:
        """Return the bytes of a blob."""
        return self.local_path(digest).stat().st_size

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading."""
        return self.local_path(digest).open("rb")

    def touch(self, digest: str) -> None:
        """Note that a blob is wanted again."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.local_path(digest))

    def delete(self, digest: str) -> None:
        """Remove a blob; it may be gone already."""
        self.local_path(digest).unlink(missing_ok=True)

    def age(self, digest: str) -> float:
        """Return the seconds since a blob was written or touched."""
        return time.time() - self.local_path(digest).stat().st_mtime

    def ages(self) -> Iterator[tuple[StoredBlob, float]]:
        """Yield all blobs, each with the seconds since it was written or touched."""
        for path in (self.root / "sha256").glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # somebody else removed it
                about = path.stat()
                yield StoredBlob(path.name, about.st_size), time.time() - about.st_mtime

    def unfinished(self) -> list[Path]:
        """Return files that a crash may have left while blobs were written."""
        return list(self.staging.glob("*"))

    def read(self, digest: str) -> bytes:
        """Return the content of a small blob."""
        return self.local_path(digest).read_bytes()

    def verify(self, digest: str) -> bool:
        """Whether the blob is there and still has its hash."""
        try:
            with self.local_path(digest).open("rb") as file:
                found = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    found.update(chunk)
        except OSError:
            return False
        return found.hexdigest() == digest
