"""Files addressed by their SHA-256: written atomically, counted by who needs them, verified on demand."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete
from sqlalchemy.orm import Session

from jupyter_envstore.errors import StorageError
from jupyter_envstore.store.database import now
from jupyter_envstore.store.models import Blob, BlobReference


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
    def create(self) -> Iterator[BlobWriter]:
        """Write a blob; it is there when the context ends well, and nothing is when it does not."""
        self.staging.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.staging)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                writer = BlobWriter(file)
                yield writer
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


def refer(session: Session, blobs: BlobStore, blob: StoredBlob, owner: str) -> None:
    """Note that ``owner`` needs ``blob``, and drop what it needed before.

    Raises
    ------
    StorageError
        The file is not there: it was collected between its writing and this.
    """
    if not blobs.path(blob.digest).is_file():
        msg = "a file was removed from the store while it was being made; try again"
        raise StorageError(msg)
    if session.get(Blob, blob.digest) is None:
        session.add(Blob(digest=blob.digest, size=blob.size, created_on=now()))
        session.flush()
    session.execute(delete(BlobReference).where(BlobReference.owner == owner, BlobReference.digest != blob.digest))
    if session.get(BlobReference, (blob.digest, owner)) is None:
        session.add(BlobReference(digest=blob.digest, owner=owner))


def release(session: Session, owner: str) -> None:
    """Note that ``owner`` needs no blob any more; ``owner:*`` means all owners that begin so."""
    if owner.endswith(":*"):
        matches = BlobReference.owner.startswith(owner[:-1], autoescape=True)
    else:
        matches = BlobReference.owner == owner
    session.execute(delete(BlobReference).where(matches))
