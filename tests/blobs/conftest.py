"""A bucket of a real object store, and one store for blobs of each kind."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.blobs.object_store import ObjectBlobStore
from jupyter_envstore.config import StoreConfig
from tests.object_store import ObjectStore, shared_object_store

NUMBERS = itertools.count()


@pytest.fixture
def server() -> Iterator[ObjectStore]:
    """The object store, which answers when a test begins."""
    found = shared_object_store()
    yield found
    found.deny(denied=False)


@pytest.fixture
def bucket(server: ObjectStore) -> str:
    """The address of an empty bucket."""
    return server.make(f"bucket{next(NUMBERS)}")


@pytest.fixture
def opened(server: ObjectStore, bucket: str, tmp_path: Path) -> Callable[..., ObjectBlobStore]:
    """Open the bucket as a machine with a folder of its own does."""

    def open_store(machine: str = "here", patience: float = 3.0, held: Path | None = None, **values: Any) -> Any:
        given = {"blob_url": f"{bucket}/some/prefix", "blob_options": server.options(), **values}
        return blob_store(StoreConfig(str(tmp_path / machine), **given), held, patience)

    return open_store


@pytest.fixture(params=["files", "s3", "file://"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """A store for blobs: files, a bucket, and another file system of fsspec."""
    if request.param == "files":
        return LocalBlobStore(tmp_path / "blobs")
    if request.param == "s3":
        found: BlobStore = request.getfixturevalue("opened")()
        return found
    return blob_store(StoreConfig(str(tmp_path / "here"), blob_url=f"file://{tmp_path}/there"))
