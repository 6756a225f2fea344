"""Bytes that last: files addressed by their SHA-256, and the one place where their store is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.blobs.interface import BlobStore
    from jupyter_envstore.config import StoreConfig

PATIENCE = 3.0
"""How long requests wait for a bucket that does not answer, in seconds."""
LONG_PATIENCE = 120.0
"""The same for workers and commands, whose work so far is worth it."""


def blob_store(config: StoreConfig, staging: Path | None = None, patience: float = PATIENCE) -> BlobStore:
    """Return the place for blobs that a configuration names.

    Parameters
    ----------
    staging : Path or None
        Where blobs are written before they are whole, and copies lie that are in use; a worker has a folder of its own,
        which goes with its job.
    patience : float
        Seconds for which a bucket that does not answer is waited for.

    Raises
    ------
    InvalidInputError
        The configuration names no bucket that can be used.
    """
    if not config.blob_url:
        from jupyter_envstore.blobs.local import LocalBlobStore

        return LocalBlobStore(config.blobs, staging)
    from jupyter_envstore.blobs.bucket import Bucket, BucketConfig
    from jupyter_envstore.blobs.file_cache import FileCache
    from jupyter_envstore.blobs.object_store import ObjectBlobStore

    bucket = Bucket(BucketConfig(config.blob_url, config.blob_options, patience, config.blob_public_endpoint))
    config.blob_cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    cache = FileCache(config.blob_cache, int(config.blob_cache_gigabytes * 1e9))
    folder = staging or config.blob_cache / "staging"
    return ObjectBlobStore(bucket, cache, folder, staging and staging / "held", config.blob_redirects)
