"""Make a prefix from a lock: download conda packages, and link them."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.cache_claims import packages_claimed
from jupyter_envstore.engine.channels import conda_credentials, local_path, make_client, redact
from jupyter_envstore.engine.checked_packages import DamagedCacheError, damage_behind, remove_damaged
from jupyter_envstore.engine.clobbers import settle
from jupyter_envstore.engine.collisions import Collision, Misstated, OutsideLink, Registry, phases
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.hashes import another_package, read_local
from jupyter_envstore.engine.kept_files import Find, from_store, restore_addresses
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.package_guard import Guard
from jupyter_envstore.engine.prefix import remove_tree, storage_error
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.reporter import Reporter
from jupyter_envstore.errors import PackageError, StorageError
from jupyter_envstore.spec.lock_entries import CondaEntry, HashKind


@dataclass(frozen=True)
class LinkedPackages:
    """What came of linking conda packages.

    Parameters
    ----------
    downloaded : int
        How many packages were not in the cache.
    collisions : tuple of Collision
        Paths where one package's file stands for another's.
    outside_links : tuple of OutsideLink
        Links that lead out of the environment.
    files : mapping
        Whose each file is.
    shared : frozenset of str
        Paths that several packages have, whether or not their files differ.
    site_packages : str
        Where Python packages lie in the prefix.
    size, own_size : int
        Bytes of the packages' files, and of those that hold the prefix; as packages have them, so not to the byte.
    misstated : tuple of Misstated
        Packages whose files have other sizes than they list.
    """

    downloaded: int
    collisions: tuple[Collision, ...] = ()
    outside_links: tuple[OutsideLink, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    site_packages: str = ""
    size: int = 0
    own_size: int = 0
    misstated: tuple[Misstated, ...] = ()


@dataclass(frozen=True)
class _Destination:
    """Where packages are linked to, as :func:`link_conda` says, and for which requests."""

    platform: str
    staging: Path
    target: Path
    cache_dir: Path
    requested: Sequence[str]


TRIES = 5
"""How often packages are linked anew because others came than were looked at."""


def link_conda(
    lock: PlatformLock,
    platform: str,
    staging: Path,
    target: Path,
    cache_dir: Path,
    progress: Progress,
    requested: Sequence[str] = (),
    kept: Find | None = None,
) -> LinkedPackages:
    """Download the conda packages of ``lock`` and link them into ``staging`` as if it were ``target``.

    Parameters
    ----------
    lock : PlatformLock
        What to link.
    staging : Path
        Folder that is made; it must not exist.
    target : Path
        Prefix that is written into files.
    cache_dir : Path
        Package cache; files are hard links into it where the file system allows.
    kept : callable or None
        Gives the place of a file in the store by its SHA-256: what is there is taken before any channel's.

    Raises
    ------
    PackageError
        A package cannot be had, is damaged, is not the one that was locked, lies about its paths, or cannot be in one
        environment with another.
    StorageError
        No space left, or the store is read-only.
    """
    with packages_claimed(lock.conda, cache_dir, progress):
        return _link_mended(lock, _Destination(platform, staging, target, cache_dir, requested), progress, kept)


def _link_mended(lock: PlatformLock, to: _Destination, progress: Progress, kept: Find | None) -> LinkedPackages:
    """Link packages; those that are damaged in the cache come anew, once."""
    removed: dict[str, str] = {}
    while True:
        try:
            with from_store(lock.conda, to.cache_dir, kept, progress, to.staging.parent) as (records, addresses):
                near = replace(lock, conda=tuple(records))
                linked = _link_all(near, to, progress)
                restore_addresses(to.staging, records, addresses)
            return replace(linked, downloaded=max(linked.downloaded - len(addresses), 0))
        except DamagedCacheError as error:
            remove_damaged(error.found, removed, to.cache_dir, progress)
        except PackageError as error:
            if removed:
                faults = "; ".join(f"{name}: {fault}" for name, fault in sorted(removed.items()))
                msg = f"{error}. What the package cache had was damaged: {faults}"
                raise PackageError(msg) from None
            raise


def _link_all(lock: PlatformLock, to: _Destination, progress: Progress) -> LinkedPackages:
    """Link packages, once more where others came into the cache than were looked at.

    Raises
    ------
    DamagedCacheError
        Packages in the cache are not as they were packed.
    """
    verify_local_packages(lock.conda, to.cache_dir)
    downloaded = 0
    for _ in range(TRIES):
        # of its own each time: threads of rattler's go on for a while after it was stopped
        folder = to.staging.with_name(f"{to.staging.name}.{uuid.uuid4().hex[:8]}")
        guard = Guard(lock, to.cache_dir, folder)
        reporter = Reporter(lock.conda, progress, guard.arrived)
        with ThreadPoolExecutor(1) as beside:
            damages = beside.submit(guard.damages)  # while rattler links, which leaves this process idle
            try:
                linked: list[CondaEntry] = []
                for records in phases(lock.conda, guard.registry.late):
                    guard.make_room(records, linked)
                    _install(records, replace(to, staging=folder), reporter)
                    linked = records
                guard.settled()
                collisions = settle(folder, guard.registry, lock.conda)
                if damages.result():
                    raise DamagedCacheError(damages.result())
                folder.rename(to.staging)
            except BaseException as error:  # a panic of rattler's is no Exception
                remove_tree(folder)
                if guard.error is not None:
                    raise guard.error from None
                if not guard.again:
                    raise damage_behind(error, damages.result(), lock.conda, to.cache_dir) from None
                reporter.wait()
                continue
            finally:
                downloaded += reporter.downloaded
                remove_tree(guard.stopped)
        return _linked(guard.registry, downloaded, collisions)
    msg = "the packages in the cache change while they are linked; stop what changes them, and build again"
    raise PackageError(msg)


def _linked(registry: Registry, downloaded: int, collisions: Sequence[Collision]) -> LinkedPackages:
    return LinkedPackages(
        downloaded,
        tuple(collisions),
        tuple(registry.outside_links()),
        registry.files,
        frozenset(registry.shared),
        registry.site_packages,
        registry.size,
        registry.own_size,
        tuple(registry.misstated),
    )


def _install(records: Sequence[CondaEntry], to: _Destination, reporter: Reporter) -> None:
    import rattler

    # rattler 0.28 wants the inner objects; a release that takes MatchSpec has no such attribute to offer
    specs: list[Any] = [getattr(s, "_match_spec", s) for s in map(rattler.MatchSpec, to.requested)]

    async def run() -> None:
        await rattler.install(
            [to_record(record) for record in records],
            to.staging,
            cache_dir=to.cache_dir,
            platform=rattler.Subdir(to.platform),
            client=make_client(),
            show_progress=False,
            requested_specs=specs or None,
            reporter=reporter,
            alternative_target_prefix=to.target,
            execute_link_scripts=False,
        )

    try:
        with conda_credentials():
            asyncio.run(run())
    except OSError as error:
        raise storage_error(error) from error
    except Exception as error:
        raise _package_error(error) from None


def is_hard_linked(prefix: Path) -> bool:
    """Whether most files of ``prefix`` are those of the cache: some hundred are looked at."""
    shared = total = 0
    for folder, _, files in os.walk(prefix / "lib"):
        for name in files[:20]:
            total += 1
            shared += os.lstat(os.path.join(folder, name)).st_nlink > 1  # noqa: PTH118 - many files
        if total > 500:
            break
    return not total or shared > total // 2


def to_record(record: CondaEntry) -> Any:
    """Return a repodata record (JSON value) as rattler's object."""
    import rattler

    package = rattler.PackageRecord(
        record["name"],
        record["version"],
        rattler.BuildString(record["build"]),
        record.get("build_number", 0),
        record["subdir"],
        noarch=rattler.NoArchType(record["noarch"]) if record.get("noarch") else None,
        depends=list(record.get("depends", ())),
        constrains=list(record.get("constrains", ())),
        sha256=bytes.fromhex(record["sha256"]) if record.get("sha256") else None,
        md5=bytes.fromhex(record["md5"]) if record.get("md5") else None,
        size=record.get("size"),
        license=record.get("license"),
        python_site_packages_path=record.get("python_site_packages_path"),
    )
    return rattler.RepoDataRecord(package, record["fn"], record["url"], record["channel"])


def verify_local_packages(records: Iterable[CondaEntry], cache_dir: Path) -> None:
    """Check the hashes of packages on this machine's own disk: rattler trusts ``file://`` addresses.

    Raises
    ------
    PackageError
        A file is gone, or its hash is not the locked one.
    """
    for record in records:
        path = local_path(record["url"])
        if path is None or in_cache(record, cache_dir):
            continue
        kind: HashKind = "sha256" if record.get("sha256") else "md5"
        digest = read_local(record, path, partial(file_digest, kind=kind))
        if digest != record.get(kind):
            raise another_package(record, kind, digest)


def _package_error(error: Exception) -> Exception:
    text = redact(str(error)).strip()
    lines = [line.removeprefix("Caused by: ").strip() for line in text.splitlines() if line.strip()]
    reason = lines[-1] if lines else type(error).__name__
    if "No space left on device" in text:
        return StorageError("no space left on the store's disk; free some with: jupyter envstore gc")
    if re.search(r"Read-only file system|Permission denied", text):
        return StorageError(f"the store cannot be written: {reason}")
    if "hash mismatch" in text or "Invalid checksum" in text or "InvalidGzip" in text:
        reason = f"it is damaged ({reason})"
    elif "failed to unpack" in text:
        reason += "; its archive cannot be unpacked as it is: tell whoever keeps its channel"
    return PackageError(f"{lines[0] if lines else 'a package cannot be installed'}: {reason}")
