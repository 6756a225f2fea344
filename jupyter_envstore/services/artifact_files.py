"""Files of artifacts in the blob store."""

from __future__ import annotations

from jupyter_envstore.blobs.interface import BlobFile, BlobStore
from jupyter_envstore.database import images
from jupyter_envstore.database.connection import Session
from jupyter_envstore.database.models import Artifact
from jupyter_envstore.errors import NotFoundError

GONE = "the artifact's file is gone from the store; have it made again"


def digests_of(session: Session, artifact: Artifact) -> set[str]:
    """Return the digests of the files of a ready artifact: its own, and all of its parts."""
    return {artifact.digest or "", *images.parts_of(session, artifact.id)}


def are_there(blobs: BlobStore, digests: set[str]) -> bool:
    """Whether all files are there; asked outside of transactions, since it may take a while."""
    return all(digests) and blobs.present(digests) == digests


def artifact_file(blobs: BlobStore, digest: str) -> BlobFile:
    """Return the file of a ready artifact, to be sent.

    Raises
    ------
    NotFoundError
        The file is gone.
    """
    try:
        return blobs.file(digest)
    except FileNotFoundError:
        raise NotFoundError(GONE) from None
