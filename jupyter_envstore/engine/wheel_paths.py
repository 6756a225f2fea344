"""Where PyPI packages put their files: kept within the environment, and what they wrote over."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.collisions import Collision, OutsideLink
from jupyter_envstore.engine.package_paths import OWN_FOLDER, path_fault
from jupyter_envstore.errors import PipError


@contextlib.contextmanager
def without_links(prefix: Path, links: Sequence[OutsideLink]) -> Iterator[None]:
    """Take links away that lead out of the environment, as long as files are written into it; then put them back.

    Raises
    ------
    PipError
        Something was written where a link was.
    """
    for link in links:
        (prefix / link.path).unlink()
    yield
    for link in links:
        place = prefix / link.path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(link.target)
        except FileExistsError:
            msg = (
                f"a PyPI package has {link.path!r}, where the conda package {link.package} has a link out of the "
                "environment; leave one of them out"
            )
            raise PipError(msg) from None


def check_wheels(packages: Sequence[Mapping[str, Any]]) -> None:
    """Refuse wheels of this machine's own disk that have files where none may be, before they are unpacked.

    Of those that are fetched, :func:`~jupyter_envstore.engine.refused_wheel_files.refuse_left_out` tells.

    Raises
    ------
    PipError
        With package, file and path.
    """
    for package in packages:
        place = local_path(str(package["url"]))
        if place is None or place.suffix != ".whl":
            continue
        try:
            with zipfile.ZipFile(place) as wheel:
                names = [entry.orig_filename for entry in wheel.infolist()]
        except (OSError, zipfile.BadZipFile):  # uv tells what is wrong with it
            continue
        for name in names:
            check_member(package, name)


def check_member(package: Mapping[str, Any], name: str) -> None:
    """Refuse a file of a wheel that would lie elsewhere than its package's files (PyPA, "Binary distribution format").

    Raises
    ------
    PipError
        With package, file and path.
    """
    plain = name.rstrip("/")
    if fault := path_fault(plain, windows=True):
        raise _refusal(package, name, fault)
    top, _, rest = plain.partition("/")
    if top.endswith(".data"):
        kind, _, path = rest.partition("/")
        if kind == "data" and path and (fault := path_fault(path)):
            raise _refusal(package, name, fault)


def refused_member(package: Mapping[str, Any], name: str) -> PipError:
    """Return the error that tells of a file of a wheel which lies elsewhere than it may."""
    return _refusal(package, name, path_fault(name.rstrip("/"), windows=True) or "leads out of where it belongs")


def installed_records(site: Path) -> dict[str, Path]:
    """Return the ``RECORD`` of each package in a folder of packages, by name and version in PyPI's spelling."""
    found = sorted(site.glob("*.dist-info/RECORD"))
    return {_plain(record.parent.name.removesuffix(".dist-info")): record for record in found}


def installed_files(
    prefix: Path, site: Path, package: Mapping[str, Any], records: Mapping[str, Path]
) -> dict[str, str]:
    """Return the files of an installed wheel, relative to the prefix, with their SHA-256 (empty where it has none).

    They stand in its ``RECORD`` (PyPA, "Recording installed projects").

    Parameters
    ----------
    records : mapping
        What :func:`installed_records` found.

    Raises
    ------
    PipError
        One lies outside of the environment, or where no package may write.
    """
    record = records.get(_plain(f"{package['name']}-{package['version']}"))
    if record is None:
        return {}
    found: dict[str, str] = {}
    start = os.path.relpath(site, prefix)
    for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8", errors="surrogateescape"))):
        if not row or not row[0]:
            continue
        name = row[0]
        path = os.path.normpath(name if name.startswith("/") else f"{start}/{name}")
        if path.startswith("/") or path == ".." or path.startswith("../") or "\0" in name:
            raise _refusal(package, name, "leads out of the environment")
        if path == OWN_FOLDER or path.startswith(f"{OWN_FOLDER}/") or path == ".":
            raise _refusal(package, name, "is where the environment keeps its own records")
        kind, _, digest = (row[1] if len(row) > 1 else "").partition("=")
        found[path] = _hex(digest) if kind == "sha256" else ""
    for folder in {path.rpartition("/")[0] for path in found}:
        if os.path.realpath(f"{prefix}/{folder}") != os.path.join(os.path.realpath(prefix), folder).rstrip("/"):  # noqa: PTH118
            raise _refusal(package, folder, "lies behind a link of a conda package")
    return found


def overwritten(
    prefix: Path,
    site: Path,
    packages: Sequence[Mapping[str, Any]],
    owners: Mapping[str, str],
    again: Callable[[Mapping[str, Any]], None],
) -> list[Collision]:
    """Return the paths where a PyPI package's file stands for that of a conda package or of another PyPI package.

    uv installs at once, so who of two comes last is left to chance; those are installed again, in the order of names.

    Parameters
    ----------
    owners : mapping
        The conda package of each file.
    again : callable
        Installs a package once more.

    Raises
    ------
    PipError
        One put files where none may be.
    """
    hashes: dict[str, dict[str, str]] = {}
    records = installed_records(site)
    for package in packages:
        for path, digest in installed_files(prefix, site, package, records).items():
            hashes.setdefault(path, {})[package["name"]] = digest
    shared = {path: by for path, by in hashes.items() if len(by) > 1 and len(set(by.values())) > 1}
    quarrel = {name for by in shared.values() for name in by}
    for package in sorted((p for p in packages if p["name"] in quarrel), key=lambda p: str(p["name"])):
        again(package)
    conda = {path: owners[path] for path in hashes.keys() & owners.keys()}
    expected = _conda_hashes(prefix, conda)
    found = []
    for path in sorted({*shared, *conda}):
        *losers, winner = sorted(hashes[path])
        others = [name for name in losers if hashes[path][name] != hashes[path][winner]]
        if path in conda and expected.get(path) != hashes[path][winner]:
            others.append(conda[path])
        if others:
            found.append(Collision(path, f"{winner} (PyPI)", tuple(others)))
    return found


def _conda_hashes(prefix: Path, owners: Mapping[str, str]) -> dict[str, str]:
    names = set(owners.values())
    found: dict[str, str] = {}
    for meta in sorted((prefix / OWN_FOLDER).glob("*.json")) if names else ():
        if meta.name.rsplit("-", 2)[0] not in names:
            continue
        for entry in json.loads(meta.read_bytes())["paths_data"]["paths"]:
            if owners.get(entry["_path"]):
                found[entry["_path"]] = entry.get("sha256_in_prefix") or entry.get("sha256") or ""
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _hex(digest: str) -> str:
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return ""


def _refusal(package: Mapping[str, Any], path: str, fault: str) -> PipError:
    index = package.get("index") or "PyPI"
    return PipError(
        f"PyPI package {package['name']} {package['version']} ({package['filename']}, {index}) is not installed: "
        f"its path {path[:200]!r} {fault}; ask for another version of it, and tell whoever keeps the index"
    )
