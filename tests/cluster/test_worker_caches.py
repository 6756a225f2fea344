"""The caches of workers with folders of their own stay below their limit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_envstore.builds import worker_caches
from jupyter_envstore.builds.cache_lock import caches_in_use
from jupyter_envstore.builds.worker_caches import trim_caches
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from tests.dask_cluster import DaskCluster
from tests.helpers import Store

TEXT = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"


def cached(root: Path) -> list[str]:
    """Return the packages in the cache of a folder."""
    return sorted(path.parent.name for path in (root / "pkgs" / "conda").glob("[!.]*/info"))


def package(root: Path, name: str, size: int, days: float) -> None:
    """Put a package of a size into the cache, as if it was used some days ago."""
    folder = root / "pkgs" / "conda" / name
    (folder / "info").mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * size)
    moment = time.time() - days * 86400
    os.utime(folder, (moment, moment))


def test_what_was_not_used_for_the_longest_time_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = StoreConfig(str(tmp_path), at_home=False, package_cache_gigabytes=1e-5)  # 10 kB
    for name, days in (("old-1-0", 3), ("older-1-0", 4), ("new-1-0", 1)):
        package(tmp_path, name, 4000, days)
    with caches_in_use(config):
        assert trim_caches(config) == 0
    assert trim_caches(config) == 4000
    package(tmp_path, "older-1-0", 4000, 4)
    assert trim_caches(config) == 0  # they were measured just now
    monkeypatch.setattr(worker_caches, "LOOK_SECONDS", -1.0)
    assert trim_caches(config) == 4000
    assert cached(tmp_path) == ["new-1-0", "old-1-0"]
    assert trim_caches(config) == 0
    package(tmp_path, "more-1-0", 4000, 0)
    os.utime(tmp_path / "pkgs" / "conda" / "old-1-0")  # it was used again
    assert trim_caches(config) == 4000
    assert cached(tmp_path) == ["more-1-0", "old-1-0"]
    assert trim_caches(StoreConfig(str(tmp_path), at_home=False, package_cache_gigabytes=0.0)) == 0
    assert not list((tmp_path / "pkgs" / "conda").glob(".trash-*"))


def test_a_worker_keeps_to_its_limit_and_builds_again(
    open_store: Callable[..., Store], root: Path, nasty_channel: str
) -> None:
    folder = root.with_name(f"{root.name}o")
    folder.mkdir()
    cluster = DaskCluster(folder)  # with caches of its own
    cluster.start()
    options = {"address": cluster.address, "worker_root_dir": "$ENVSTORE_WORKER_ROOT"}
    store = open_store(executor_options={**options, "worker_cache_gigabytes": 1e-6})
    try:
        assert store.build(TEXT.format(channel=nasty_channel))["status"] == "COMPLETED"
        store.until(lambda: (cluster.root(0) / "pkgs" / worker_caches.LOOKED).exists())
        assert not cached(cluster.root(0))
        again = store.build(TEXT.format(channel=nasty_channel) + "\nvariables: {A: '1'}")
        assert again["status"] == "COMPLETED"
        assert cached(cluster.root(0)) == ["nasty-text-1.0-0"]  # fetched again, and measured a short while ago
    finally:
        store.end_workers()
        cluster.remove()
        remove_tree(folder)
