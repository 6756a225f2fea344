"""Which paths and names a package may have, whatever kind of package it is, and where they lie in a prefix."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from jupyter_envstore.errors import PackageError

ODD = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|\0")
"""An empty part, one or two dots, or a NUL."""
OWN_FOLDER = "conda-meta"
CLOBBERS = "__clobbers__"
"""Where rattler puts what it cannot link because another package has the path."""
PLACES = {"site-packages": "", "python-scripts": "bin"}
"""Folders of ``noarch: python`` packages, and where they are linked to; empty for where Python packages lie."""
ENTRY_POINT = re.compile(
    r"\s*([^\s/\\=:\0-\x1f\x7f][^/\\=:\0-\x1f\x7f]*?)\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\s*"
)
"""``name = module:function`` (PyPA, "Entry points specification"), the name being that of a file, in one line."""
LONGEST = 255
"""Bytes of a file's name: ``NAME_MAX`` of the file systems of Linux and macOS."""


def parents_of(paths: Iterable[str]) -> set[str]:
    """Return the folders above paths that are parted by ``/``, each once.

    >>> sorted(parents_of(["lib/a/b.py", "bin/c"]))
    ['bin', 'lib', 'lib/a']
    """
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def place_of(path: str, site_packages: str) -> str:
    """Return where a path of a ``noarch: python`` package is linked to (conda-build's documentation).

    >>> place_of("python-scripts/run", "lib/python3.12/site-packages")
    'bin/run'
    """
    top, slash, rest = path.partition("/")
    return f"{PLACES[top] or site_packages}{slash}{rest}" if top in PLACES else path


def places_in_package(path: str, site_packages: str) -> list[str]:
    """Return where a package may have a path of a prefix: :func:`place_of` the other way round."""
    found = [path]
    for top, place in PLACES.items():
        place = place or site_packages
        if path.startswith(f"{place}/"):
            found.append(f"{top}{path[len(place) :]}")
    return found


def path_fault(path: object, windows: bool = False) -> str:
    """Return what is wrong with a path of a package, or nothing.

    Parameters
    ----------
    windows : bool
        Whether backslashes part folders and colons name drives.
    """
    if not isinstance(path, str) or not path:
        return "is no path"
    if path.startswith("/") or (windows and (path.startswith("\\") or path[1:2] == ":")):
        return "is absolute"
    if ODD.search(path) or (windows and ODD.search(path.replace("\\", "/"))):
        parts = path.replace("\\", "/").split("/") if windows else path.split("/")
        if "\0" in path:
            return "holds a NUL"
        return "leads out of where it belongs" if ".." in parts else "has a part that names nothing"
    is_plain = path.isascii()  # as nearly all are: thousands of paths are looked at
    if not is_plain and any("\ud800" <= letter <= "\udfff" for letter in path):
        return "is no text"
    if (len(path) > LONGEST or not is_plain) and any(len(part.encode()) > LONGEST for part in path.split("/")):
        return f"has a name of more than {LONGEST} bytes, which no file can have"
    top, _, rest = path.partition("/")
    if top.lower() == CLOBBERS:
        return "is where files go that collide"
    if top.lower() == OWN_FOLDER and is_record(rest.lower()):
        return "is a record of the environment itself"
    return ""


def is_record(name: str) -> bool:
    """Whether a file of ``conda-meta`` is written by what makes environments."""
    return not name or name.endswith(".json") or name == "history" or name.startswith("envstore-")


def check_entry_point(line: object) -> str:
    """Return the name of the program that an entry point stands for.

    Raises
    ------
    PackageError
        It is none, or the name is no name of a file.
    """
    found = ENTRY_POINT.fullmatch(line) if isinstance(line, str) else None
    if found is None or found[1] in (".", ".."):
        msg = f"entry point {str(line)[:200]!r} is not valid; write name = module:function"
        raise PackageError(msg)
    if len(os.fsencode(found[1])) > LONGEST:
        msg = f"entry point {found[1][:60]!r}… has a name of more than {LONGEST} bytes, which no file can have"
        raise PackageError(msg)
    return found[1]
