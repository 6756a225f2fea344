"""What locks hold, in other words: rows of the package table."""

from __future__ import annotations

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


def needs_python(record: CondaEntry) -> bool:
    """Whether a conda package is one of Python's."""
    return any(spec.split(" ")[0] in ("python", "python_abi") for spec in record.get("depends", ()))
