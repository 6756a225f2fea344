"""What settings do to a specification: channels refused, packages required or added, each with words that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from jupyter_envstore.errors import Fault, PolicyError, SpecificationError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.indexes import is_of_any
from jupyter_envstore.spec.pip_lines import read_requirement
from jupyter_envstore.spec.sources import is_source
from jupyter_envstore.spec.specification import Specification

KERNELS = {"ipykernel", "xeus-python", "jupyter", "notebook", "jupyterlab"}
"""Packages that bring a kernel for Python, themselves or by what they need; conda's and PyPI's are called alike."""


class Naming(Protocol):
    """How names of channels become addresses."""

    def url(self, channel: str) -> str:
        """Return the address of one channel."""

    def resolve(self, channels: Sequence[str]) -> list[str]:
        """Return the addresses that a specification with these channels takes packages from."""


@dataclass(frozen=True)
class LockedPackage:
    """What policy looks at in a lock.

    ``index`` is where a package of PyPI was found, if that is certain: it vouches for a file on any host. What is
    ``beside`` is no part of the environment: installers bring it.
    """

    platform: str
    manager: str
    name: str
    url: str
    index: str = ""
    beside: bool = False


def apply_policy(
    specification: Specification, settings: SettingValues, place: str, naming: Naming
) -> tuple[Specification, tuple[str, ...]]:
    """Return the specification as the settings want it, and what was changed, in words.

    Parameters
    ----------
    specification : Specification
        What was asked for.
    settings : mapping
        Every setting's value in the scope of the environment.
    place : str
        Where that is, for messages: ``namespace/name``.
    naming : Naming
        Turns names of channels into addresses.

    Raises
    ------
    PolicyError
        Something is not allowed, or missing; the message names all of it.
    SpecificationError
        It lists no package, and the settings add none.
    """
    if specification.lockfile is not None:
        entries = specification.lockfile["package"]
        locked = [LockedPackage(e["platform"], e["manager"], e["name"], e["url"]) for e in entries]
        return specification, (*specification.notes, *check_lock_policy(locked, settings, place, naming))
    specification, notes = _complete(specification, settings)
    if not specification.dependencies and not specification.pip:
        msg = "'dependencies' is missing or empty; for example: dependencies: [python]"
        raise SpecificationError([Fault(msg, None, "dependencies")])
    refused = _refused_channels(specification, settings, naming)
    faults = [*_channel_faults(refused, settings), *_index_faults(specification, settings)]
    faults += _source_faults(specification, settings)
    faults += _missing(
        settings["conda_required_packages"],
        {conda_name(spec) for spec in specification.dependencies},
        "conda_required_packages",
    )
    faults += _missing(
        settings["pypi_required_packages"], {pip_name(line) for line in specification.pip}, "pypi_required_packages"
    )
    _refuse(faults, place, dict.fromkeys(refused, tuple(settings["conda_allowed_channels"])))
    return specification, (*specification.notes, *notes)


def check_channels(specification: Specification, settings: SettingValues, place: str, naming: Naming) -> None:
    """Refuse channels that the settings do not allow.

    Raises
    ------
    PolicyError
        With their names.
    """
    _refuse(_channel_faults(_refused_channels(specification, settings, naming), settings), place)


def conda_name(spec: str) -> str:
    """Return the name of the package that a match spec is about."""
    found = re.match(r"[A-Za-z0-9_.-]+", spec.rpartition("::")[2].strip())
    return found.group().lower() if found else spec


def pip_name(line: str) -> str:
    """Return the normalized name of the package that a requirement is about."""
    return canonicalize_name(read_requirement(line).name)


def _complete(specification: Specification, settings: SettingValues) -> tuple[Specification, list[str]]:
    notes: list[str] = []
    conda, pip = list(specification.dependencies), list(specification.pip)
    if not conda:
        conda += _added(settings["conda_default_packages"], set(), conda_name, "conda_default_packages", notes)
    if not pip:
        pip += _added(settings["pypi_default_packages"], set(), pip_name, "pypi_default_packages", notes)
    names = {conda_name(spec) for spec in conda}
    conda += _added(settings["conda_included_packages"], names, conda_name, "conda_included_packages", notes)
    known = {pip_name(line) for line in pip}
    pip += _added(settings["pypi_included_packages"], known, pip_name, "pypi_included_packages", notes)
    names = {conda_name(spec) for spec in conda}
    if settings["add_ipykernel"] and "python" in names and not (names | known) & KERNELS:
        conda += _added(["ipykernel"], names, conda_name, "add_ipykernel", notes)
    options = specification.pip_options
    indexes = settings["pypi_allowed_indexes"]
    if indexes and pip and options.index_url is None:
        options = replace(options, index_url=indexes[0])
        notes.append(f"PyPI packages come from {indexes[0]} (pypi_allowed_indexes)")
    return replace(specification, dependencies=tuple(conda), pip=tuple(pip), pip_options=options), notes


def _added(wanted: Sequence[str], there: set[str], name: Callable[[str], str], key: str, notes: list[str]) -> list[str]:
    added = [spec for spec in wanted if name(spec) not in there]
    notes += [f"added {spec} ({key})" for spec in added]
    return added


def _missing(required: Sequence[str], there: set[str], key: str) -> list[str]:
    name = conda_name if key.startswith("conda") else pip_name
    return [f"{spec} must be listed ({key})" for spec in required if name(spec) not in there]


def _refused_channels(specification: Specification, settings: SettingValues, naming: Naming) -> list[str]:
    """Return the channels that are not allowed, of those that packages really come from, as they are written."""
    allowed = {naming.url(channel) for channel in settings["conda_allowed_channels"]}
    if not allowed:
        return []
    prefixes = [_bare(spec.partition("::")[0]) for spec in specification.dependencies if "::" in spec]
    names = {naming.url(channel): channel for channel in (*specification.channels, *prefixes)}
    used = [*naming.resolve(specification.channels), *(naming.url(channel) for channel in prefixes)]
    return [names.get(url, url) for url in dict.fromkeys(used) if url not in allowed]


def _channel_faults(refused: Sequence[str], settings: SettingValues) -> list[str]:
    shown = ", ".join(settings["conda_allowed_channels"])
    return [f"channel {channel!r} is not allowed; allowed: {shown}" for channel in refused]


def _bare(channel: str) -> str:
    return re.sub(r"/(noarch|(?:linux|osx|win)-\w+)$", "", channel)


def _index_faults(specification: Specification, settings: SettingValues) -> list[str]:
    allowed = [url.rstrip("/") for url in settings["pypi_allowed_indexes"]]
    if not allowed:
        return []
    options = specification.pip_options
    used = [*([options.index_url] if options.index_url else []), *options.extra_index_urls, *options.find_links]
    used += [url for line in specification.pip if (url := read_requirement(line).url)]
    return [f"index {url!r} is not allowed; allowed: {', '.join(allowed)}" for url in used if not _below(url, allowed)]


def _below(url: str, indexes: Sequence[str]) -> bool:
    """Whether an address is one of some indexes or lies below one; what lies beside them may be another index."""
    return any(url.rstrip("/") == index or url.startswith(f"{index}/") for index in indexes)


NO_SOURCES = "sources are not built here; name a released package, or let an admin set pypi_allow_sdists"


def _source_faults(specification: Specification, settings: SettingValues) -> list[str]:
    """Return the lines for pip that name sources, where those are not built: building runs what is in them."""
    if settings["pypi_allow_sdists"]:
        return []
    urls = [url for line in specification.pip if (url := read_requirement(line).url)]
    return [f"{url[:200]}: {NO_SOURCES}" for url in urls if is_source(url)]


def check_lock_policy(
    packages: Sequence[LockedPackage], settings: SettingValues, place: str, naming: Naming
) -> tuple[str, ...]:
    """Refuse a lock whose packages come from elsewhere, or lack what is required; return notes for people.

    Raises
    ------
    PolicyError
        With all that is wrong.
    """
    allowed = {naming.url(channel) for channel in settings["conda_allowed_channels"]}
    faults = []
    if allowed:
        shown = ", ".join(settings["conda_allowed_channels"])
        for url in dict.fromkeys(channel_of(package.url) for package in packages if package.manager == "conda"):
            if url not in allowed:
                faults.append(f"the lockfile takes packages from {url}, which is not allowed; allowed: {shown}")
    indexes = [url.rstrip("/") for url in settings["pypi_allowed_indexes"]]
    for package in packages if indexes else ():
        is_known = is_of_any(package.url, indexes) or bool(package.index and _below(package.index, indexes))
        if package.manager == "pip" and not is_known:
            shown = ", ".join(indexes)
            faults.append(f"the lockfile takes {package.name} from {package.url}, which is not below {shown}")
    if not settings["pypi_allow_sdists"]:
        repositories = dict.fromkeys(package.url for package in packages if package.url.startswith("git+"))
        faults += [f"{url[:200]}: {NO_SOURCES}" for url in repositories]
    by_platform: dict[str, tuple[set[str], set[str]]] = {}
    for package in packages:
        if package.beside:
            continue
        conda, pip = by_platform.setdefault(package.platform, (set(), set()))
        if package.manager == "conda":
            conda.add(package.name.lower())
        else:
            pip.add(canonicalize_name(package.name))
    notes: list[str] = []
    for platform, (conda, pip) in sorted(by_platform.items()):
        missing = [
            *_missing(settings["conda_required_packages"], conda, "conda_required_packages"),
            *_missing(settings["pypi_required_packages"], pip | conda, "pypi_required_packages"),
        ]
        faults += [f"{platform}: {fault}" for fault in missing]
        absent = [spec for spec in settings["conda_included_packages"] if conda_name(spec) not in conda]
        notes += [f"{platform}: {spec} is not added to a lockfile (conda_included_packages)" for spec in absent]
    _refuse(faults, place)
    return tuple(notes)


def channel_of(url: str) -> str:
    """Return the channel's address of a package: all before ``/<subdir>/<file>``."""
    parts = urlsplit(url.split("#")[0])
    return f"{parts.scheme}://{parts.netloc}{parts.path.rsplit('/', 2)[0]}"


def _refuse(faults: list[str], place: str, instead: Mapping[str, Sequence[str]] | None = None) -> None:
    if faults:
        error = PolicyError("\n".join(f"{place}: {fault}" for fault in faults))
        error.suggestions = instead or {}
        raise error
