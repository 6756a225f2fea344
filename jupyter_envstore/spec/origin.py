"""Which platform a file was exported on, and what of it another platform cannot follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.package_editing import conda_name
from jupyter_envstore.spec.platform_packages import (
    ALL,
    EVERYWHERE_FROM,
    LINUX,
    NAMED_PLATFORM,
    OSX,
    PART_OF,
    SYSTEMS,
    WIN,
    Platforms,
    built_for,
    native_platforms,
    only_platforms,
)

PREFIXES = (
    (re.compile(r"[A-Za-z]:[\\/]|\\\\|/[a-z]/Users/"), WIN),
    (re.compile(r"/Users/|/opt/homebrew/|/usr/local/Caskroom/|/Applications/|/Volumes/"), OSX),
    (re.compile(r"/(home|root)/"), LINUX),
)
"""Where environments lie on one system alone."""
HEADER = re.compile(r"^#\s*platform:\s*([a-z]+-[a-z0-9]+)\s*$", re.MULTILINE)
"""The platform in the first lines of what ``conda list --export`` and ``conda-lock render`` write."""
SEVERAL = 2
FULL_EXPORT = 8
"""So many packages, each bound to one version, are an export without build strings."""
EXPORTED = re.compile(r"(?:\S+::)?[A-Za-z0-9_.-]+\s?==?(?P<version>[\w.!+-]+)=(?P<build>[A-Za-z0-9][\w.+]*)")
"""A package as ``conda env export`` writes it: one version and one build, no bound and no pattern."""
PINNED = re.compile(r"(?:\S+::)?[A-Za-z0-9_.-]+\s?==?\s?(?P<version>[\w.!+-]+)")


@dataclass(frozen=True)
class Listed:
    """A plain dependency: its place, its name, and its version and build where it is written as an export writes it."""

    item: Text
    name: str
    version: str = ""
    build: str = ""

    @property
    def pinned(self) -> bool:
        """Whether it is bound to one version, as in an export."""
        return bool(self.version)

    @property
    def without_build(self) -> str:
        """The same without its build string."""
        return str(self.item).rstrip()[: -len(f"={self.build}")]


def listed(root: Table) -> list[Listed]:
    """Return each plain dependency of a document."""
    dependencies = root.get("dependencies")
    found = []
    for item in dependencies if isinstance(dependencies, Items) else []:
        if isinstance(item, Text):
            exported = EXPORTED.fullmatch(item.strip())
            pinned = exported or PINNED.fullmatch(item.strip())
            build = exported["build"] if exported else ""
            found.append(Listed(item, conda_name(item), pinned["version"] if pinned else "", build))
    return found


def header_platform(text: str) -> str:
    """Return the platform that a comment before the packages names; empty where there is none, or an unknown one."""
    head = text[: _first_entry(text)]
    found = HEADER.search(head)
    return found[1] if found and found[1] in ALL else ""


def _first_entry(text: str) -> int:
    found = re.search(r"^[^#\s]", text, re.MULTILINE)
    return found.start() if found else len(text)


def origin(root: Table, packages: Sequence[Listed], header: str = "") -> Platforms:
    """Return the platforms one of which a file was exported on; empty where nothing says so for certain.

    Its header says so, or its prefix; or several packages with build strings that only one platform has, where none is
    of another; or several packages of one system alone, in an export without build strings. One name never does:
    somebody may want it, and a misspelling of a system is no fault of the others.

    Parameters
    ----------
    root : Table
        The document.
    packages : sequence of Listed
        Its packages.
    header : str
        The platform that a comment before the packages names.
    """
    if header:
        return frozenset({header})
    clues = _clues(packages)
    common = reduce(Platforms.intersection, clues.values(), ALL) if clues else Platforms()
    prefix = str(root.get("prefix") or "").strip()
    for pattern, platforms in PREFIXES:
        if pattern.match(prefix):
            return (common & platforms) or platforms
    return common if len(clues) >= SEVERAL else Platforms()


def _clues(packages: Sequence[Listed]) -> dict[str, Platforms]:
    """Return what packages of an export say of its platform."""
    bare = len(packages) >= FULL_EXPORT and all(package.pinned for package in packages)
    clues: dict[str, Platforms] = {}
    for package in packages:
        native = native_platforms(package.name) if package.build or bare else None
        found = native or (built_for(package.build) if package.build else None)
        if found is not None:
            clues[package.name] = clues.get(package.name, ALL) & found
    return clues


def where_from(platforms: Platforms, here: str) -> str:
    """Return what the platforms of a file are called, for a message: the system, where that is another than here.

    >>> where_from(OSX, "linux-64"), where_from(frozenset({"linux-aarch64"}), "linux-64")
    ('macOS', 'linux-aarch64')
    """
    systems = {platform.partition("-")[0] for platform in platforms}
    if len(systems) == 1 and here.partition("-")[0] not in systems:
        return SYSTEMS[systems.pop()]
    return " or ".join(sorted(platforms))


def is_useless(package: Listed, platforms: Platforms, here: str) -> bool:
    """Whether a package of a file that was exported on one of ``platforms`` is of no use ``here``.

    One that is to be had here too stays, unless it is bound to a version that is not: then the export listed it for
    another's sake, and who needs it here brings it.
    """
    name = package.name
    only = only_platforms(name)
    if only is not None:
        return here not in only and bool(only & platforms)
    if compiler := NAMED_PLATFORM.fullmatch(name):
        return package.pinned and compiler[1] != here and compiler[1] in platforms
    part = PART_OF.get(name)
    if part is None or here in part or not part & platforms:
        return False
    return package.pinned and not _is_everywhere(package)


def _is_everywhere(package: Listed) -> bool:
    first = EVERYWHERE_FROM.get(package.name)
    numbers = tuple(int(number) for number in re.findall(r"\d+", package.version.partition("!")[2] or package.version))
    return first is not None and numbers >= first
