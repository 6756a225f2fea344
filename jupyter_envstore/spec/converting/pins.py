"""Packages that a lock of Python's tools pins, as lines for pip with the hashes of their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.addresses import file_of
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.sources import COMMIT
from jupyter_envstore.spec.wording import counted

PYPI = ["pypi", "org"]
"""The host of the index that is asked anyhow, by its parts."""
MINORS = range(6, 30)
"""Minor versions of Python 3 that wheels are looked at for."""
TAG = re.compile(r"(cp|py)3(\d{1,2})?t?")
MACHINES = {"64": "x86_64", "aarch64": "aarch64", "ppc64le": "ppc64le", "arm64": "arm64"}
SYSTEMS = {"linux": ("manylinux", "linux"), "osx": ("macosx",), "win": ("win",)}
UNCHECKED = "only SHA-256 is checked here"
NO_WHEEL = "it lies on one machine, or its sources are not at a commit; name a release"


@dataclass(frozen=True)
class File:
    """A file of a package: its name, where it is, and its SHA-256 (empty where another hash is given)."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Pin:
    """One package of a lock.

    Parameters
    ----------
    name, version : str
        As the lock has them.
    marker : str
        Where it is needed; empty for everywhere.
    index : str
        Where it was found; empty where the lock does not say.
    place : str
        The address that it is taken from, where it is of no index: of a wheel, an archive or a repository.
    wheels : tuple of File
        Its wheels.
    sdist : File or None
        Its source archive.
    """

    name: str
    version: str = ""
    marker: str = ""
    index: str = ""
    place: str = ""
    wheels: tuple[File, ...] = ()
    sdist: File | None = None

    @property
    def line(self) -> str:
        """The line for pip."""
        what = f"{self.name} @ {self.place}" if self.place else f"{self.name}=={self.version}"
        marker = f" ; {self.marker}" if self.marker else ""
        if self.place:
            return f"{what}{marker}"
        files = [*self.wheels, *([self.sdist] if self.sdist else [])]
        return f"{what}{marker}" + "".join(f" --hash=sha256:{file.sha256}" for file in files if file.sha256)


def name_of_file(said: object, url: str, path: object) -> str:
    """Return the name of a file: as the lock says, else as its address or its path ends."""
    return str(said or file_of(url) or str(path or "").rpartition("/")[2])


def repository_place(url: str, commit: object, folder: object) -> str:
    """Return the address of a repository; empty where the commit is not a full one."""
    if not COMMIT.fullmatch(str(commit)):
        return ""
    return f"git+{url}@{commit}{f'#subdirectory={folder}' if folder else ''}"


def archive_place(url: str, sha256: str, folder: object) -> str:
    """Return the address of an archive with its hash and the folder of the package in it, as far as they are known."""
    marks = [f"sha256={sha256}"] if sha256 else []
    marks += [f"subdirectory={folder}"] if folder else []
    return f"{url}{'#' if marks else ''}{'&'.join(marks)}"


def listed_tables(listed: object, key: str) -> list[Mapping[str, Any]]:
    """Return the packages of a lock.

    Raises
    ------
    SpecificationError
        They are no list of tables.
    """
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        msg = f"{key} must be a list of tables, as in: [[{key}]]"
        raise SpecificationError(msg)
    return listed


def add_pins(draft: Draft, pins: Sequence[Pin], platform: str) -> None:
    """Carry the packages of a lock over into a draft, whose bounds of Python are known already."""
    draft.pip += [pin.line for pin in pins]
    unchecked = [pin.name for pin in pins if not pin.place and not any(f.sha256 for f in (*pin.wheels, pin.sdist) if f)]
    if unchecked:
        draft.tell(f"hashes of {', '.join(unchecked)[:300]} left out", UNCHECKED)
    _add_indexes(draft, pins)
    _bind_python(draft, pins, platform)
    draft.tell(f"{counted(len(pins), 'package')} pinned", "Python is solved for: the lock has packages of PyPI alone")


def _add_indexes(draft: Draft, pins: Iterable[Pin]) -> None:
    """Name the indexes that a lock has its packages of, but for PyPI itself, which is asked anyhow."""
    needs_pypi = False
    others: dict[str, None] = {}
    for pin in pins:
        if pin.place:
            continue
        if not pin.index or (urlsplit(pin.index).hostname or "").split(".") == PYPI:
            needs_pypi = True
        else:
            others[pin.index] = None
    for number, url in enumerate(others):
        option = "--extra-index-url" if number or needs_pypi else "--index-url"
        draft.options.append(f"{option} {url}")
    if others and (needs_pypi or len(others) > 1):
        draft.tell(f"{', '.join(others)[:300]} named for all packages", "pip's lines know no index of one package")


def _bind_python(draft: Draft, pins: Iterable[Pin], platform: str) -> None:
    """Keep Python within what all wheels are for: the newest one may have none of a package that was locked before."""
    left = _asked_for(draft.python)
    if not left:
        return
    narrow: dict[str, int] = {}
    for pin in pins:
        if pin.marker or pin.place:
            continue
        fitting = _minors(pin.wheels, platform)
        if not fitting or max(left) in fitting:
            continue
        remaining = left & fitting
        if not remaining:
            draft.tell(f"{pin.name} {pin.version} has no wheel for a Python that the file asks for", "see its wheels")
            return
        left = remaining
        narrow[pin.name] = max(fitting)
    if narrow:
        bound = f"<3.{max(left) + 1}"
        names = [name for name, newest in narrow.items() if newest == max(left)]
        draft.python = f"{draft.python},{bound}" if draft.python else bound
        draft.tell(f"python {bound} added", f"no wheel of {', '.join(names)[:200]} in the lock is for a newer one")


def _asked_for(bounds: str) -> set[int]:
    """Return the minor versions of Python that bounds let in; all where there are none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        wanted = SpecifierSet(bounds)
    except InvalidSpecifier:
        return set()
    return {minor for minor in MINORS if wanted.contains(f"3.{minor}.0") or wanted.contains(f"3.{minor}.99")}


def _minors(wheels: Iterable[File], platform: str) -> set[int]:
    """Return the minor versions of Python that wheels for a platform are for (PyPA, "Platform compatibility tags")."""
    found: set[int] = set()
    for wheel in wheels:
        parts = wheel.name.removesuffix(".whl").split("-")
        if len(parts) < 5 or not any(_is_for(tag, platform) for tag in parts[-1].split(".")):
            continue
        for tag in parts[-3].split("."):
            match = TAG.fullmatch(tag)
            if match is None or tag.endswith("t"):
                continue
            oldest = int(match[2] or 0)
            later = match[1] == "py" or "abi3" in parts[-2].split(".")
            found |= {minor for minor in MINORS if minor == oldest or (later and minor > oldest)}
    return found


def _is_for(tag: str, platform: str) -> bool:
    system, _, machine = platform.partition("-")
    if tag == "any":
        return True
    if system == "win":
        return tag == {"64": "win_amd64", "arm64": "win_arm64"}.get(machine)
    machines = [MACHINES.get(machine, machine), *(["universal2"] if system == "osx" else [])]
    return tag.startswith(SYSTEMS.get(system, ("?",))) and tag.endswith(tuple(f"_{name}" for name in machines))
