"""Files addressed by their SHA-256: written atomically, counted by who needs them, verified on demand."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select
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


def refer(session: Session, blobs: BlobStore, blob: StoredBlob, owner: str) -> None:
    """Note that ``owner`` needs ``blob``, and drop what it needed before.

    Raises
    ------
    StorageError
        The file is not there: it was collected between its writing and this.
    """
    session.execute(delete(BlobReference).where(BlobReference.owner == owner, BlobReference.digest != blob.digest))
    refer_too(session, blobs, blob, owner)


def refer_too(session: Session, blobs: BlobStore, blob: StoredBlob, owner: str) -> None:
    """Note that ``owner`` needs ``blob`` beside what it needs already.

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
    if session.get(BlobReference, (blob.digest, owner)) is None:
        session.add(BlobReference(digest=blob.digest, owner=owner))


def refer_parts(session: Session, blobs: BlobStore, found: Iterable[StoredBlob], owner: str) -> None:
    """Note that ``owner`` needs these blobs and no others.

    Raises
    ------
    StorageError
        A file is not there: it was collected between its writing and this.
    """
    wanted = {blob.digest: blob for blob in found}
    for digest in wanted:
        if not blobs.path(digest).is_file():
            msg = "a file was removed from the store while it was being made; try again"
            raise StorageError(msg)
    known = set(session.scalars(select(Blob.digest).where(Blob.digest.in_(wanted))))
    session.add_all(
        Blob(digest=b.digest, size=b.size, created_on=now()) for b in wanted.values() if b.digest not in known
    )
    session.flush()
    session.execute(delete(BlobReference).where(BlobReference.owner == owner))
    session.add_all(BlobReference(digest=digest, owner=owner) for digest in wanted)


def artifact_owner(artifact_id: int) -> str:
    """Return how an artifact is called as the owner of its file."""
    return f"artifact:{artifact_id}"


def parts_owner(artifact_id: int) -> str:
    """Return how an artifact is called as the owner of what it consists of beside its file."""
    return f"artifact:{artifact_id}:parts"


def products_owner(build_id: int) -> str:
    """Return how what scripts of packages did is called as a build's."""
    return f"build:{build_id}:scripts"


def owned_blob(session: Session, owner: str) -> str | None:
    """Return the digest of the one blob that ``owner`` needs, if there is one."""
    return session.scalar(select(BlobReference.digest).where(BlobReference.owner == owner).limit(1))


def release_artifact(session: Session, artifact_id: int) -> None:
    """Note that an artifact needs neither its file nor its parts any more."""
    release(session, artifact_owner(artifact_id))
    release(session, parts_owner(artifact_id))


def release(session: Session, owner: str) -> None:
    """Note that ``owner`` needs no blob any more; ``owner:*`` means all owners that begin so."""
    if owner.endswith(":*"):
        matches = BlobReference.owner.startswith(owner[:-1], autoescape=True)
    else:
        matches = BlobReference.owner == owner
    session.execute(delete(BlobReference).where(matches))
