"""Which Python distributions the conda packages of an environment contain, as its files tell."""

from __future__ import annotations

import json
import re
from pathlib import Path

METADATA = re.compile(
    r"(?:.*/)?(?:site-packages/)([A-Za-z0-9][\w.]*)-[^/]+\.(?:dist-info/METADATA|egg-info(?:/PKG-INFO)?)"
)
"""The file that tells of a distribution (packaging.python.org, "Recording installed projects")."""


def distribution_names(prefix: Path) -> dict[str, list[str]]:
    """Return the names of the ``dist-info`` folders that each conda package brought into a prefix, by its name."""
    return {
        name: [file.rsplit("/", 2)[-2].split("-")[0] for file in files if file.endswith(".dist-info/METADATA")]
        for name, files in map(_installed, (prefix / "conda-meta").glob("*.json"))
    }


def distributions_of(prefix: Path) -> dict[str, list[str]]:
    """Return the distributions that each conda package of an environment contains, by its name.

    Names are as the distribution writes them, where its file tells; else as its folder is called. A package whose list
    of files is damaged contains none, as far as is known.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            name, files = _installed(path)
        except (ValueError, TypeError, KeyError, OSError):
            continue
        names = {_name_in(prefix / file) or match[1] for file in files if (match := METADATA.fullmatch(file))}
        if names:
            found[name] = sorted(names)
    return found


def _installed(meta: Path) -> tuple[str, list[str]]:
    """Return the name and the files of an installed conda package."""
    said = json.loads(meta.read_bytes())
    return str(said["name"]), [str(file) for file in said["files"]]


def _name_in(metadata: Path) -> str:
    """Return the name that a distribution gives itself (core metadata, ``Name``)."""
    try:
        with metadata.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("Name:"):
                    name = line.partition(":")[2].strip()
                    return name if re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", name, re.ASCII) else ""
                if not line.strip():
                    break
    except OSError:
        pass
    return ""
