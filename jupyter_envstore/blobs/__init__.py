"""Bytes that last: files addressed by their SHA-256, and the one place where their store is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.blobs.interface import BlobStore
    from jupyter_envstore.config import StoreConfig


def blob_store(config: StoreConfig, staging: Path | None = None) -> BlobStore:
    """Return the place for blobs that a configuration names.

    Parameters
    ----------
    staging : Path or None
        Where blobs are written before they are whole; a worker has a folder of its own, which goes with its job.
    """
    from jupyter_envstore.blobs.local import LocalBlobStore

    return LocalBlobStore(config.blobs, staging)
