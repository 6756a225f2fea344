"""Paths that several packages of one environment have: who wins, who loses, and what cannot be linked at all.

As with conda, of two files the one stays whose package is linked later; the programs that a linker writes (entry
points) come after all files. Files that are the same do no harm.
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jupyter_envstore.engine.dependencies import dependencies
from jupyter_envstore.engine.package_paths import PackagePaths, refusal
from jupyter_envstore.engine.path_rules import parents_of, place_of
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.wording import counted

LINKS_IN_A_ROW = 40
"""How many links Linux follows (path_resolution(7))."""


@dataclass(frozen=True)
class Collision:
    """A path that several packages have, with different content: whose file is there, and whose is not."""

    path: str
    winner: str
    losers: tuple[str, ...]


@dataclass(frozen=True)
class OutsideLink:
    """A link of a package that leads out of the environment."""

    package: str
    path: str
    target: str

    def __str__(self) -> str:
        return f"{self.path} of {self.package} is a link to {self.target}, which is outside of the environment"


@dataclass(frozen=True)
class Misstated:
    """A package whose files have other sizes than it lists, as conda looks at (``safety_checks``): listed and found."""

    package: str
    filename: str
    sizes: Mapping[str, tuple[int, int]]

    @property
    def path(self) -> str:
        """The first of its files."""
        return next(iter(self.sizes))

    def __str__(self) -> str:
        listed, found = self.sizes[self.path]
        more = f", and so of {counted(len(self.sizes) - 1, 'more file')}" if len(self.sizes) > 1 else ""
        return (
            f"{self.filename} lists {self.path} with {listed} bytes, and it has {found}{more}; it is linked as its "
            "channel has it, whose keeper should know"
        )


class Registry:
    """The paths of an environment, package by package, before they are linked.

    Each package is looked at beside those that were added before; what a linker could be led astray by is refused when
    the second of two comes.

    Parameters
    ----------
    site_packages : str
        Where Python packages lie in the environment.
    folds : bool
        Whether the file system takes names that differ only in case for the same.
    """

    def __init__(self, site_packages: str = "lib/python/site-packages", folds: bool = False) -> None:
        self.site_packages = site_packages
        self.folds = folds
        self.files: dict[str, str] = {}
        self.shared: dict[str, list[str]] = {}
        self.scripts: dict[str, list[str]] = {}
        self.late: set[str] = set()
        self.size = self.own_size = 0
        self.misstated: list[Misstated] = []
        self._folders: dict[str, str] = {}
        self.links: dict[str, tuple[str, str]] = {}
        self._folded: dict[str, tuple[str, str]] = {}
        self._records: dict[str, CondaEntry] = {}
        self._ancestors = parents_of([f"{site_packages}/x"])

    def add(self, record: CondaEntry, paths: PackagePaths) -> None:
        """Take in the paths of a package.

        Raises
        ------
        PackageError
            A path of it is another's folder, or the other way round; or it has one path twice; or the file system does
            not tell a path of it from another.
        """
        name = str(record["name"])
        self._records[name] = record
        self.size += paths.size
        self.own_size += paths.own_size
        if paths.other_sizes:
            self.misstated.append(Misstated(name, str(record["fn"]), dict(paths.other_sizes)))
        place = partial(place_of, site_packages=self.site_packages) if paths.noarch_python else str
        listed = [place(path) for path in paths.files]
        own = set(listed)
        scripts = [f"bin/{entry}" for entry in paths.entry_points]
        twice = len(own) < len(listed) or len(set(scripts)) < len(scripts) or own & set(scripts)
        if twice:
            path = next((p for p in (*listed, *scripts) if (*listed, *scripts).count(p) > 1), "")
            raise refusal(record, f"it has the path {path!r} twice")
        folders = {place(path) for path in paths.folders}
        if not self._ancestors.isdisjoint(folders):
            folders |= self._ancestors
        if scripts:
            folders.add("bin")
        self.links.update({place(path): (target, name) for path, target in paths.links.items()})
        self._check_folders(name, own | set(scripts), folders)
        if self.folds:
            self._check_case(record, (*listed, *scripts))
        for path in own & self.files.keys():
            self.shared.setdefault(path, [self.files[path]]).append(name)
        for path in own & self.scripts.keys():
            self.shared.setdefault(path, list(self.scripts[path])).append(name)
            self.late.update(self.scripts[path])
        for path in scripts:
            owner = [self.files[path]] if path in self.files else []
            others = [*self.shared.get(path, owner), *self.scripts.get(path, ())]
            if others:
                self.shared[path] = [*dict.fromkeys(others), name]
                self.late.update([*self.scripts.get(path, ()), name])
            self.scripts.setdefault(path, []).append(name)
        self.files.update(dict.fromkeys(own, name))
        self._folders.update(dict.fromkeys(folders, name))

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def _check_folders(self, name: str, files: set[str], folders: set[str]) -> None:
        """Refuse a file where there is a folder: one of them would be missing, or the other be followed."""
        mine = [(path, name, self._folders[path]) for path in files & self._folders.keys() if path not in folders]
        theirs = [(path, self.files[path], name) for path in folders & self.files.keys()]
        theirs += [(path, self.scripts[path][0], name) for path in folders & self.scripts.keys()]
        both = [(path, name, name) for path in files & folders]
        for path, file, folder in sorted([*mine, *theirs, *both])[:1]:
            what = "link" if path in self.links else "file"
            msg = (
                f"{path!r} is a {what} of {file} and a folder of {folder}, so these packages cannot be in one "
                "environment; leave one out, or ask for another version of one"
            )
            raise PackageError(msg)

    def _check_case(self, record: CondaEntry, paths: Iterable[str]) -> None:
        if fault := case_fault(((path, str(record["name"])) for path in paths), self._folded):
            raise PackageError(fault)

    def outside_links(self) -> list[OutsideLink]:
        """Return the links that lead out of the environment, themselves or by way of others."""
        targets = {path: target for path, (target, _) in self.links.items()}
        return [
            OutsideLink(package, path, target)
            for path, (target, package) in sorted(self.links.items())
            if _leads_out(path, targets)
        ]

    def check_links(self) -> None:
        """Refuse a link where the environment's Python packages are written to.

        Raises
        ------
        PackageError
            With the package and the path.
        """
        place = self.site_packages
        while place:
            if place in self.links:
                fault = f"its path {place!r} is a link, where Python packages are written to"
                raise refusal(self._records[self.links[place][1]], fault)
            place = place.rpartition("/")[0]


def _leads_out(path: str, links: Mapping[str, str]) -> bool:
    """Whether a link leads out of the folder that all paths are relative to, followed as the system does."""
    here, _, _ = path.rpartition("/")
    target = links[path]
    if "/" not in target and target not in (".", "..") and (f"{here}/{target}" if here else target) not in links:
        return False  # the commonest: a neighbour that is no link
    place = here.split("/") if here else []
    left = [target]
    followed = 0
    while left:
        text = left.pop()
        if text.startswith("/"):
            return True
        first, _, rest = text.partition("/")
        if rest:
            left.append(rest.lstrip("/"))
        if first in ("", "."):
            continue
        if first == "..":
            if not place:
                return True
            place.pop()
            continue
        place.append(first)
        onward = links.get("/".join(place))
        if onward is not None:
            followed += 1
            if followed > LINKS_IN_A_ROW:  # in a circle
                return False
            place.pop()
            left.append(onward)
    return False


def case_fault(paths: Iterable[tuple[str, str]], known: dict[str, tuple[str, str]]) -> str:
    """Return which two paths differ only in case, with their packages; empty where none do.

    Parameters
    ----------
    paths : iterable of tuple
        Paths with their packages.
    known : dict
        Those that were looked at before, by what is the same for all cases; these are added.
    """
    for path, package in paths:
        folded = unicodedata.normalize("NFD", path.casefold())
        other, owner = known.setdefault(folded, (path, package))
        if other != path:
            return (
                f"{path!r} of {package} and {other!r} of {owner} differ only in case, which the file system of the "
                "store does not tell apart; leave one out, or keep the store on another file system"
            )
    return ""


def folds_case(folder: Path) -> bool:
    """Whether the file system of ``folder`` takes names that differ only in case for the same."""
    with tempfile.NamedTemporaryFile(prefix="envstore-Case-", dir=folder) as file:
        return os.path.lexists(os.path.join(folder, os.path.basename(file.name).swapcase()))  # noqa: PTH118, PTH119


def link_order(records: Sequence[CondaEntry]) -> list[str]:
    """Return the names of packages in the order in which conda links them (``conda.models.prefix_graph``).

    Those that have to do with no other come first; then, level by level, those whose dependencies are all there. Names
    decide within a level; a circle is cut where the fewest dependencies are left.
    """
    left = dependencies(records)
    for name, needs in left.items():
        needs -= {name, "pip"} if name == "python" else {name}
    needed = {name for needs in left.values() for name in needs}
    ordered = sorted(name for name, needs in left.items() if not needs and name not in needed)
    for name in ordered:
        del left[name]
    while left:
        level = sorted(name for name, needs in left.items() if not needs)
        level = level or [min(left, key=lambda name: (len(left[name]), name))]
        ordered += level
        for name in level:
            del left[name]
        for needs in left.values():
            needs.difference_update(level)
    return ordered


def phases(records: Sequence[CondaEntry], late: set[str]) -> list[list[CondaEntry]]:
    """Return what to link one after the other, each with all before it.

    A linker writes programs into whatever lies at their place, and in any order. So a package whose programs collide
    is linked after the others, alone, in the order that decides who wins.
    """
    if not late:
        return [list(records)]
    done: list[CondaEntry] = [record for record in records if record["name"] not in late]
    found = [list(done)] if done else []
    by_name = {record["name"]: record for record in records}
    for name in link_order(records):
        if name in late:
            done.append(by_name[name])
            found.append(list(done))
    return found
