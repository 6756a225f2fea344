"""Files of artifacts in the blob store."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.database import images
from jupyter_envstore.database.connection import Session
from jupyter_envstore.database.models import Artifact
from jupyter_envstore.errors import NotFoundError


def is_whole(session: Session, blobs: BlobStore, artifact: Artifact) -> bool:
    """Whether the files of a ready artifact are there: its own, and all of its parts."""
    digests = [artifact.digest or "", *images.parts_of(session, artifact.id)]
    return all(digest and blobs.exists(digest) for digest in digests)


def artifact_file(blobs: BlobStore, digest: str) -> Path:
    """Return the file of a ready artifact.

    Raises
    ------
    NotFoundError
        The file is gone.
    """
    path = blobs.local_path(digest)
    if not path.is_file():
        msg = "the artifact's file is gone from the store; have it made again"
        raise NotFoundError(msg)
    return path
