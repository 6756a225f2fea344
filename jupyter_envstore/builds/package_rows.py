"""What locks and prefixes hold, in other words: rows of the package table, names on PyPI."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_envstore.database.values import PackageValues
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.spec.lock_entries import CondaEntry


def package_rows(lock: PlatformLock) -> list[PackageValues]:
    """Return the packages of a lock as values of the package table."""
    conda: list[PackageValues] = [
        {
            "manager": "conda",
            "name": record["name"],
            "version": record["version"],
            "build": record["build"],
            "channel": record["channel"],
            "subdir": record["subdir"],
            "license": record.get("license") or "",
            "size": record.get("size") or 0,
        }
        for record in lock.conda
    ]
    pip: list[PackageValues] = [
        {
            "manager": "pip",
            "name": p["name"],
            "version": p["version"],
            "build": "",
            "channel": "pypi",
            "size": p["size"],
        }
        for p in lock.pip
    ]
    return [*conda, *pip]


def distribution_names(prefix: Path) -> dict[str, list[str]]:
    """Return conda name to PyPI names, from the ``dist-info`` that each conda package brought into ``prefix``."""
    names: dict[str, list[str]] = {}
    for path in (prefix / "conda-meta").glob("*.json"):
        meta = json.loads(path.read_text(encoding="utf-8"))
        names[meta["name"]] = [
            file.rsplit("/", 2)[-2].split("-")[0] for file in meta["files"] if file.endswith(".dist-info/METADATA")
        ]
    return names


def needs_python(record: CondaEntry) -> bool:
    """Whether a conda package is one of Python's."""
    return any(spec.split(" ")[0] in ("python", "python_abi") for spec in record.get("depends", ()))
