"""Which packages on this disk contain a module, as their files tell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Language = Literal["python", "r"]
EXTENSION = re.compile(r"\.(?:cpython-|cp|abi3)[\w.-]*\.?(?:so|pyd)|\.(?:so|pyd)")
"""What stands behind the name of an extension module (PEP 3149)."""


def check_module(name: str, language: Language) -> None:
    """Refuse what is no name of a module or of a package of R; it becomes part of paths.

    Raises
    ------
    ValueError
        It is none.
    """
    if language == "r":
        is_name = re.fullmatch(r"[A-Za-z][A-Za-z0-9.]{0,127}", name) is not None and ".." not in name
    else:
        is_name = len(name.encode()) <= 200 and all(part.isidentifier() for part in name.split("."))
    if not is_name:
        msg = f"{name[:80]!r} is no name of a module"
        raise ValueError(msg)


def cached_packages_with(module: str, language: Language, cache: Path) -> set[tuple[str, str, str]]:
    """Return name, version and build of the conda packages in the package cache that contain a module.

    Parameters
    ----------
    module : str
        A module with the packages around it (``google.cloud.storage``), or a package of R.
    cache : Path
        The package cache, with a folder ``name-version-build`` for each package.
    """
    found: set[tuple[str, str, str]] = set()
    if not cache.is_dir():
        return found
    with os.scandir(cache) as entries:
        for entry in entries:
            parts = entry.name.rsplit("-", 2)
            if len(parts) < 3 or not entry.is_dir(follow_symlinks=False):
                continue
            if any(_has(folder, module, language) for folder in _folders(Path(entry.path), language)):
                found.add((parts[0], parts[1], parts[2]))
    return found


def pip_packages_with(module: str, prefix: Path) -> set[str]:
    """Return the names of the PyPI packages of an environment that contain a Python module."""
    start = module.replace(".", "/")
    found = set()
    for folder in _folders(prefix, "python"):
        if not _has(folder, module, "python"):
            continue
        for record in folder.glob("*.dist-info/RECORD"):
            try:
                if (record.parent / "INSTALLER").read_text(encoding="utf-8").strip() == "conda":
                    continue
                lines = record.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                continue
            if any(line.startswith((f"{start}/", f"{start}.")) for line in lines):
                found.add(record.parent.name.partition("-")[0])
    return found


def _folders(root: Path, language: Language) -> Iterator[Path]:
    """Yield where modules lie in a prefix or an unpacked package."""
    if language == "r":
        yield root / "lib/R/library"
        return
    yield root / "site-packages"  # of a package for any Python
    yield from (folder / "site-packages" for folder in _inside(root / "lib") if folder.name.startswith("python3"))


def _has(folder: Path, module: str, language: Language) -> bool:
    if language == "r":
        return (folder / module).is_dir()
    path = folder / module.replace(".", "/")
    if path.exists() or path.with_name(f"{path.name}.py").exists():
        return True
    start = f"{path.name}."
    names = (found.name for found in _inside(path.parent))
    return any(name.startswith(start) and EXTENSION.fullmatch(name[len(path.name) :]) for name in names)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
