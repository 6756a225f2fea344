"""What conda knows of an installed package (``conda-meta/NAME.json``), as it may leave this machine."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.prefix import write_new

META = "conda-meta/"
"""Folder of these files in a prefix."""
REQUESTED = ("requested_spec", "requested_specs")


def clean_meta(data: Mapping[str, Any], requested: bool = True) -> dict[str, Any]:
    """Return a package's record without paths of this machine.

    Parameters
    ----------
    data : mapping
        The record.
    requested : bool
        Whether it still tells who asked for the package: that is of the environment, not of the package.
    """
    kept = {key: value for key, value in data.items() if requested or key not in REQUESTED}
    kept |= {key: "" for key in ("extracted_package_dir", "package_tarball_full_path") if key in kept}
    if kept.get("link"):
        kept["link"] = {**kept["link"], "source": ""}
    path = local_path(str(kept.get("url", "")))
    if path is not None:
        channel = "/".join(path.parts[-3:-2])
        kept["url"] = f"file:///{'/'.join(path.parts[-3:])}"
        kept["channel"] = f"file:///{channel}/"
    return kept


def meta_bytes(data: Mapping[str, Any]) -> bytes:
    """Return a record as it is written: without indentation, which takes a tenth of the time."""
    return json.dumps(data, sort_keys=True).encode()


def cleaned(path: Path | str, requested: bool = True) -> bytes:
    """Return what a file of ``conda-meta`` becomes by :func:`clean_meta`."""
    return meta_bytes(clean_meta(json.loads(Path(path).read_bytes()), requested))


def disown_paths(prefix: Path, paths: Collection[str]) -> None:
    """Let the records of packages not claim files any more that are not as they were packaged."""
    theirs = set(paths)
    for path in (prefix / META).glob("*.json") if theirs else ():
        data = json.loads(path.read_bytes())
        if theirs & set(data["files"]):
            data["files"] = [name for name in data["files"] if name not in theirs]
            entries = data.get("paths_data", {}).get("paths", ())
            data["paths_data"] = {
                **data.get("paths_data", {}),
                "paths": [entry for entry in entries if entry["_path"] not in theirs],
            }
            write_new(path, meta_bytes(data))


def owners_of(prefix: Path, paths: Collection[str]) -> dict[str, str]:
    """Return which conda package brought each of some files of a prefix; a file of nobody's is not there."""
    found: dict[str, str] = {}
    for path in sorted((prefix / META).glob("*.json")) if paths else ():
        data = json.loads(path.read_bytes())
        found |= {file: str(data["name"]) for file in data["files"] if file in paths}
    return found
