"""Make a prefix from a lock: download, link, PyPI packages, variables, and the seal of a finished prefix."""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import io
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import conda_credentials, local_path, make_client, redact
from jupyter_envstore.engine.checked_packages import DamagedCacheError, damage_behind, remove_damaged
from jupyter_envstore.engine.clobbers import settle
from jupyter_envstore.engine.collisions import Collision, Misstated, OutsideLink, phases
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.environment_variables import write_variables
from jupyter_envstore.engine.hashes import another_package, read_local
from jupyter_envstore.engine.kept_files import Find, from_store, install_wheels, restore_addresses
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.package_guard import Guard
from jupyter_envstore.engine.prefix import remove_tree, storage_error, write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.reporter import Reporter
from jupyter_envstore.engine.sdist import built_wheels
from jupyter_envstore.engine.wheel_paths import check_wheels, overwritten, without_links
from jupyter_envstore.errors import PackageError, StorageError


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
    removed: dict[str, str] = {}
    while True:
        try:
            with from_store(lock.conda, cache_dir, kept, progress, staging.parent) as (records, addresses):
                near = replace(lock, conda=tuple(records))
                linked = _link_all(near, platform, staging, target, cache_dir, progress, requested)
                restore_addresses(staging, records, addresses)
            return replace(linked, downloaded=max(linked.downloaded - len(addresses), 0))
        except DamagedCacheError as error:
            remove_damaged(error.found, removed, cache_dir, progress)
        except PackageError as error:
            if removed:
                faults = "; ".join(f"{name}: {fault}" for name, fault in sorted(removed.items()))
                msg = f"{error}. What the package cache had was damaged: {faults}"
                raise PackageError(msg) from None
            raise


def _link_all(
    lock: PlatformLock,
    platform: str,
    staging: Path,
    target: Path,
    cache_dir: Path,
    progress: Progress,
    requested: Sequence[str],
) -> LinkedPackages:
    """Link packages, once more where others came into the cache than were looked at.

    Raises
    ------
    DamagedCacheError
        Packages in the cache are not as they were packed.
    """
    verify_local_packages(lock.conda, cache_dir)
    downloaded = 0
    for _ in range(TRIES):
        # of its own each time: threads of rattler's go on for a while after it was stopped
        folder = staging.with_name(f"{staging.name}.{uuid.uuid4().hex[:8]}")
        guard = Guard(lock, cache_dir, folder)
        reporter = Reporter(lock.conda, progress, guard.arrived)
        with ThreadPoolExecutor(1) as beside:
            damages = beside.submit(guard.damages)  # while rattler links, which leaves this process idle
            try:
                linked: list[Mapping[str, Any]] = []
                for records in phases(lock.conda, guard.registry.late):
                    guard.make_room(records, linked)
                    _install(records, platform, folder, target, cache_dir, requested, reporter)
                    linked = records
                guard.settled()
                collisions = settle(folder, guard.registry, lock.conda)
                if damages.result():
                    raise DamagedCacheError(damages.result())
                folder.rename(staging)
            except BaseException as error:  # a panic of rattler's is no Exception
                remove_tree(folder)
                if guard.error is not None:
                    raise guard.error from None
                if not guard.again:
                    raise damage_behind(error, damages.result(), lock.conda, cache_dir) from None
                reporter.wait()
                continue
            finally:
                downloaded += reporter.downloaded
                remove_tree(guard.stopped)
        registry = guard.registry
        links = registry.outside_links()
        return LinkedPackages(
            downloaded,
            tuple(collisions),
            tuple(links),
            registry.files,
            frozenset(registry.shared),
            registry.site_packages,
            registry.size,
            registry.own_size,
            tuple(registry.misstated),
        )
    msg = "the packages in the cache change while they are linked; stop what changes them, and build again"
    raise PackageError(msg)


def _install(
    records: Sequence[Mapping[str, Any]],
    platform: str,
    staging: Path,
    target: Path,
    cache_dir: Path,
    requested: Sequence[str],
    reporter: Reporter,
) -> None:
    import rattler

    # rattler 0.28 wants the inner objects; a release that takes MatchSpec has no such attribute to offer
    specs: list[Any] = [getattr(s, "_match_spec", s) for s in map(rattler.MatchSpec, requested)]

    async def run() -> None:
        await rattler.install(
            [to_record(record) for record in records],
            staging,
            cache_dir=cache_dir,
            platform=rattler.Subdir(platform),
            client=make_client(),
            show_progress=False,
            requested_specs=specs or None,
            reporter=reporter,
            alternative_target_prefix=target,
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


def to_record(record: Mapping[str, Any]) -> Any:
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


def verify_local_packages(records: Iterable[dict[str, Any]], cache_dir: Path) -> None:
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
        kind = "sha256" if record.get("sha256") else "md5"
        digest = read_local(record, path, partial(file_digest, kind=kind))
        if digest != record.get(kind):
            raise another_package(record, kind, digest)


def finish_prefix(
    record: BuildRecord,
    platform: str,
    staging: Path,
    target: Path,
    pip_cache: Path,
    find_wheel: Find,
    progress: Progress,
    linked: LinkedPackages,
) -> list[Collision]:
    """Add PyPI packages and variables to a prefix that :func:`link_conda` made.

    Parameters
    ----------
    find_wheel : callable
        Returns the place of a file in the store by its SHA-256: a wheel that was built here, or is kept.
    linked : LinkedPackages
        What came of linking.

    Returns
    -------
    list of Collision
        Files of PyPI packages that stand for others'.

    Raises
    ------
    PipError
        A package cannot be installed, or puts files where it must not.
    """
    lock = record.lock(platform)
    written_over: list[Collision] = []
    (staging / "CACHEDIR.TAG").unlink(missing_ok=True)
    if lock.pip:
        progress.log(f"installing {len(lock.pip)} PyPI packages")
        with (
            tempfile.TemporaryDirectory(prefix="envstore-wheels-") as folder,
            without_links(staging, linked.outside_links),
        ):
            wheels = built_wheels(lock.pip, find_wheel, Path(folder))
            check_wheels(wheels)
            install = partial(install_wheels, find_wheel, staging, pip_cache, progress)
            install(wheels)
            written_over = overwritten(
                staging,
                staging / linked.site_packages,
                wheels,
                linked.files,
                lambda wheel: install([wheel], reinstall=True),
            )
            relocate_scripts(staging, staging, target)
    write_variables(staging, record.variables)
    history = staging / "conda-meta" / "history"
    specs = ", ".join(repr(spec) for spec in record.requested_conda)
    write_new(history, f"# update specs: [{specs}]\n".encode() if specs else b"")
    return written_over


def relocate_scripts(prefix: Path, old: Path, new: Path) -> None:
    """Rewrite ``old`` to ``new`` in the scripts that PyPI packages put into ``bin/``, and in their ``RECORD``."""
    old_bytes, new_bytes = os.fsencode(old), os.fsencode(new)
    for site in site_packages_folders(prefix):
        for record_path in site.glob("*.dist-info/RECORD"):
            if _installer(record_path.parent) != "uv":
                continue
            rows = list(csv.reader(io.StringIO(record_path.read_text(encoding="utf-8"))))
            changed = False
            for row in rows:
                script = Path(os.path.realpath(site / row[0]))
                if script.parent != Path(os.path.realpath(prefix)) / "bin" or not script.is_file():
                    continue
                data = script.read_bytes()
                if old_bytes not in data:
                    continue
                replaced = data.replace(old_bytes, new_bytes)
                write_new(script, replaced, stat.S_IMODE(script.stat().st_mode))
                digest = base64.urlsafe_b64encode(hashlib.sha256(replaced).digest()).rstrip(b"=").decode()
                row[1:] = [f"sha256={digest}", str(len(replaced))]
                changed = True
            if changed:
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(rows)
                write_new(record_path, text.getvalue().encode())


def _installer(info: Path) -> str:
    try:
        return (info / "INSTALLER").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def site_packages_folders(prefix: Path) -> list[Path]:
    """Return the ``site-packages`` folders of ``prefix``; one, where there is Python."""
    found = [p for p in (prefix / "lib").glob("python3.*/site-packages") if p.is_dir()]
    return [p for p in found if not p.parent.is_symlink()]


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
