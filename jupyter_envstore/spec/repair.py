"""Repair what real environment files stumble over: an answer with the repaired text and the list of changes."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import Offer, Pick, Repacked, finished
from jupyter_envstore.spec.converting.explicit import explicit_to_lock
from jupyter_envstore.spec.converting.kinds import Kind, check_toml_kind, kind_of
from jupyter_envstore.spec.converting.lists import conda_specs_to_yaml, requirements_to_yaml
from jupyter_envstore.spec.converting.pixi import check_asks_for_packages, pixi_draft
from jupyter_envstore.spec.converting.pixi_lock import is_pixi_lock, read_pixi_lock
from jupyter_envstore.spec.converting.pylock import is_pylock, pylock_draft
from jupyter_envstore.spec.converting.pyproject import pyproject_draft
from jupyter_envstore.spec.converting.sbom import is_sbom, read_sbom
from jupyter_envstore.spec.converting.script import notebook_block, script_block, script_draft
from jupyter_envstore.spec.converting.toml import read_toml
from jupyter_envstore.spec.converting.uv_lock import is_uv_lock, uv_draft
from jupyter_envstore.spec.document import Table, decode, is_lockfile, read_table
from jupyter_envstore.spec.fast_yaml import looks_like_lock, read_plain_lock
from jupyter_envstore.spec.included_files import Beside
from jupyter_envstore.spec.locks import (
    DEFAULT_CATEGORIES,
    lock_as_text,
    lock_categories,
    only_categories,
    with_main,
)
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.origin import header_platform
from jupyter_envstore.spec.repaired import KEEPABLE, Repaired
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.text_editor import Change
from jupyter_envstore.spec.wording import ACCEPTED
from jupyter_envstore.spec.yaml_repair import Mending, mend

__all__ = ["KEEPABLE", "Change", "Repaired", "repair"]

GENERIC = re.compile(
    r"(environments?|env|conda|conda[-_.]?env|dev|requirements|conda-lock|pixi|pyproject|pylock|uv|explicit|spec|specification)",
    re.IGNORECASE,
)
"""Names of files that say nothing of what they are for."""


def repair(
    data: bytes | str,
    file_name: str = "environment.yml",
    defaults: str = "conda-forge",
    platform: str | None = None,
    keep: Sequence[str] = (),
    beside: Beside | None = None,
    pick: Pick | None = None,
) -> Repaired:
    """Read a file of any accepted kind and return it as a specification that can be built.

    Parameters
    ----------
    data : bytes or str
        One of :data:`~jupyter_envstore.spec.converting.kinds.ACCEPTED`.
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
    pick : Pick or None
        Which of its environments and categories; None for those that its own tool would take.

    Raises
    ------
    SpecificationError
        It is none of these.
    """
    text = decode(data, Path(file_name).name)
    name = name_of(file_name)
    how = Mending(name, defaults, platform or current_subdir(), keep, beside)
    pick = pick or Pick()
    kind = kind_of(text, file_name)
    if kind is not Kind.YAML:
        text = text.replace("\r\n", "\n")  # our own text is made of it
    if kind is Kind.YAML:
        return _read_yaml(text, how, pick)
    if kind in (Kind.TOML, Kind.SCRIPT, Kind.NOTEBOOK):
        return _finish(_repack(text, kind, how, pick), how)
    _no_choice(pick)
    if kind is Kind.EXPLICIT:
        lock, notes = explicit_to_lock(text, name, how.platform)
        told = [Change(note, "converted") for note in notes]
        changes = [Change("explicit list read as a lockfile", "exact"), *told]
        return Repaired(lock_as_text(lock), "lockfile", changes, held=lock)
    if kind in (Kind.CONDA_LIST, Kind.CONDA_SPECS):
        what = "conda list --export" if kind is Kind.CONDA_LIST else "a list of conda's packages"
        how = replace(how, exported_on=header_platform(text))
        return _with_notes(conda_specs_to_yaml(text, name), [f"{what} read as environment.yml"], how)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    converted, notes = requirements_to_yaml(text, name, version)
    return _with_notes(converted, ["requirements.txt read as PyPI packages", *notes], how)


def _repack(text: str, kind: Kind, how: Mending, pick: Pick) -> Repacked:
    """Return another tool's file in our words."""
    if kind is Kind.TOML:
        data = read_toml(text)
        check_toml_kind(data, how.name)
        if is_pylock(data):
            _no_choice(Pick(environment=pick.environment))
            return finished(pylock_draft(data, how.platform, pick, how.name), "pylock.toml")
        if is_uv_lock(data, how.name):
            return finished(uv_draft(data, how.platform, pick, how.name), "uv.lock")
        if {"project", "tool", "build-system", "dependency-groups"} & set(data) and not PIXI_OWN & set(data):
            return finished(pyproject_draft(data, how.platform, pick, how.name), "pyproject.toml")
        if not PIXI_TABLES & set(data):
            tables = ", ".join(data)[:200] or "nothing"
            msg = f"this TOML file is none that is read: it has {tables}. Accepted: {ACCEPTED}"
            raise SpecificationError(msg)
        _no_choice(Pick(categories=pick.categories))
        draft = pixi_draft(data, how.platform, pick, how.name)
        check_asks_for_packages(draft)
        return finished(draft, "pixi.toml")
    _no_choice(pick)
    is_script = kind is Kind.SCRIPT
    block = script_block(text) if is_script else notebook_block(text)
    if block is None:
        what = "script" if is_script else "notebook"
        msg = f"this is a {what} without a script block, which lists what it needs: # /// script … # /// (PEP 723)"
        raise SpecificationError(msg)
    return finished(script_draft(block, how.name), f"the script block of the {'script' if is_script else 'notebook'}")


PIXI_OWN = {"workspace", "dependencies", "pypi-dependencies", "feature", "environments", "package", "target", "tasks"}
"""Tables of a ``pixi.toml`` that no ``pyproject.toml`` has."""
PIXI_TABLES = PIXI_OWN | {"project", "system-requirements", "activation", "pypi-options", "host-dependencies", "dev"}
"""Tables of which a ``pixi.toml`` has one."""


def _no_choice(pick: Pick) -> None:
    """Refuse a choice where the file offers none.

    Raises
    ------
    SpecificationError
        One was made.
    """
    for flag, wanted in (("environment", pick.environment), ("category", ", ".join(pick.categories))):
        if wanted:
            msg = f"the file has no {flag} {wanted[:60]!r}: a file of this kind has none to choose from"
            raise SpecificationError(msg)


def _finish(found: Repacked, how: Mending) -> Repaired:
    if found.lock is not None:
        return Repaired(found.text, "lockfile", list(found.told), found.offer, held=found.lock)
    repaired = _repair_yaml(found.text, replace(how, name="environment"))
    repaired.changes[:0] = found.told
    return replace(repaired, offer=found.offer, exclude_newer=found.exclude_newer)


def name_of(file_name: str) -> str:
    """Return a name for the environment of a file: the file's, or its folder's where the file's says nothing."""
    path = Path(file_name)
    stem = re.sub(r"\.(ya?ml|txt|toml|lock|in|ipynb|py|cdx\.json|json)$", "", path.name)
    folder = path.parent.name
    if GENERIC.fullmatch(stem) and suggest_name(folder, ""):
        return suggest_name(folder)
    return suggest_name(stem)


def _with_notes(text: str, notes: list[str], how: Mending) -> Repaired:
    repaired = _repair_yaml(text, replace(how, name="environment"))
    repaired.changes[:0] = [Change(note, "converted") for note in notes]
    return repaired


def _read_yaml(text: str, how: Mending, pick: Pick) -> Repaired:
    """Read an ``environment.yml``, a conda-lock file or a ``pixi.lock``."""
    held = read_plain_lock(text)
    if held is not None:
        with contextlib.suppress(SpecificationError):  # said by what knows the lines, below
            found = _read_lock(held, text, how, pick)
            return found if found is not None else _not_a_lock(text, how, pick)
    root = read_table(text) if looks_like_lock(text) else {}
    return _read_lock(root, text, how, pick) or _not_a_lock(text, how, pick)


def _not_a_lock(text: str, how: Mending, pick: Pick) -> Repaired:
    _no_choice(pick)
    return _repair_yaml(text, how)


def _read_lock(root: dict[str, Any], text: str, how: Mending, pick: Pick) -> Repaired | None:
    """Read a conda-lock file, a ``pixi.lock`` or a bill of materials; None where it is none of them."""
    if is_pixi_lock(root):
        _no_choice(Pick(categories=pick.categories))
        return _finish(read_pixi_lock(root, pick, how.name), how)
    if is_sbom(root):
        _no_choice(pick)
        return _finish(read_sbom(root, how.name), how)
    if not is_lockfile(root):
        return None
    _no_choice(Pick(environment=pick.environment))
    categories = lock_categories(root)
    default = tuple(name for name in categories if name in DEFAULT_CATEGORIES)
    taken = tuple(name for name in categories if name in with_main(pick.categories)) or default
    several = len(categories) > 1 or not taken  # those that are taken by default may not be there
    offer = Offer(categories=categories, taken=taken) if several else Offer()
    if not pick.categories:
        held = None if isinstance(root, Table) else root
        return Repaired(text, "lockfile", offer=offer, held=held)
    chosen, notes = only_categories(root, text, pick.categories)
    why = "as chosen" if "main" in pick.categories or "main" not in taken else "as chosen; main is always taken"
    changes = [Change(f"packages of the categories {', '.join(taken)} taken", why)]
    changes += [Change(note, "as chosen") for note in notes]
    return Repaired(lock_as_text(chosen), "lockfile", changes, offer, held=chosen)


def _repair_yaml(text: str, how: Mending) -> Repaired:
    mended, changes = mend(text, how)
    repaired = Repaired(mended.text, "environment", changes)
    with contextlib.suppress(SpecificationError):  # said when it is read, with what was changed
        repaired.held = mended.document
    return repaired
