"""Blobs as files of this machine: addressed by their SHA-256, written atomically, verified on demand."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jupyter_envstore.errors import StorageError


@dataclass(frozen=True)
class StoredBlob:
    """A blob's digest (hexadecimal SHA-256) and size in bytes."""

    digest: str
    size: int


class BlobWriter:
    """A file on its way into the store: hashes what is written to it."""

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


class BlobStore:
    """Blobs below ``root``: ``sha256/ab/<digest>``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root / "staging"

    def path(self, digest: str) -> Path:
        """Return where the blob is kept, whether or not it is there."""
        return self.root / "sha256" / digest[:2] / digest

    @contextlib.contextmanager
    def create(self, expected: str | None = None) -> Iterator[BlobWriter]:
        """Write a blob; it is there when the context ends well, and nothing is when it does not.

        Raises
        ------
        StorageError
            Its digest is not the ``expected`` one.
        """
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
            final = self.path(writer.result().digest)
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

    def read(self, digest: str) -> bytes:
        """Return a small blob's content."""
        return self.path(digest).read_bytes()

    def verify(self, digest: str) -> bool:
        """Whether the blob is there and still has its hash."""
        try:
            with self.path(digest).open("rb") as file:
                found = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    found.update(chunk)
        except OSError:
            return False
        return found.hexdigest() == digest
