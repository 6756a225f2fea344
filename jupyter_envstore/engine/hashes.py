"""Both hashes of packages whose lock has one: from the store where it keeps the file, else from where the lock has it.

A package that is known by its MD5 alone is looked at before it is linked: rattler takes whatever package of its name,
version and build lies in the cache then.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from jupyter_envstore.engine.channels import conda_credentials, local_path, make_client, redact
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import HASH_KINDS, CondaEntry, Hashes, HashKind

Found = TypeVar("Found")
Stored = Callable[[CondaEntry], Iterable[Path]]
"""Gives files that may be a package's, by what its lock says of it."""


def with_sha256(lock: PlatformLock, stored: Stored, progress: Progress) -> PlatformLock:
    """Return a lock that has the SHA-256 of every conda package.

    Raises
    ------
    PackageError
        A package cannot be had, or is not the one that was locked.
    """
    lacking = [entry for entry in lock.conda if not entry.get("sha256")]
    if not lacking:
        return lock
    progress.log(f"{len(lacking)} packages are locked by their MD5 alone: each is read once for its SHA-256")
    found: dict[str, Hashes] = {}
    for place, entry in enumerate(lacking):
        progress.advance(place, len(lacking), "packages", entry["name"])
        found[entry["url"]] = missing_hashes(entry, stored)
    return replace(lock, conda=tuple(with_hashes(entry, found.get(entry["url"])) for entry in lock.conda))


def with_hashes(entry: CondaEntry, hashes: Hashes | None) -> CondaEntry:
    """Return a package of a lock with hashes that were found since."""
    return {**entry, **hashes} if hashes else entry


def missing_hashes(entry: CondaEntry, stored: Stored) -> Hashes:
    """Return the hashes that a package in a lock lacks, of a file that has the one that is locked.

    Raises
    ------
    PackageError
        It cannot be had, or is not the one that was locked.
    """
    missing = [kind for kind in HASH_KINDS if not entry.get(kind)]
    if not missing:
        return {}
    known = next(kind for kind in HASH_KINDS if entry.get(kind))
    for path in stored(entry):
        try:
            found = _hashes(path)
        except OSError:  # it is not there, or was removed meanwhile
            continue
        if found[known] == entry[known]:
            return _only(found, missing)
    found = _hashes_at(entry)
    if found[known] != entry[known]:
        raise another_package(entry, known, found[known])
    return _only(found, missing)


def _only(found: Mapping[HashKind, str], kinds: Iterable[HashKind]) -> Hashes:
    chosen: Hashes = {}
    for kind in kinds:
        chosen[kind] = found[kind]
    return chosen


def another_package(entry: CondaEntry, kind: HashKind, found: str) -> PackageError:
    """Return the error for a package in a channel that has another hash than the one that is locked."""
    return PackageError(
        f"package {entry['fn']} is not the one that was locked: its {kind} is {found}, "
        f"locked is {entry.get(kind)}; the file in the channel was changed or is damaged"
    )


def read_local(entry: CondaEntry, path: Path, read: Callable[[Path], Found]) -> Found:
    """Return what ``read`` gives of a package's file in a channel on this machine.

    Raises
    ------
    PackageError
        The file is gone, or cannot be read.
    """
    try:
        return read(path)
    except FileNotFoundError:
        msg = f"package {entry['fn']} is not in its channel any more: {path} is gone"
        raise PackageError(msg) from None
    except OSError as error:
        msg = f"package {entry['fn']} cannot be read: {error.strerror}"
        raise PackageError(msg) from None


def _hashes_at(entry: CondaEntry) -> dict[HashKind, str]:
    local = local_path(entry["url"])
    if local is None:
        with tempfile.TemporaryDirectory(prefix="envstore-hash-") as folder:
            path = Path(folder) / "package"
            _download(entry["url"], path)
            return _hashes(path)
    return read_local(entry, local, _hashes)


def _hashes(path: Path) -> dict[HashKind, str]:
    """Return all hashes of a file, which is read once."""
    digests = {kind: hashlib.new(kind, usedforsecurity=False) for kind in HASH_KINDS}
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for digest in digests.values():
                digest.update(chunk)
    return {kind: digest.hexdigest() for kind, digest in digests.items()}


def _download(url: str, path: Path) -> None:
    from rattler.package_streaming import download_to_path

    async def run() -> None:
        await download_to_path(make_client(), url, path)

    try:
        with conda_credentials():
            asyncio.run(run())
    except Exception as error:
        msg = f"package {redact(url)} cannot be downloaded: {redact(str(error))}"
        raise PackageError(msg) from None
