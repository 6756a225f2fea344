"""The build record as a conda-lock file, and conda-lock files of others as a build record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from jupyter_envstore.engine.channels import strip_credentials
from jupyter_envstore.engine.hashes import Stored, missing_hashes, with_hashes
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.errors import PlatformError
from jupyter_envstore.spec.lock_entries import CondaEntry, CondaLockfile, Hashes, IndexFields, LockfileEntry, PypiEntry
from jupyter_envstore.spec.specification import Specification, canonical_json


def lockfile_of(record: BuildRecord) -> CondaLockfile:
    """Return ``record`` as a lockfile of conda-lock's version 1, written to a file by :func:`lock_text`.

    Packages are in the order in which conda-lock writes them: by manager, name and platform. Name, description and
    variables go into ``custom_metadata``, which takes text only: the variables as JSON.
    """
    packages = []
    for platform, lock in record.platforms.items():
        packages += [_conda_locked(entry, platform) for entry in lock.conda if not entry["name"].startswith("__")]
        packages += [_pip_locked(package, platform) for package in lock.pip]
    custom = {"name": record.name, "description": record.description}
    if record.variables:
        custom["variables"] = json.dumps(record.variables, sort_keys=True)
    metadata = {
        "content_hash": {platform: content_hash(record, platform) for platform in sorted(record.platforms)},
        "channels": [{"url": channel, "used_env_vars": []} for channel in record.channels],
        "platforms": sorted(record.platforms),
        "sources": ["environment.yml"],
        "custom_metadata": {key: value for key, value in custom.items() if value},
    }
    packages.sort(key=lambda entry: (entry["manager"], entry["name"], entry["platform"]))
    return {"version": 1, "metadata": metadata, "package": packages}


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
    """Return ``record`` as the text of a ``conda-lock.yml``, as conda-lock writes it: the same bytes."""
    import yaml

    lockfile = lockfile_of(record)
    head = {"version": lockfile["version"], "metadata": lockfile["metadata"]}
    # libyaml is five times as fast and breaks long lines of text elsewhere; packages have none.
    fast = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    packages = yaml.dump({"package": lockfile["package"]}, Dumper=fast, sort_keys=False)
    return yaml.safe_dump(head, sort_keys=False) + str(packages)


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
    platforms = {
        key: PlatformLock(tuple(sorted(conda, key=lambda r: r["name"])), tuple(sorted(pip, key=lambda r: r["name"])))
        for key, (conda, pip) in sorted(by_platform.items())
    }
    return BuildRecord(
        name=name,
        channels=tuple(channels_of_lock(lockfile)) if lockfile else (),
        platforms=platforms,
        description=specification.description,
        variables=specification.variables,
    )


def channels_of_lock(lockfile: CondaLockfile) -> list[str]:
    """Return the channels that a lockfile names, without credentials; its packages may come from others."""
    listed = lockfile["metadata"].get("channels")
    named = [c.get("url", "") if isinstance(c, dict) else str(c) for c in listed or []]
    return [strip_credentials(url) if "://" in url else url for url in named]


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


def _conda_locked(entry: CondaEntry, platform: str) -> LockfileEntry:
    hashes: Hashes = {}
    if entry.get("md5"):
        hashes["md5"] = entry["md5"]
    if entry.get("sha256"):
        hashes["sha256"] = entry["sha256"]
    return {
        "name": entry["name"],
        "version": entry["version"],
        "manager": "conda",
        "platform": platform,
        "dependencies": dict(sorted(dict(_split_spec(spec) for spec in entry.get("depends", ())).items())),
        "url": entry["url"],
        "hash": hashes,
        "build": entry["build"],
        "category": "main",
        "optional": False,
    }


def _pip_locked(package: PypiEntry, platform: str) -> LockfileEntry:
    return {
        "name": package["name"],
        "version": package["version"],
        "manager": "pip",
        "platform": platform,
        "dependencies": dict.fromkeys(sorted(package.get("dependencies", ())), "*"),
        "url": package["url"],
        "hash": {"sha256": package["sha256"]},
        "category": "main",
        "optional": False,
    }


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
