"""A store on PostgreSQL and a bucket, and a Dask cluster that builds for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.services.store import EnvStore
from tests.dask_cluster import DaskCluster
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES, Store, executor_of
from tests.object_store import ObjectStore, shared_object_store
from tests.postgresql import Postgresql

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    """A server of PostgreSQL."""
    started = Postgresql().start()
    yield started
    started.remove()


@pytest.fixture
def bucket() -> Iterator[ObjectStore]:
    """The object store, which answers when a test begins."""
    found = shared_object_store()
    yield found
    found.deny(denied=False)


@pytest.fixture
def cluster(root: Path, package_cache: Path) -> Iterator[DaskCluster]:
    """A Dask scheduler with one worker, whose packages are unpacked already."""
    folder = root.with_name(f"{root.name}d")
    folder.mkdir()
    started = DaskCluster(folder, package_cache)
    started.start()
    yield started
    started.remove()
    remove_tree(folder)


@pytest.fixture
def open_at(root: Path, package_cache: Path) -> Iterator[Callable[..., Store]]:
    """Open a store in a folder of this letter, on SQLite and files unless it is said otherwise."""
    found: list[Store] = []
    folders: list[Path] = []

    def open_one(letter: str, **values: Any) -> Store:
        folder = root.with_name(f"{root.name}{letter}")
        if not folder.exists():
            folder.mkdir()
            (folder / "pkgs").symlink_to(package_cache)
            folders.append(folder)
        given = {"lease_seconds": LEASE_SECONDS, "settings": {**WITHOUT_ARCHIVES, "check_imports": False}, **values}
        config = StoreConfig(str(folder), **given)
        found.append(Store(EnvStore.open(config, executor_of(config))))
        return found[-1]

    yield open_one
    for store in found:
        store.end_workers()
        store.close()
    for folder in folders:
        remove_tree(folder)


@pytest.fixture
def open_store(
    root: Path, server: Postgresql, bucket: ObjectStore, cluster: DaskCluster, package_cache: Path
) -> Iterator[Callable[..., Store]]:
    """Open the store of the cluster, as of its server or, with another folder, as of a second one."""
    found: list[Store] = []
    number = next(NUMBERS)
    values: dict[str, Any] = {
        "database_url": server.make(f"cluster{number}"),
        "blob_url": bucket.make(f"cluster{number}"),
        "blob_options": bucket.options(),
        "executor": "dask",
        "executor_options": {"address": cluster.address, "worker_root_dir": "$ENVSTORE_WORKER_ROOT"},
        "lease_seconds": LEASE_SECONDS,
        "settings": dict(WITHOUT_ARCHIVES),
    }

    def open_one(**more: Any) -> Store:
        if not (root / "pkgs").exists():
            (root / "pkgs").symlink_to(package_cache)
        found.append(Store(EnvStore.open(StoreConfig(str(root), **{**values, **more}))))
        return found[-1]

    yield open_one
    for store in found:
        store.end_workers()
        store.close()
