"""Packages of the lock that uv writes (PEP 751), as the build record has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_envstore.engine.channels import strip_login
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.indexes import is_of_any, is_of_index
from jupyter_envstore.spec.lock_entries import PypiEntry

MOST_HASHES = 3
"""How many of the hashes that are given are named where none fits."""


def locked_package(package: Mapping[str, Any], hashes: Collection[str]) -> PypiEntry:
    """Return a package of uv's lock as the build record has it.

    Raises
    ------
    PipError
        Hashes are given, and no file of it has one of them.
    """
    if "vcs" in package:
        return _locked_repository(package)
    found = [*package.get("wheels", ()), *(package[kind] for kind in ("archive", "sdist") if kind in package)]
    wheel = next((file for file in found if not hashes or file["hashes"]["sha256"] in hashes), None)
    if wheel is None:
        raise PipError(_hash_mismatch(package, found, hashes))
    address = wheel.get("url") or Path(wheel["path"]).resolve().as_uri()
    name = unquote(urlsplit(address).path.rsplit("/", 1)[-1])
    return {
        "name": package["name"],
        "version": str(package.get("version") or name.split("-")[1]),
        "url": strip_login(address),
        "filename": name,
        "sha256": wheel["hashes"]["sha256"],
        "size": wheel.get("size") or 0,
        "index": strip_login(package.get("index", "")),
        "dependencies": sorted(dependency["name"] for dependency in package.get("dependencies", [])),
    }


def without_claims(package: PypiEntry, allowed: Sequence[str]) -> PypiEntry:
    """Return a package of a lock that a build may have written: only the address of its file says where it comes from.

    Parameters
    ----------
    allowed : sequence of str
        Indexes that it may come from; empty for any.

    Raises
    ------
    PipError
        Its file lies elsewhere.
    """
    if allowed and not is_of_any(package["url"], allowed):
        msg = (
            f"{package['name']}: its file {package['url'][:200]} is not below {', '.join(allowed)}. Source archives "
            "were built to find the versions, so the index that this lock names is not believed. Name packages "
            "that have wheels, or let an admin add the address of the files to pypi_allowed_indexes"
        )
        raise PipError(msg)
    is_its_own = bool(package["index"]) and is_of_index(package["url"], package["index"])
    return package if is_its_own else {**package, "index": ""}


def _locked_repository(package: Mapping[str, Any]) -> PypiEntry:
    """Return a repository at a commit; as in conda-lock's files, the commit stands where files have their hash."""
    vcs = package["vcs"]
    folder = f"#subdirectory={vcs['subdirectory']}" if vcs.get("subdirectory") else ""
    address = f"git+{strip_login(vcs['url'])}@{vcs['commit-id']}"
    return {
        "name": package["name"],
        "version": str(package.get("version") or "0"),
        "url": address + folder,
        "filename": unquote(address.rsplit("/", 1)[-1]),
        "sha256": vcs["commit-id"],
        "size": 0,
        "index": "",
        "dependencies": sorted(dependency["name"] for dependency in package.get("dependencies", [])),
    }


def _hash_mismatch(package: Mapping[str, Any], files: Sequence[Mapping[str, Any]], hashes: Collection[str]) -> str:
    """Say which file would be taken, its hash, and the ones that are given."""
    given = sorted(hashes)
    more = f" or {len(given) - MOST_HASHES} others" if len(given) > MOST_HASHES else ""
    file = files[0]
    address = file.get("url") or file.get("path") or ""
    name = unquote(urlsplit(str(address)).path.rsplit("/", 1)[-1])
    return (
        f"{package['name']} {package.get('version', '')}: the file has another hash than the specification gives: "
        f"expected sha256:{', sha256:'.join(given[:MOST_HASHES])}{more}; found sha256:{file['hashes']['sha256']} "
        f"({name}); bind the version whose hashes they are, or mend the hashes"
    )
