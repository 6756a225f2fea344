"""Whether the packages of a lock can still be had, and where from."""

from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.database.kept_packages import CONDA, PackageFile
from jupyter_envstore.engine.channels import local_path, redact
from jupyter_envstore.engine.package_cache import cache_name, in_cache
from jupyter_envstore.engine.package_files import package_files
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.spec.lock_entries import CondaEntry

TIMEOUT = 15.0
KEPT, CACHE, CHANNEL, UNANSWERED, GONE = "kept", "cache", "channel", "unanswered", "gone"
"""The store itself, its package cache, the address in the lock; that one does not answer; nowhere."""


@dataclass(frozen=True)
class PackageSource:
    """Where a package would come from: ``place`` is one of the five above, ``detail`` says more where there is more."""

    name: str
    manager: str
    filename: str
    place: str
    detail: str = ""


def package_sources(lock: PlatformLock, cache_dir: Path, blobs: BlobStore) -> list[PackageSource]:
    """Return where each package of a lock would come from if it were linked now: ``blobs`` has the stored files.

    What asks for a password counts as there: the restore itself will tell.
    """
    files = package_files(lock)
    records = {(record["subdir"], record["fn"]): record for record in lock.conda}

    def find(file: PackageFile) -> PackageSource:
        found = PackageSource(file.name, file.manager, file.filename, GONE)
        damaged = ""
        if file.hash_kind == "sha256" and blobs.exists(file.hash):
            if blobs.verify(file.hash):
                return replace(found, place=KEPT)
            damaged = "the kept file is damaged"
        if file.built_here:
            return replace(found, detail=damaged or "it was built here, and is not in the store any more")
        if file.manager == CONDA:
            record = records[file.subdir, file.filename]
            if in_cache(record, cache_dir) or (not record.get("sha256") and _unpacked(file, record, cache_dir)):
                return replace(found, place=CACHE, detail=damaged)
        place, detail = _ask(file.url)
        return replace(found, place=place, detail="; ".join(text for text in (damaged, detail) if text))

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(find, files))


def missing_packages(sources: list[PackageSource]) -> list[str]:
    """Return the file names of packages that are to be had nowhere; an address that does not answer may again."""
    return [source.filename for source in sources if source.place == GONE]


def _unpacked(file: PackageFile, record: CondaEntry, cache_dir: Path) -> bool:
    return (cache_dir / cache_name(record) / "info" / "index.json").is_file()


def _ask(url: str) -> tuple[str, str]:
    path = local_path(url)
    if path is not None:
        return (CHANNEL, "") if path.is_file() else (GONE, f"there is no {path}")
    if not url.startswith(("http://", "https://")):
        return GONE, f"nothing can be fetched from {redact(url)}"
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310
            return CHANNEL, ""
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            return GONE, f"{redact(url)} is not there any more"
        return CHANNEL, f"the server says {error.code}"
    except OSError as error:
        return UNANSWERED, f"{redact(url)}: {getattr(error, 'reason', error)}"
