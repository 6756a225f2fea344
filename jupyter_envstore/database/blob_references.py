"""Rows of blobs: which there are, and which artifact or build needs which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Blob, BlobReference, RemovedBlob
from jupyter_envstore.errors import BlobRemovedError
from jupyter_envstore.spec.lock_entries import BuiltWheel

Confirmed = Mapping[str, datetime]
"""Blobs that were removed and are there again, each with when it was removed (:func:`confirm`)."""
REMOVED = "a file was removed from the store while it was being made; try again"


def refer(session: Session, confirmed: Confirmed, blob: StoredBlob, owner: str) -> None:
    """Note that ``owner`` needs ``blob``, and drop what it needed before.

    Raises
    ------
    BlobRemovedError
        It was collected between its writing and this.
    """
    session.execute(delete(BlobReference).where(BlobReference.owner == owner, BlobReference.digest != blob.digest))
    refer_too(session, confirmed, blob, owner)


def refer_too(session: Session, confirmed: Confirmed, blob: StoredBlob, owner: str) -> None:
    """Note that ``owner`` needs ``blob`` beside what it needs already.

    Raises
    ------
    BlobRemovedError
        It was collected between its writing and this.
    """
    _check_there(session, confirmed, [blob.digest])
    if session.get(Blob, blob.digest) is None:
        session.add(Blob(digest=blob.digest, size=blob.size, created_on=now()))
        session.flush()
    if session.get(BlobReference, (blob.digest, owner)) is None:
        session.add(BlobReference(digest=blob.digest, owner=owner))


def refer_parts(session: Session, confirmed: Confirmed, found: Iterable[StoredBlob], owner: str) -> None:
    """Note that ``owner`` needs these blobs and no others.

    Raises
    ------
    BlobRemovedError
        One was collected between its writing and this.
    """
    wanted = {blob.digest: blob for blob in found}
    _check_there(session, confirmed, list(wanted))
    known = set(session.scalars(select(Blob.digest).where(Blob.digest.in_(wanted))))
    session.add_all(
        Blob(digest=b.digest, size=b.size, created_on=now()) for b in wanted.values() if b.digest not in known
    )
    session.flush()
    session.execute(delete(BlobReference).where(BlobReference.owner == owner))
    session.add_all(BlobReference(digest=digest, owner=owner) for digest in wanted)


def refer_wheels(session: Session, confirmed: Confirmed, wheels: Iterable[BuiltWheel], build_id: int) -> None:
    """Note that a build needs these wheels, which were built from source archives.

    Raises
    ------
    BlobRemovedError
        One was collected between its writing and this.
    """
    for wheel in wheels:
        kept = StoredBlob(wheel["sha256"], wheel["size"])
        refer(session, confirmed, kept, f"build:{build_id}:wheel:{kept.digest}")


def removed_of(session: Session, digests: Iterable[str]) -> list[RemovedBlob]:
    """Return which of some blobs are being removed, or were removed lately."""
    return list(session.scalars(select(RemovedBlob).where(RemovedBlob.digest.in_(list(digests)))))


def confirm(blobs: BlobStore, removed: Sequence[RemovedBlob]) -> Confirmed:
    """Ask the place of blobs for those that were removed lately: before the transaction that refers to them.

    It may be far away, and others wait for that transaction.

    Raises
    ------
    BlobRemovedError
        One is being removed, or was and is not there again.
    """
    there = blobs.present({row.digest for row in removed if row.is_gone})
    if any(row.digest not in there for row in removed):
        raise BlobRemovedError(REMOVED)
    return {row.digest: row.changed_on for row in removed}


def _check_there(session: Session, confirmed: Confirmed, digests: Sequence[str]) -> None:
    """Refuse blobs that were removed since it was confirmed that they are there; all others were there and stay."""
    for row in session.scalars(select(RemovedBlob).where(RemovedBlob.digest.in_(digests))):
        if not row.is_gone or confirmed.get(row.digest) != row.changed_on:
            raise BlobRemovedError(REMOVED)


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
