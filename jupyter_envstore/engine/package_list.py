"""What a build holds, and why each package is there."""

from __future__ import annotations

from typing import TypedDict

from jupyter_envstore.engine.channels import strip_credentials
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.spec.package_editing import conda_name, pip_name
from jupyter_envstore.spec.pip_lines import without_hashes


class ListedPackage(TypedDict):
    """A package of a build; ``size`` in bytes, ``requested`` and ``needed_by`` as :func:`contents` says."""

    name: str
    version: str
    build: str
    manager: str
    channel: str
    size: int
    license: str | None
    requested: str | None
    needed_by: list[str]


def contents(record: BuildRecord, platform: str) -> list[ListedPackage]:
    """Return the packages of a record, by name.

    Each has ``requested``, what the specification asked for it (None where it did not), and ``needed_by``, the names
    of packages that depend on it. A lockfile asks for nothing.

    Raises
    ------
    PlatformError
        The record has no lock for ``platform``.
    """
    lock = record.lock(platform)
    asked = {conda_name(spec): spec for spec in record.requested_conda}
    asked_pip = {pip_name(line): without_hashes(line) for line in record.requested_pip}
    needed: dict[tuple[str, str], set[str]] = {}
    for entry in lock.conda:
        for dependency in filter(str.strip, entry.get("depends") or ()):
            needed.setdefault(("conda", dependency.split()[0].lower()), set()).add(entry["name"])
    pip_names = {pip_name(entry["name"]) for entry in lock.pip}
    for package in lock.pip:
        for dependency in package.get("dependencies") or ():
            name = pip_name(dependency)
            kind = "pip" if name in pip_names else "conda"
            needed.setdefault((kind, name), set()).add(package["name"])
    conda: list[ListedPackage] = [
        {
            "name": entry["name"],
            "version": entry["version"],
            "build": entry.get("build") or "",
            "manager": "conda",
            "channel": strip_credentials(entry.get("channel") or entry["url"].rsplit("/", 2)[0]),
            "size": entry.get("size") or 0,
            "license": entry.get("license"),
            "requested": asked.get(entry["name"]),
            "needed_by": sorted(needed.get(("conda", entry["name"]), set()) - {entry["name"]}),
        }
        for entry in lock.conda
    ]
    pip: list[ListedPackage] = [
        {
            "name": entry["name"],
            "version": entry["version"],
            "build": "",
            "manager": "pip",
            "channel": entry.get("index") or "pypi",
            "size": entry.get("size") or 0,
            "license": None,
            "requested": asked_pip.get(pip_name(entry["name"])),
            "needed_by": sorted(needed.get(("pip", pip_name(entry["name"])), set()) - {entry["name"]}),
        }
        for entry in lock.pip
    ]
    return sorted([*conda, *pip], key=lambda package: (package["name"].lower(), package["manager"]))


def requested_names(record: BuildRecord) -> set[tuple[str, str]]:
    """Return manager and name of each package that the specification of a record asks for."""
    conda = {("conda", conda_name(spec)) for spec in record.requested_conda}
    return conda | {("pip", pip_name(line)) for line in record.requested_pip}
