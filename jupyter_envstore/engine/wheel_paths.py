"""Where PyPI packages put their files: kept within the environment, and what they wrote over."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.engine.collisions import Collision, OutsideLink, case_fault, folds_case
from jupyter_envstore.engine.path_rules import OWN_FOLDER
from jupyter_envstore.engine.wheel_contents import refused_path, refused_wheel
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import PypiEntry


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


def uv_records(site: Path) -> Iterator[Path]:
    """Yield the ``RECORD`` of each package that uv installed into a folder of packages."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        try:
            installer = record.with_name("INSTALLER").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if installer == "uv":
            yield record


def installed_records(site: Path) -> dict[str, Path]:
    """Return the ``RECORD`` of each package that uv installed into a folder of packages, by name in PyPI's spelling."""
    found: dict[str, Path] = {}
    others: dict[str, Path] = {}
    for record in uv_records(site):
        stem = record.parent.name.removesuffix(".dist-info")  # older ones have dashes in their names, too
        found[canonicalize_name(stem.rpartition("-")[0])] = record
        others[canonicalize_name(stem.partition("-")[0])] = record
    return others | found


def installed_files(prefix: Path, site: Path, package: PypiEntry, records: Mapping[str, Path]) -> dict[str, str]:
    """Return the files of an installed wheel, relative to the prefix, with their SHA-256 (empty where it has none).

    They stand in its ``RECORD`` (PyPA, "Recording installed projects").

    Parameters
    ----------
    records : mapping
        What :func:`installed_records` found.

    Raises
    ------
    PipError
        One lies outside of the environment, or where no package may write; or the package is not there.
    """
    record = records.get(canonicalize_name(package["name"]))
    if record is None:  # so nobody could tell what it wrote
        raise refused_wheel(package, "it has no .dist-info folder of its name")
    found: dict[str, str] = {}
    start = os.path.relpath(site, prefix)
    for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8", errors="surrogateescape"))):
        if not row or not row[0]:
            continue
        name = row[0]
        path = os.path.normpath(name if name.startswith("/") else f"{start}/{name}")
        if path.startswith("/") or path == ".." or path.startswith("../") or "\0" in name:
            raise refused_path(package, name, "leads out of the environment")
        if path == OWN_FOLDER or path.startswith(f"{OWN_FOLDER}/") or path == ".":
            raise refused_path(package, name, "is where the environment keeps its own records")
        kind, _, digest = (row[1] if len(row) > 1 else "").partition("=")
        found[path] = _hex(digest) if kind == "sha256" else ""
    for folder in {path.rpartition("/")[0] for path in found}:
        if os.path.realpath(f"{prefix}/{folder}") != os.path.join(os.path.realpath(prefix), folder).rstrip("/"):  # noqa: PTH118
            raise refused_path(package, folder, "lies behind a link of a conda package")
    return found


def overwritten(
    prefix: Path,
    site: Path,
    packages: Sequence[PypiEntry],
    owners: Mapping[str, str],
    again: Callable[[PypiEntry], None],
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
        One put files where none may be; or two of their paths differ only in case, and the file system folds it.
    """
    hashes: dict[str, dict[str, str]] = {}
    records = installed_records(site)
    for package in packages:
        for path, digest in installed_files(prefix, site, package, records).items():
            hashes.setdefault(path, {})[package["name"]] = digest
    if folds_case(prefix.parent):
        _check_case(hashes, owners)
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


def _check_case(files: Mapping[str, Mapping[str, str]], owners: Mapping[str, str]) -> None:
    known: dict[str, tuple[str, str]] = {}
    listed = (*owners.items(), *((path, package) for path, by in files.items() for package in by))
    if fault := case_fault(listed, known):
        raise PipError(fault)


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


def _hex(digest: str) -> str:
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return ""
