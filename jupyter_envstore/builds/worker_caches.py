"""The caches of a worker that has a folder of its own: kept below a limit, by when each thing was used last.

The servers' folder knows which packages its builds need; a worker keeps no build, so here age decides.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jupyter_envstore.builds.cache_lock import caches_alone
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.engine.prefix import remove_tree, to_trash, tree_size
from jupyter_envstore.engine.record import PlatformLock

LOOK_SECONDS = 600.0
"""How often the caches are measured, which takes a walk through all of their files."""
STRAY_SECONDS = 86400.0
"""How much older than any job can be what no job has any more."""
LOOKED = "measured"
"""Name of the file that tells when they were."""
LEFT = 0.8
"""Part of the limit that is filled after a collection, so that not each job is followed by one."""
TREES = ("conda/*/info", "uv/archive-v*/*", "bytecode/*/*/*", "bytecode-of/*/*/*/*")
FILES = ("repodata/**/*", "paths/*.json")


class Cached(NamedTuple):
    """A thing in the caches: when it was used last, its bytes, and where it is."""

    used: float
    size: int
    path: Path


def note_use(config: StoreConfig, lock: PlatformLock) -> None:
    """Note that the packages of a lock are used now."""
    for entry in lock.conda:
        with contextlib.suppress(OSError):
            os.utime(config.packages / "conda" / cache_name(entry))


def trim_caches(config: StoreConfig) -> int:
    """Remove what was not used for the longest time, if the caches are larger than their limit; return the bytes.

    Nothing is removed while another worker uses the caches, or if they were measured a short while ago.
    """
    looked = config.packages / LOOKED
    if time.time() - _modified(looked) < LOOK_SECONDS:
        return 0
    _remove_strays(config)
    limit = config.package_cache_gigabytes * 1e9
    found = sorted(_cached(config.packages)) if limit else []
    size = sum(thing.size for thing in found)
    trash, freed = [], 0
    with caches_alone(config) as alone:  # short: nothing but renames
        if not alone and size > limit:
            return 0
        for thing in found if size > limit else ():
            if size - freed <= limit * LEFT:
                break
            trash.append(to_trash(thing.path))
            freed += thing.size
    looked.touch(mode=0o600)
    for path in trash:
        if path is not None:
            remove_tree(path)
    return freed


def _remove_strays(config: StoreConfig) -> None:
    """Remove what a machine left that was switched off in the middle of a job: it is older than any job can be."""
    oldest = time.time() - STRAY_SECONDS - config.build_time_limit
    for path in (*config.staging.glob("job-*"), *config.builds.glob("*")):
        if 0 < _modified(path) < oldest:
            with contextlib.suppress(OSError):
                remove_tree(path)


def _cached(packages: Path) -> Iterator[Cached]:
    for pattern in TREES:
        for found in packages.glob(pattern):
            path = found.parent if found.name == "info" else found
            yield Cached(_modified(path), tree_size(path)[0], path)
    for pattern in FILES:
        for path in packages.glob(pattern):
            if path.is_file():
                with contextlib.suppress(OSError):
                    yield Cached(_modified(path), path.stat().st_size, path)


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
