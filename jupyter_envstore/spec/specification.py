"""The specification of an environment: data, its hash, and its forms."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TypedDict, cast

from jupyter_envstore.spec.lock_entries import CondaLockfile


class PipOptionsValues(TypedDict):
    """The values of :class:`PipOptions` in JSON."""

    index_url: str | None
    extra_index_urls: Sequence[str]
    find_links: Sequence[str]


@dataclass(frozen=True)
class PipOptions:
    """Where PyPI packages come from.

    Parameters
    ----------
    index_url : str or None
        The index; None for the default one.
    extra_index_urls, find_links : tuple of str
        Further places, in their order.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()

    @classmethod
    def from_values(cls, values: PipOptionsValues) -> PipOptions:
        """Return what JSON has of options."""
        return cls(values["index_url"], tuple(values["extra_index_urls"]), tuple(values["find_links"]))

    @property
    def lines(self) -> list[str]:
        """The options as lines of a ``requirements.txt``."""
        lines = [f"--index-url {self.index_url}"] if self.index_url else []
        lines += [f"--extra-index-url {url}" for url in self.extra_index_urls]
        return lines + [f"--find-links {place}" for place in self.find_links]


VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_variable(name: str, value: str) -> None:
    """Refuse what is no environment variable: names go into shell scripts as they are.

    Raises
    ------
    ValueError
        With the reason.
    """
    if not VARIABLE.fullmatch(name):
        msg = f"{name[:130]!r} is not the name of an environment variable"
        raise ValueError(msg)
    if "\0" in value:
        msg = f"the value of {name} holds a NUL character, which no environment variable can"
        raise ValueError(msg)


PRIORITIES = ("strict", "disabled")
"""What ``channel-priority`` may be, as conda and pixi call it: which channels of several are looked at."""
REQUIREMENTS = {
    "cuda": ("__cuda", ("linux", "win")),
    "glibc": ("__glibc", ("linux",)),
    "linux": ("__linux", ("linux",)),
    "macos": ("__osx", ("osx",)),
}
"""What a specification may take for granted of a system: conda's virtual package for it, and on which systems."""


def check_requirement(name: str, version: str) -> None:
    """Refuse what is no system requirement.

    Raises
    ------
    ValueError
        With the reason.
    """
    if name not in REQUIREMENTS:
        msg = f"{name[:60]!r} is not known; known: {', '.join(REQUIREMENTS)}"
        raise ValueError(msg)
    parts = r"{1,3}" if name == "glibc" else r"{0,3}"  # its minor version tells which wheels fit
    if not re.fullmatch(rf"[0-9]{{1,6}}(\.[0-9]{{1,6}}){parts}", version):
        msg = f"{name} {version[:60]!r} is no version, for example {'2.28' if name == 'glibc' else '12.4'}"
        raise ValueError(msg)


class OptionalValues(TypedDict, total=False):
    """The keys of :class:`SpecificationValues` that are missing where a specification says nothing of them."""

    channel_priority: str
    system_requirements: dict[str, str]


class SpecificationValues(OptionalValues):
    """The values of :class:`Specification` in JSON."""

    name: str | None
    channels: Sequence[str]
    dependencies: Sequence[str]
    pip: Sequence[str]
    pip_options: PipOptionsValues
    variables: dict[str, str]
    description: str
    platforms: Sequence[str]
    lockfile: CondaLockfile | None


@dataclass(frozen=True)
class Specification:
    """What an environment shall be.

    Parameters
    ----------
    name : str or None
        As the file has it.
    channels : tuple of str
        In order of priority.
    dependencies : tuple of str
        Match specs.
    pip : tuple of str
        PEP 508 requirements.
    pip_options : PipOptions
        Indexes.
    variables : dict of str to str
        Set when the environment is activated.
    description : str
        For people.
    platforms : tuple of str
        Platforms to lock beside the current one.
    channel_priority : str
        ``disabled`` where packages of all channels are looked at alike; empty where the first that has a package is
        the only one for it.
    system_requirements : dict of str to str
        Versions of what the system is taken to have: of ``cuda``, ``glibc``, ``linux``, ``macos``.
    lockfile : dict or None
        A conda-lock file, version 1; then the fields above but name and variables are empty.
    text : str
        What was typed, comments included; not part of the hash.
    notes : tuple of str
        What somebody should know who reads it, for people; not part of the meaning.
    """

    name: str | None = None
    channels: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    pip_options: PipOptions = field(default_factory=PipOptions)
    variables: dict[str, str] = field(default_factory=dict)
    description: str = ""
    platforms: tuple[str, ...] = ()
    channel_priority: str = ""
    system_requirements: dict[str, str] = field(default_factory=dict)
    lockfile: CondaLockfile | None = None
    text: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def sha256(self) -> str:
        """Hash of the meaning: the order of channels and indexes counts, the order of packages does not."""
        data = self.to_json()
        data["dependencies"] = sorted(data["dependencies"])
        data["pip"] = sorted(data["pip"])
        return hashlib.sha256(canonical_json(data)).hexdigest()

    def to_json(self) -> SpecificationValues:
        """Return the fields as JSON values, without the text and the notes."""
        data = asdict(self)
        del data["text"], data["notes"]
        for key in ("system_requirements", "channel_priority"):
            if not data[key]:
                del data[key]  # as before there were any: the hash of the same meaning stays the same
        return cast("SpecificationValues", data)

    def virtual_packages(self, platform: str) -> tuple[str, ...]:
        """Return ``name=version`` of what a system with ``platform`` is taken to have."""
        return tuple(
            f"{package}={self.system_requirements[name]}"
            for name, (package, systems) in REQUIREMENTS.items()
            if name in self.system_requirements and platform.split("-")[0] in systems
        )

    @classmethod
    def from_json(cls, data: SpecificationValues, text: str = "") -> Specification:
        """Return what :meth:`to_json` gave."""
        return cls(
            name=data.get("name"),
            channels=tuple(data["channels"]),
            dependencies=tuple(data["dependencies"]),
            pip=tuple(data["pip"]),
            pip_options=PipOptions.from_values(data["pip_options"]),
            variables=data.get("variables", {}),
            description=data.get("description", ""),
            platforms=tuple(data["platforms"]),
            channel_priority=data.get("channel_priority", ""),
            system_requirements=data.get("system_requirements", {}),
            lockfile=data.get("lockfile"),
            text=text,
        )


def canonical_json(data: object) -> bytes:
    """Return the one JSON form of ``data``: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
