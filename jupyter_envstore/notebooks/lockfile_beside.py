"""The lockfile that lies beside a notebook: its name, and whether it has what the notebook asked for."""

from __future__ import annotations

import re
from pathlib import Path

from jupyter_envstore.engine.satisfaction import InstalledPackage, Requests
from jupyter_envstore.notebooks.bond import Bond
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.specification import Specification

LOCKFILE = re.compile(r"(?:(.+)[.-])?conda-lock\.ya?ml")
"""A lockfile of conda-lock, with the name of a notebook before it, or none."""


def lockfile_beside(notebook: Path) -> Path | None:
    """Return the lockfile that lies beside a notebook: one with its name before ``conda-lock.yml`` alone."""
    try:
        names = {path: found[1] for path in notebook.parent.iterdir() if (found := LOCKFILE.fullmatch(path.name))}
    except OSError:  # the folder may not be listed
        return None
    for wanted in (notebook.stem, None):
        for path, name in sorted(names.items()):
            if name == wanted and path.is_file():
                return path
    return None


def is_told(bond: Bond) -> bool:
    """Whether a notebook tells all that it asked for, so that a lockfile can be compared with it."""
    return bool(bond["packages"] or bond["pip"]) and not bond.get("left_out")


def lacks(specification: Specification, bond: Bond) -> list[str]:
    """Return what a notebook asked for and a lockfile does not have for this platform."""
    if specification.lockfile is None:
        return [*bond["packages"], *bond["pip"]]
    packages = [
        InstalledPackage(entry["manager"], entry["name"], entry["version"], _build_of(entry["url"]))
        for entry in specification.lockfile["package"]
        if entry["platform"] == current_subdir()
    ]
    return Requests(bond["packages"], bond["pip"]).unmet(packages)


def _build_of(url: str) -> str:
    """Return the build of a conda package, the last part of its file's name (CEP 26); of others, nothing useful."""
    file = url.partition("#")[0].rpartition("/")[2]
    return re.sub(r"\.(conda|tar\.bz2)$", "", file).rpartition("-")[2]
