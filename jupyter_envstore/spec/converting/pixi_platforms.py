"""Platforms of a pixi workspace: names of its own for what a system has, and which tables are for which of them.

Pixi's documentation, "Multi Platform": an entry of ``platforms`` is the name of a platform, or a table with a
``platform``, what the system has (``cuda``, ``glibc``, …), and perhaps a ``name``. Features name the entries that they
are for, ``target`` names one, a pattern of several, a platform or a system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.specification import REQUIREMENTS, check_requirement

KEYS_IN_NAMES = ("cuda", "archspec", "glibc", "linux", "macos", "windows")
"""What a name that nobody wrote is made of, in this order."""
DEFAULTS = {"linux": {"glibc": "2.28", "linux": "4.18"}, "osx": {"macos": "13.0"}}
"""What pixi takes every system to have, which stands in no such name."""
OTHER_WORDS = {"osx": "macos", "__osx": "macos", "__cuda": "cuda", "__glibc": "glibc", "__linux": "linux"}
FAMILIES = {"osx": ("osx", "macos"), "linux": ("linux",), "win": ("win",)}
OTHER_PLATFORM = "it is for another platform"
KNOWN = f"known are {', '.join(REQUIREMENTS)}"


@dataclass(frozen=True)
class Platform:
    """One entry of a workspace's platforms: what it is called, what it is for, and what its system has."""

    name: str
    subdir: str
    system: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What stands before the names of its keys, where one is told."""
        return f"platforms.{self.name}."


def read_platforms(listed: Any) -> list[Platform]:
    """Return the platforms of a workspace.

    Raises
    ------
    SpecificationError
        They are no list of names and tables.
    """
    if not isinstance(listed, list | None):
        msg = "platforms must be a list"
        raise SpecificationError(msg)
    found = []
    for item in listed or ():
        if isinstance(item, str):
            found.append(Platform(item, item))
        elif isinstance(item, dict) and (item.get("platform") or item.get("name")):
            subdir = str(item.get("platform") or item["name"])
            system = {key: value for key, value in item.items() if key not in ("platform", "name")}
            found.append(Platform(str(item.get("name") or _name(subdir, system)), subdir, system))
        else:
            msg = "each of the platforms is text, or a table with 'platform'"
            raise SpecificationError(msg)
    return found


def _name(subdir: str, system: Mapping[str, Any]) -> str:
    """Return the name that pixi gives a platform which has none, for example ``linux-64-cuda-12-0``."""
    usual = DEFAULTS.get(subdir.partition("-")[0], {})
    said = {"macos" if key == "osx" else key: value for key, value in system.items()}
    cuda = said.get("cuda")
    if isinstance(cuda, dict):
        said["cuda"] = cuda.get("driver", "")
        said |= {"__cuda_arch": cuda["arch"]} if cuda.get("arch") else {}
    order = [key for key in KEYS_IN_NAMES if key in said] + [key for key in said if key not in KEYS_IN_NAMES]
    parts = [f"{key.lstrip('_')}-{said[key]}" for key in order if str(said[key]) != usual.get(key)]
    return "-".join([subdir, *(re.sub(r"[^A-Za-z0-9]+", "-", part) for part in parts)])


@dataclass(frozen=True)
class Here:
    """Which platform of a workspace is taken for the one to build for.

    Parameters
    ----------
    subdir : str
        What is built for, for example ``linux-64``.
    names : tuple of str
        The entries of the workspace that are taken: one; several where features have different ones in mind.
    others : dict of str to str
        Why each other entry is not taken.
    """

    subdir: str
    names: tuple[str, ...]
    others: Mapping[str, str]

    def has(self, selector: str) -> bool:
        """Whether a ``target`` is for it."""
        system = self.subdir.partition("-")[0]
        if selector in (self.subdir, *FAMILIES.get(system, ())) or selector in self.names:
            return True
        if selector == "unix":
            return system != "win"
        return "*" in selector and any(matches(selector, name) for name in self.names)

    def why_not(self, selector: str) -> str:
        """Return why a ``target`` is not for it."""
        meant = [name for name in self.others if name == selector or ("*" in selector and matches(selector, name))]
        if meant:
            return self.others[meant[0]]
        is_named = selector in ("unix", *(word for words in FAMILIES.values() for word in words)) or "-" in selector
        return OTHER_PLATFORM if is_named and "*" not in selector else "no platform is called so"


def matches(pattern: str, name: str) -> bool:
    """Whether a name is one that a pattern means, in which ``*`` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, re.split(r"\*+", pattern))), name) is not None


def choose_platform(platforms: Sequence[Platform], wanted: Sequence[Sequence[str]], subdir: str, draft: Draft) -> Here:
    """Carry over the platforms of an environment, and what their systems have.

    Parameters
    ----------
    platforms : sequence of Platform
        Those of the workspace; what is first has precedence.
    wanted : sequence of sequence of str
        The names that each feature of the environment has, of those that name any.
    subdir : str
        What is built for.
    draft : Draft
        Filled.
    """
    sets = [_meant(names, platforms) for names in wanted]
    left = [one for one in platforms if all(one.name in names for names in sets)]
    subdirs = dict.fromkeys(one.subdir for one in platforms)
    if sets:  # a feature is for all of a platform's entries where another one names one of them
        allowed = [{one.subdir for one in platforms if one.name in names} for names in sets]
        subdirs = {name: None for name in subdirs if all(name in some for some in allowed)}
    if platforms and subdir not in subdirs:
        those = ", ".join(subdirs) or "none of its platforms"
        draft.tell(f"packages for {subdir} taken", f"the file has the environment for {those[:300]}")
    draft.platforms = list(subdirs or dict.fromkeys(one.subdir for one in platforms))
    here: tuple[Platform, ...] = ()
    for name in sorted(subdirs, key=lambda name: name != subdir):  # what is built for has the first word
        fitting = [one for one in left if one.subdir == name][:1]
        named = [one for one in platforms if one.subdir == name and any(one.name in names for names in sets)]
        taken = tuple(fitting or named)
        here = taken if name == subdir else here
        for one in taken:
            _system(one, draft, name == subdir)
    names = tuple(one.name for one in here)
    others = {}
    for one in (one for one in platforms if one not in here):
        is_same = one.subdir == subdir
        others[one.name] = f"the platform {', '.join(names)} is taken" if is_same and names else OTHER_PLATFORM
        if is_same and names:
            why = "features of the environment name it" if sets else "it stands before it in the file"
            draft.tell(f"platform {one.name} of {subdir} left out", f"{', '.join(names)} is taken: {why}")
    return Here(subdir, names, others)


def _meant(names: Sequence[str], platforms: Sequence[Platform]) -> set[str]:
    """Return the entries that a feature names; a platform's plain name stands for all of its entries, if it is none."""
    known = {one.name for one in platforms}
    return {
        one.name
        for name in names
        for one in platforms
        if one.name == name or (name not in known and one.subdir == name)
    }


def _system(platform: Platform, draft: Draft, is_here: bool) -> None:
    """Carry over what the system of a platform has; of one that is not built for, what nothing else says."""
    said = dict(platform.system)
    if is_here:
        take_requirements(said, draft, platform.label)
        return
    other = Draft()
    take_requirements(said, other, platform.label)
    draft.told += other.told
    for name, version in other.requirements.items():
        if draft.requirements.setdefault(name, version) != version:
            draft.tell(f"{platform.label}{name} left out", "one version of it holds for all platforms")


def take_requirements(table: Mapping[str, Any], draft: Draft, label: str) -> None:
    """Carry over what a system is taken to have.

    Pixi's ``libc`` is a version, or a table with family and version; ``cuda`` is one, or a table with the version of
    the driver and of the processor.
    """
    for key, value in table.items():
        wanted, version = OTHER_WORDS.get(key, key), value
        if key == "libc":
            wanted = str(value.get("family", "glibc")) if isinstance(value, dict) else "glibc"
        if isinstance(value, dict):
            word = "driver" if wanted == "cuda" else "version"
            version = value.get(word, "")
            for more in sorted(set(value) - {word, "family"}):
                draft.tell(f"{label}{key}.{more} left out", KNOWN)
        if wanted not in REQUIREMENTS:
            draft.tell(f"{label}{key} left out", KNOWN)
            continue
        try:
            check_requirement(wanted, str(version))
        except ValueError as error:
            draft.tell(f"{label}{key} left out", str(error))
        else:
            draft.requirements[wanted] = str(version)
