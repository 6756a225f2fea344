"""Repair what real environment files stumble over: an answer with the repaired text and the list of changes."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyter_envstore.spec.beside import Beside
from jupyter_envstore.spec.convert import (
    conda_list_to_yaml,
    explicit_to_lock,
    is_conda_list,
    pixi_to_yaml,
    requirements_to_yaml,
)
from jupyter_envstore.spec.document import decode, is_lockfile, read_table
from jupyter_envstore.spec.editor import Change
from jupyter_envstore.spec.mending import Mending, mend
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.selectors import current_subdir

__all__ = ["KEEPABLE", "Change", "Repaired", "repair"]

KEEPABLE = ("defaults", "builds", "foreign", "kernel", "sources")
"""Changes that one may want not to be made: the channel ``defaults`` stays, and build strings, and packages that only
another system has, and lines for pip that name sources without a commit; ``ipykernel`` is left out."""
GENERIC = re.compile(
    r"(environments?|env|conda|conda[-_.]?env|dev|requirements|conda-lock|pixi|pyproject|explicit|spec|specification)",
    re.IGNORECASE,
)
"""Names of files that say nothing of what they are for."""


@dataclass
class Repaired:
    """The text after all changes; ``kind`` is ``environment`` or ``lockfile``."""

    text: str
    kind: str = "environment"
    changes: list[Change] = field(default_factory=list)


def repair(
    data: bytes | str,
    file_name: str = "environment.yml",
    defaults: str = "conda-forge",
    platform: str | None = None,
    keep: Sequence[str] = (),
    beside: Beside | None = None,
) -> Repaired:
    """Read a file of any accepted kind and return it as a specification that can be built.

    Parameters
    ----------
    data : bytes or str
        ``environment.yml``, ``conda-lock.yml``, ``requirements.txt``, an ``@EXPLICIT`` list or ``pixi.toml``.
    file_name : str
        What it was called; for its kind, and for a name where it has none. A file that is called
        ``environment.yml`` has the name of its folder, where that stands before it.
    defaults : str
        What the channel ``defaults`` becomes.
    platform : str or None
        Where it shall be built, for example ``linux-64``; None for this machine.
    keep : sequence of str
        Changes of :data:`KEEPABLE` that are not made.
    beside : Beside or None
        Reads the files that it names (``-r``, ``-c``); None where they cannot be read.

    Raises
    ------
    SpecificationError
        It is none of these.
    """
    text = decode(data, Path(file_name).name)
    name = name_of(file_name)
    how = Mending(name, defaults, platform or current_subdir(), keep, beside)
    if re.search(r"^@EXPLICIT\s*$", text, re.MULTILINE):
        lock, notes = explicit_to_lock(text, name, how.platform)
        told = [Change(note, "converted") for note in notes]
        return Repaired(lock, "lockfile", [Change("explicit list read as a lockfile", "exact"), *told])
    if is_conda_list(text):
        converted, notes = conda_list_to_yaml(text, name)
        return _with_notes(converted, notes, how)
    if file_name.endswith(".toml"):
        converted, notes = pixi_to_yaml(text, name)
        return _with_notes(converted, notes, how)
    if file_name.endswith((".txt", ".in")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return _with_notes(
            requirements_to_yaml(text, name, version),
            ["requirements.txt read as PyPI packages", f"python={version} added"],
            how,
        )
    return _repair_yaml(text, how)


def name_of(file_name: str) -> str:
    """Return a name for the environment of a file: the file's, or its folder's where the file's says nothing."""
    path = Path(file_name)
    stem = re.sub(r"\.(ya?ml|txt|toml|lock|in|ipynb|py)$", "", path.name)
    folder = path.parent.name
    if GENERIC.fullmatch(stem) and suggest_name(folder, ""):
        return suggest_name(folder)
    return suggest_name(stem)


def _with_notes(text: str, notes: list[str], how: Mending) -> Repaired:
    repaired = _repair_yaml(text, replace(how, name="environment"))
    repaired.changes[:0] = [Change(note, "converted") for note in notes]
    return repaired


def _repair_yaml(text: str, how: Mending) -> Repaired:
    if is_lockfile(read_table(text)):
        return Repaired(text, "lockfile")
    mended, changes = mend(text, how)
    return Repaired(mended, "environment", changes)
