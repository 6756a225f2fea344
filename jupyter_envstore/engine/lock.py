"""The build record as a conda-lock file, and conda-lock files of others as a build record."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from jupyter_envstore.engine.channels import strip_credentials
from jupyter_envstore.engine.conda_lock_models import conda_lock_models
from jupyter_envstore.engine.hashes import Stored, missing_hashes, with_hashes
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.errors import PlatformError
from jupyter_envstore.spec.lock_entries import CondaEntry, Hashes, IndexFields, LockfileEntry, PypiEntry
from jupyter_envstore.spec.specification import Specification, canonical_json

if TYPE_CHECKING:
    from conda_lock.lockfile.v2prelim.models import Lockfile


def export_lock(record: BuildRecord) -> Lockfile:
    """Return ``record`` as conda-lock's own model, written to a file by :func:`lock_text`.

    Name, description and variables go into ``custom_metadata``, which takes text only: the variables as JSON.
    """
    with conda_lock_models():
        from conda_lock.lockfile.v1.models import HashModel, LockMeta
        from conda_lock.lockfile.v2prelim.models import LockedDependency, Lockfile

    packages = []
    for platform, lock in record.platforms.items():
        for entry in lock.conda:
            packages.append(
                LockedDependency(
                    name=entry["name"],
                    version=entry["version"],
                    manager="conda",
                    platform=platform,
                    dependencies=dict(_split_spec(spec) for spec in entry.get("depends", ())),
                    url=entry["url"],
                    hash=HashModel(md5=entry.get("md5"), sha256=entry.get("sha256")),
                    build=entry["build"],
                    categories={"main"},
                )
            )
        for package in lock.pip:
            packages.append(
                LockedDependency(
                    name=package["name"],
                    version=package["version"],
                    manager="pip",
                    platform=platform,
                    dependencies=dict.fromkeys(package.get("dependencies", ()), "*"),
                    url=package["url"],
                    hash=HashModel(sha256=package["sha256"]),
                    categories={"main"},
                )
            )
    custom = {"name": record.name, "description": record.description}
    if record.variables:
        custom["variables"] = json.dumps(record.variables, sort_keys=True)
    metadata = LockMeta(
        content_hash={platform: content_hash(record, platform) for platform in sorted(record.platforms)},
        channels=list(record.channels),
        platforms=sorted(record.platforms),
        sources=["environment.yml"],
        custom_metadata={key: value for key, value in custom.items() if value},
    )
    return Lockfile(package=packages, metadata=metadata)


def with_all_hashes(record: BuildRecord, progress: Progress, stored: Stored) -> BuildRecord:
    """Return ``record`` with both hashes of every conda package, as conda-lock's format demands.

    Foreign locks of several platforms may have SHA-256 only. Those of this platform were completed when they were
    linked; the others are fetched, checked and read once, but for those that are stored here.

    Raises
    ------
    PackageError
        A package cannot be fetched, or is not the one that was locked.
    """
    lacking = [entry for lock in record.platforms.values() for entry in lock.conda if not entry.get("md5")]
    if not lacking:
        return record
    progress.log(f"{len(lacking)} packages of other platforms have no MD5, which the format demands: fetching them")
    found: dict[str, Hashes] = {}
    for place, entry in enumerate(lacking):
        progress.advance(place, len(lacking), "packages", entry["name"])
        if entry["url"] not in found:
            found[entry["url"]] = missing_hashes(entry, stored)
    platforms = {
        platform: replace(lock, conda=tuple(with_hashes(entry, found.get(entry["url"])) for entry in lock.conda))
        for platform, lock in record.platforms.items()
    }
    return replace(record, platforms=platforms)


def lock_text(record: BuildRecord) -> str:
    """Return ``record`` as the text of a ``conda-lock.yml``."""
    with conda_lock_models():
        from conda_lock.lockfile import write_conda_lock_file

    with tempfile.TemporaryDirectory(prefix="envstore-lock-") as folder:
        path = Path(folder) / "conda-lock.yml"
        write_conda_lock_file(export_lock(record), path, metadata_choices=None, include_help_text=False)
        return path.read_text(encoding="utf-8")


def content_hash(record: BuildRecord, platform: str) -> str:
    """Return a hash of what was asked for on ``platform``."""
    asked = [record.channels, record.requested_conda, record.requested_pip, platform]
    return hashlib.sha256(canonical_json(asked)).hexdigest()


def record_from_lock(specification: Specification, name: str, platform: str) -> BuildRecord:
    """Return the build record of a conda-lock file, as far as the file tells.

    Raises
    ------
    PlatformError
        The lock has no packages for ``platform``.
    """
    by_platform: dict[str, tuple[list[CondaEntry], list[PypiEntry]]] = {}
    lockfile = specification.lockfile
    for entry in lockfile["package"] if lockfile else ():
        conda, pip = by_platform.setdefault(entry["platform"], ([], []))
        if entry["manager"] == "conda":
            conda.append(_conda_record(entry))
        else:
            pip.append(_pip_record(entry))
    if platform not in by_platform:
        msg = (
            f"this lockfile is for {', '.join(sorted(by_platform)) or 'no platform'}, not for {platform}; "
            f"lock it again with platform {platform}, or build it on one of its platforms"
        )
        raise PlatformError(msg)
    listed = lockfile["metadata"].get("channels") if lockfile else None
    channels = [c.get("url", "") if isinstance(c, dict) else str(c) for c in listed or []]
    platforms = {
        key: PlatformLock(tuple(sorted(conda, key=lambda r: r["name"])), tuple(sorted(pip, key=lambda r: r["name"])))
        for key, (conda, pip) in sorted(by_platform.items())
    }
    return BuildRecord(
        name=name,
        channels=tuple(strip_credentials(url) if "://" in url else url for url in channels),
        platforms=platforms,
        description=specification.description,
        variables=specification.variables,
    )


def complete_from_cache(record: BuildRecord, platform: str, prefix: Path, stored: Stored) -> BuildRecord:
    """Return ``record`` with what its packages say of themselves, once they are linked into ``prefix``.

    A foreign lock knows neither build numbers nor kinds of packages, and sometimes only one of the two hashes.
    """
    lock = record.lock(platform)
    conda = []
    for entry in lock.conda:
        meta_path = prefix / "conda-meta" / f"{entry['name']}-{entry['version']}-{entry['build']}.json"
        source = Path(json.loads(meta_path.read_text(encoding="utf-8"))["link"]["source"])
        index = json.loads((source / "info" / "index.json").read_text(encoding="utf-8"))
        said = cast("IndexFields", {key: index[key] for key in IndexFields.__annotations__ if key in index})
        completed: CondaEntry = {**entry, **said}
        conda.append(with_hashes(completed, missing_hashes(entry, stored)))
    platforms = {**record.platforms, platform: replace(lock, conda=tuple(conda))}
    return BuildRecord(**{**record.__dict__, "platforms": platforms})


def _conda_record(entry: LockfileEntry) -> CondaEntry:
    url = entry["url"].split("#")[0]
    path = unquote(urlsplit(url).path)
    file = path.rsplit("/", 1)[-1]
    subdir = path.split("/")[-2]
    stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
    record: CondaEntry = {
        "name": entry["name"],
        "version": entry["version"],
        "build": stem.removeprefix(f"{entry['name']}-{entry['version']}-"),
        "build_number": 0,
        "subdir": subdir,
        "depends": [f"{name} {bounds}".strip() for name, bounds in (entry.get("dependencies") or {}).items()],
        "fn": file,
        "url": url,
        "channel": url[: -len(f"/{subdir}/{url.rsplit('/', 1)[-1]}")],
    }
    return with_hashes(record, entry["hash"])


def _pip_record(entry: LockfileEntry) -> PypiEntry:
    url = entry["url"] if entry["url"].startswith("git+") else entry["url"].split("#")[0]
    return {
        "name": entry["name"],
        "version": entry["version"],
        "url": url,
        "filename": unquote(urlsplit(url).path.rsplit("/", 1)[-1]),
        "sha256": entry["hash"]["sha256"],
        "size": 0,
        "index": "",
        "dependencies": sorted(entry.get("dependencies") or ()),
    }


def _split_spec(spec: str) -> tuple[str, str]:
    name, _, bounds = spec.partition(" ")
    return name, bounds.strip()


def sort_topologically(records: Sequence[CondaEntry]) -> list[CondaEntry]:
    """Return ``records`` so that each comes after all it depends on; ties in order of name."""
    by_name = {record["name"]: record for record in records}
    ordered: list[CondaEntry] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in by_name:
            return
        seen.add(name)
        for spec in sorted(by_name[name].get("depends", ())):
            visit(_split_spec(spec)[0])
        ordered.append(by_name[name])

    for name in sorted(by_name):
        visit(name)
    return ordered
