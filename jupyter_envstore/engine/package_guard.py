"""Looks at each package between the moment that it is in the cache and the moment that it is linked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.cache_claims import packages_claimed
from jupyter_envstore.engine.checked_packages import (
    Damage,
    DamagedCacheError,
    KnownPackage,
    changed_packages,
    look_at,
    stamp,
)
from jupyter_envstore.engine.collisions import Registry, folds_case
from jupyter_envstore.engine.package_cache import cache_name, holds_another, in_cache
from jupyter_envstore.engine.package_paths import check_record, read_paths
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import CondaEntry


class Guard:
    """Keeps a linker from packages that lie about their paths.

    rattler downloads and links in one go, and tells of each package that is in the cache before it links it. What is
    refused then cannot be taken out of its hands. So it goes out of the cache, where rattler would read its paths next;
    and the folder that is linked into is taken away, and with it every path below it, ``..`` included.

    Parameters
    ----------
    lock : PlatformLock
        What is linked.
    cache_dir : Path
        The package cache.
    staging : Path
        The folder that is linked into.

    Raises
    ------
    PackageError
        What the lock says of a package is refused, or packages cannot be in one environment.
    DamagedCacheError
        Packages in the cache are refused, or are not as they were packed.
    """

    def __init__(self, lock: PlatformLock, cache_dir: Path, staging: Path) -> None:
        self.cache_dir = cache_dir
        self.staging = staging
        self.records: dict[str, CondaEntry] = {str(record["name"]): record for record in lock.conda}
        self.error: PackageError | None = None
        self.again = False
        self._lock = threading.Lock()
        self._stamps: dict[str, list[Any]] = {}
        self._known: list[KnownPackage] = []
        for record in lock.conda:
            check_record(record)
        staging.parent.mkdir(parents=True, exist_ok=True)
        self.registry = Registry(site_packages(lock), folds_case(staging.parent))
        cached = [record for record in lock.conda if (cache_dir / cache_name(record) / "info").is_dir()]
        damages = [damage for record in cached for damage in self._add_cached(record)]
        if damages:
            raise DamagedCacheError(damages)
        self.registry.check_links()
        self.late = frozenset(self.registry.late)

    @property
    def stopped(self) -> Path:
        """Where the folder is that was taken away."""
        return self.staging.with_name(f"{self.staging.name}.stopped")

    def arrived(self, name: str) -> None:
        """Look at a package that is in the cache now; stop everything if it must not be linked. Called by threads."""
        with self._lock:
            if self.error is not None or self.again:
                return
            record = self.records[name]
            try:
                if name not in self.registry:
                    self._add(record)
                    self.registry.check_links()
                    self.again = self.registry.late != self.late
                else:
                    self.again = stamp(record, self.cache_dir) != self._stamps[name]
            except PackageError as error:
                self.error = error
            except Exception as error:  # the linker asks nobody what went wrong here: so it must not go on
                self.error = PackageError(f"package {record['fn']} cannot be looked at: {error}")
            if self.error is not None or self.again:
                self.staging.rename(self.stopped)
            if self.error is not None:
                remove_tree(self.cache_dir / cache_name(record))

    def settled(self) -> None:
        """Make sure that every package was looked at.

        Raises
        ------
        PackageError
            One was refused, or nobody told of it.
        """
        if self.error is not None:
            raise self.error
        missing = [name for name in self.records if name not in self.registry]
        if missing or self.again:
            msg = f"package {', '.join(missing)[:200]} was linked before it was looked at"
            raise PackageError(msg)

    def _add_cached(self, record: CondaEntry) -> list[Damage]:
        """Look at a package that was in the cache before; return what is wrong with it."""
        if holds_another(record, self.cache_dir):  # it is looked at when this one has come in its place
            return []
        is_known = in_cache(record, self.cache_dir)
        try:
            known = look_at(record, self.cache_dir)
        except (DamagedCacheError, PackageError) as error:
            if is_known or not record.get("sha256"):
                return list(error.found) if isinstance(error, DamagedCacheError) else [Damage(record, str(error))]
            remove_tree(self.cache_dir / cache_name(record))  # another package of this name: it is fetched anew
            return []
        self._stamps[record["name"]] = known.stamp
        if is_known or not record.get("sha256"):
            self._known.append(known)
        try:
            self.registry.add(record, known.paths)
        except PackageError:
            if is_known:
                raise
            remove_tree(self.cache_dir / cache_name(record))  # perhaps another package of this name, likewise
        return []

    def _add(self, record: CondaEntry) -> None:
        known = look_at(record, self.cache_dir, is_fresh=True)
        self._stamps[record["name"]] = known.stamp
        self.registry.add(record, known.paths)

    def damages(self) -> list[Damage]:
        """Return those packages that were in the cache before and are not any more as they were. It takes its time."""
        return changed_packages(self._known, self.cache_dir)

    def make_room(self, records: Sequence[CondaEntry], linked: Sequence[CondaEntry]) -> None:
        """Remove what lies where programs of the packages that come next are written: it may be a link, or shared."""
        before = {record["name"] for record in linked}
        for record in records:
            for path, names in self.registry.scripts.items():
                if record["name"] in names and record["name"] not in before and path in self.registry.shared:
                    (self.staging / path).unlink(missing_ok=True)


def cached_registry(lock: PlatformLock, cache_dir: Path) -> Registry:
    """Return the paths of those packages that lie in the cache.

    Raises
    ------
    PackageError
        A package is refused, or cannot be in one environment with another.
    """
    registry = Registry(site_packages(lock))
    for record in lock.conda:
        check_record(record)
    with packages_claimed(lock.conda, cache_dir):
        for record in lock.conda:
            if in_cache(record, cache_dir):
                try:
                    paths = look_at(record, cache_dir).paths
                except DamagedCacheError:  # what it links to is known all the same
                    paths = read_paths(record, cache_dir / cache_name(record))
                registry.add(record, paths)
    return registry


def site_packages(lock: PlatformLock) -> str:
    """Return where an environment's Python packages lie, relative to its prefix."""
    python = next((record for record in lock.conda if record["name"] == "python"), None)
    if python is not None and python.get("python_site_packages_path"):
        return str(python["python_site_packages_path"]).rstrip("/")
    minor = ".".join((lock.python or "3").split(".")[:2])
    return f"lib/python{minor}/site-packages"
