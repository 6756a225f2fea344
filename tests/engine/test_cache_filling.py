"""Packages that come from elsewhere, put into the package cache as rattler finds them there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.cache_filling import GLOBAL_LOCK, CacheFilling
from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.package_cache import INCOMING, cache_name, in_cache
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.errors import PackageError, StorageError
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.selectors import current_subdir
from tests.helpers import Store


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory, channel: str) -> Iterator[PlatformLock]:
    """What a small build was locked to, from a channel on this disk."""
    store = Store(EnvStore.open(StoreConfig(str(tmp_path_factory.mktemp("s")))))
    view = store.build(f"name: e\nchannels: [{channel}]\ndependencies: [click]")
    assert view["status"] == "COMPLETED", view["reason"]
    yield store.envstore.records.read(view["id"]).lock(current_subdir())
    store.close()


def archive(record: CondaEntry) -> Path:
    found = local_path(record["url"])
    assert found is not None
    return found


def fill(filling: CacheFilling, record: CondaEntry, data: bytes | None = None) -> None:
    with filling.receive(record) as writer:
        writer.write(archive(record).read_bytes() if data is None else data)


def test_a_cache_that_was_filled_is_linked_from_without_any_channel(lock: PlatformLock, tmp_path: Path) -> None:
    cache = tmp_path / "packages" / "conda"
    with CacheFilling(cache) as filling:
        for record in lock.conda:
            fill(filling, record)
    assert all(in_cache(record, cache) for record in lock.conda)
    assert list((tmp_path / "packages" / INCOMING).iterdir()) == []
    elsewhere = "https://example.invalid/x"
    away = replace(lock, conda=tuple({**record, "url": f"{elsewhere}/{record['fn']}"} for record in lock.conda))
    prefix = tmp_path / "prefix"
    linked = link_conda(away, current_subdir(), prefix, prefix, cache, Silent())
    assert linked.downloaded == 0
    assert {json.loads(path.read_text())["name"] for path in (prefix / "conda-meta").glob("*.json")} == {
        record["name"] for record in lock.conda
    }


def test_it_looks_as_rattler_would_have_unpacked_it(lock: PlatformLock, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a" / "conda", tmp_path / "b" / "conda"
    with CacheFilling(ours) as filling:
        for record in lock.conda:
            fill(filling, record)
    link_conda(lock, current_subdir(), tmp_path / "p", tmp_path / "p", theirs, Silent())
    for record in lock.conda:
        name = cache_name(record)
        assert (ours / f"{name}.lock").read_bytes() == (theirs / f"{name}.lock").read_bytes()
        assert tree(ours / name) == tree(theirs / name)


def tree(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


def test_what_is_not_the_package_is_left_out(lock: PlatformLock, tmp_path: Path) -> None:
    cache = tmp_path / "conda"
    first, second, *_ = lock.conda
    data = b"no archive at all"
    said: CondaEntry = {**first, "sha256": hashlib.sha256(data).hexdigest()}
    with CacheFilling(cache) as filling:
        with pytest.raises(StorageError, match="another file"):
            fill(filling, first, archive(first).read_bytes()[:-1])
        with pytest.raises(StorageError, match="cannot be unpacked"):
            fill(filling, said, data)
        with pytest.raises(PackageError), filling.receive({**first, "fn": "../../x.conda"}):
            pass
        fill(filling, second)
    assert [in_cache(record, cache) for record in (first, second)] == [False, True]


def test_another_package_of_the_same_name_gives_way_once_nobody_links(lock: PlatformLock, tmp_path: Path) -> None:
    cache = tmp_path / "conda"
    record = lock.conda[0]
    place = cache / cache_name(record)
    (place / "info").mkdir(parents=True)
    (place / "info" / "other").write_text("another package")
    (cache / f"{place.name}.lock").write_bytes(bytes(40))
    with (cache / GLOBAL_LOCK).open("w") as used, CacheFilling(cache) as filling:
        fcntl.flock(used, fcntl.LOCK_EX)  # as rattler does while it installs
        thread = threading.Thread(target=fill, args=(filling, record))
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        assert (place / "info" / "other").exists()
        fcntl.flock(used, fcntl.LOCK_UN)
        thread.join(20)
    assert in_cache(record, cache)
    assert not (place / "info" / "other").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a small disk")
def test_a_full_disk_is_told_as_such(lock: PlatformLock, small_disk: Path) -> None:
    cache = small_disk / "conda"
    with CacheFilling(cache) as filling:
        free = shutil.disk_usage(small_disk).free
        (small_disk / "ballast").write_bytes(bytes(free - (256 << 10)))
        with pytest.raises(OSError, match=r"(?i)no space left"):
            for record in sorted(lock.conda, key=lambda record: record.get("size") or 0):
                fill(filling, record)
    assert list((small_disk / INCOMING).iterdir()) == []
