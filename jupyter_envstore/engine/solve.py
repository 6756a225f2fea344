"""Find the conda packages that satisfy a specification, with rattler."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_envstore.engine.channels import (
    ChannelPolicy,
    check_local_channels,
    conda_credentials,
    explain_channel_error,
    forget_lists_of_shards,
    last_index,
    make_gateway,
    note_indexes,
    redact,
    strip_credentials,
)
from jupyter_envstore.engine.missing_packages import Absent, Wanted, find_absent
from jupyter_envstore.errors import ChannelUnreachableError, InvalidInputError, SolveError, SolveTimeoutError
from jupyter_envstore.spec.specification import REQUIREMENTS

if TYPE_CHECKING:
    from jupyter_envstore.spec.lock_entries import CondaEntry

# What other platforms are taken to have: the oldest systems that conda-forge's packages support (its documentation,
# "Platforms"), as ``name=version=build``.
FOREIGN_VIRTUAL_PACKAGES = {
    "linux-64": ("__unix=0=0", "__linux=4.18=0", "__glibc=2.28=0", "__archspec=1=x86_64"),
    "linux-aarch64": ("__unix=0=0", "__linux=4.18=0", "__glibc=2.28=0", "__archspec=1=aarch64"),
    "linux-ppc64le": ("__unix=0=0", "__linux=4.18=0", "__glibc=2.28=0", "__archspec=1=ppc64le"),
    "osx-64": ("__unix=0=0", "__osx=11.0=0", "__archspec=1=x86_64"),
    "osx-arm64": ("__unix=0=0", "__osx=11.0=0", "__archspec=1=arm64"),
    "win-64": ("__win=0=0", "__archspec=1=x86_64"),
    "win-arm64": ("__win=0=0", "__archspec=1=arm64"),
}


TOP_OF_TREE = re.compile(r"^[├└]─ ([A-Za-z0-9_.-]+)", re.MULTILINE)
NO_CANDIDATES = re.compile(r"No candidates were found for (\S+) (.*?)\.?$")
NO_VIRTUAL = re.compile(r"(__[a-z0-9_]+) ([^,\n]*), for which no candidates were found")
HINT_SECONDS = 20.0
EXTRAS_SECONDS = 60.0


@dataclass(frozen=True)
class SolveOptions:
    """Limits and choices of a solve.

    Parameters
    ----------
    timeout : float
        Seconds.
    exclude_newer : datetime or None
        Leave out packages that were uploaded later.
    virtual_packages : tuple of str
        ``name=version[=build]`` that replace or add to those of the platform.
    kept_only : bool
        Take the indexes as they were read last, and ask no channel.
    any_channel : bool
        Look at the packages of all channels alike; else the first channel that has a package is the only one for it.
    extras : tuple of str
        Names of packages to find beside the solution where it lacks them, without a change to it.
    """

    timeout: float = 600.0
    exclude_newer: datetime | None = None
    virtual_packages: tuple[str, ...] = ()
    kept_only: bool = False
    extras: tuple[str, ...] = ()
    any_channel: bool = False


@dataclass(frozen=True)
class Solution:
    """Records as JSON values, sorted by name, and the virtual packages they were chosen for.

    ``index_from`` is the time of the indexes (ISO 8601, UTC) where they were not read for this. ``extras`` are the
    records of the extras and of what they need, ``without`` the names of those that do not fit or are not there.
    """

    records: tuple[CondaEntry, ...]
    virtual_packages: tuple[str, ...]
    index_from: str | None = None
    extras: tuple[CondaEntry, ...] = ()
    without: tuple[str, ...] = ()


def current_platform() -> str:
    """Return the platform that runs this, as conda spells it."""
    import rattler

    return str(rattler.Subdir.current())


def solve(
    specs: Sequence[str],
    channels: Sequence[str],
    platform: str,
    cache_dir: Path,
    policy: ChannelPolicy | None = None,
    options: SolveOptions | None = None,
) -> Solution:
    """Return the packages that satisfy ``specs``.

    Parameters
    ----------
    specs : sequence of str
        Match specs.
    channels : sequence of str
        Addresses, the first with the highest priority.
    platform : str
        For example ``linux-64``.
    cache_dir : Path
        Where indexes are kept between solves.

    Raises
    ------
    SolveError
        Nothing satisfies them; the text is the solver's explanation.
    SolveTimeoutError
        The time limit passed.
    ChannelError
        A channel is not there or cannot be read.
    """
    policy, options = policy or ChannelPolicy(), options or SolveOptions()
    wanted = [Wanted(spec, *policy.resolve_spec(spec)) for spec in specs]
    urls = list(dict.fromkeys([*channels, *(one.channel for one in wanted if one.channel)]))
    check_local_channels(urls, platform)
    virtual = virtual_packages(platform, options.virtual_packages)
    moment = last_index(cache_dir, urls, platform)
    if options.kept_only and moment is None:
        msg = f"no earlier index is kept of all of {', '.join(redact(url) for url in urls)}; try again later"
        raise ChannelUnreachableError(msg)
    try:
        with conda_credentials():
            records, extras, without = asyncio.run(_solve(wanted, urls, platform, cache_dir, virtual, options))
    except ChannelUnreachableError as error:
        error.last_index = None if options.kept_only else moment
        raise
    except SolveError as error:
        if not options.kept_only and not isinstance(error, SolveTimeoutError):  # the indexes were read
            note_indexes(cache_dir, urls, platform)
        raise
    if not options.kept_only:
        note_indexes(cache_dir, urls, platform)
    ordered = tuple(sorted(records, key=lambda record: record["name"]))
    return Solution(ordered, tuple(virtual), moment if options.kept_only else None, extras, without)


async def _solve(
    wanted: list[Wanted],
    urls: list[str],
    platform: str,
    cache_dir: Path,
    virtual: list[str],
    options: SolveOptions,
) -> tuple[list[CondaEntry], tuple[CondaEntry, ...], tuple[str, ...]]:
    import rattler
    from rattler.exceptions import GatewayError, SolverError

    def request(gateway: Any, more: Sequence[str] = ()) -> Any:
        return rattler.solve(
            [rattler.Channel(url) for url in urls],
            [rattler.MatchSpec(spec) for spec in (*(one.resolved for one in wanted), *more)],
            gateway=gateway,
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            virtual_packages=[rattler.GenericVirtualPackage(*_split(package)) for package in virtual],
            timeout=timedelta(seconds=options.timeout),
            exclude_newer=options.exclude_newer,
            timestamp_policy="allow-missing",
            channel_priority=priorities.Disabled if options.any_channel else priorities.Strict,
        )

    priorities = rattler.ChannelPriority
    gateway = make_gateway(cache_dir, kept_only=options.kept_only)  # the extras are found in the same indexes
    limit = f"no answer in {options.timeout:g} s; the more bounds the specification has, the faster it is solved"
    try:
        try:
            solved = await asyncio.wait_for(request(gateway), options.timeout)
        except GatewayError as error:
            if options.kept_only or not forget_lists_of_shards(cache_dir, error):
                raise
            gateway = make_gateway(cache_dir)
            solved = await asyncio.wait_for(request(gateway), options.timeout)
    except asyncio.TimeoutError:
        raise SolveTimeoutError(limit) from None
    except GatewayError as error:
        if options.kept_only:
            msg = f"the kept index does not hold all that this needs: {redact(str(error)).strip().splitlines()[0]}"
            raise ChannelUnreachableError(msg) from None
        raise explain_channel_error(error) from None
    except SolverError as error:
        text = str(error)
        if "cancelled" in text:
            raise SolveTimeoutError(limit) from None
        text = redact(text.removeprefix("Cannot solve the request because of: ").strip())
        raise await _explain(text, wanted, urls, platform, gateway, virtual) from None
    records = [clean_record(json.loads(record.to_json())) for record in solved]
    try:
        extras, without = await _solve_extras(records, options, lambda more: request(gateway, more))
    except (GatewayError, asyncio.TimeoutError):  # nobody waits for them
        extras, without = (), tuple(options.extras)
    return records, extras, without


async def _solve_extras(
    records: Sequence[CondaEntry], options: SolveOptions, request: Callable[[Sequence[str]], Any]
) -> tuple[tuple[CondaEntry, ...], tuple[str, ...]]:
    """Return the extras that fit beside ``records``, with what they need; and the names of those that do not."""
    from rattler.exceptions import SolverError

    known = {record["name"]: record for record in records}
    pins = [f"{record['name']}=={record['version']}={record['build']}" for record in records]
    wanted = [name for name in options.extras if name not in known]
    without: list[str] = []
    while wanted:
        try:
            solved = await asyncio.wait_for(request([*pins, *wanted]), min(options.timeout, EXTRAS_SECONDS))
        except SolverError:
            without.insert(0, wanted.pop(0))  # the first needs most
            continue
        found = [clean_record(json.loads(record.to_json())) for record in solved]
        if any(r["name"] in known and r["url"] != known[r["name"]]["url"] for r in found):
            return (), tuple(options.extras)
        more = [record for record in found if record["name"] not in known]
        return tuple(sorted(more, key=lambda record: record["name"])), tuple(without)
    return (), tuple(without)


async def _explain(
    text: str,
    wanted: Sequence[Wanted],
    urls: Sequence[str],
    platform: str,
    gateway: Any,
    virtual: Sequence[str],
) -> SolveError:
    """Return the error for what the solver says: it stops at the first package that it does not find, we name all."""
    from rattler.exceptions import GatewayError

    missing = NO_CANDIDATES.match(text)
    name, bounds = missing.groups() if missing else ("", "")
    if name.startswith("__"):
        return SolveError(_no_virtual(name, bounds, virtual, platform))
    try:
        looked = find_absent(wanted, urls, platform, gateway)
        absent = await asyncio.wait_for(looked, HINT_SECONDS)
        if missing is None:
            absent = [one for one in absent if not one.conflict]
        if name and name not in {one.name for one in absent}:  # another package needs it, or a limit leaves it out
            absent += await asyncio.wait_for(_needed(name, bounds, urls, platform, gateway), HINT_SECONDS)
    except (GatewayError, asyncio.TimeoutError):  # the channel went away since, or has no list of names at hand
        absent = [Absent(name, f"{name} {bounds}", "check its name and bounds")] if name else []
    told = [one.sentence(urls) for one in absent]
    lacking = dict.fromkeys(NO_VIRTUAL.findall(text))
    told += [_no_virtual(virtual_name, needed, virtual, platform) for virtual_name, needed in lacking]
    tops = set(TOP_OF_TREE.findall(text))
    if missing is None and not (tops and tops <= {one.name for one in absent}):
        told.append(f"these requirements cannot be met together:\n{text}")
    if "strict channel priority" in text and len(urls) > 1:
        told.append("'channel-priority: disabled' in the file looks at all channels alike")
    failure = SolveError("\n".join(told))
    failure.suggestions = {one.name: one.close for one in absent if one.close}
    return failure


async def _needed(name: str, bounds: str, urls: Sequence[str], platform: str, gateway: Any) -> list[Absent]:
    """Return what is said of a package that nobody asked for, and that the solver does not find."""
    spec = name if bounds == "*" else f"{name} {bounds}"
    try:
        found = await find_absent([Wanted(spec, spec)], urls, platform, gateway)
    except ValueError:  # bounds in words that are no match spec
        found = []
    return found or [Absent(name, spec, "check its name and bounds")]


def _no_virtual(name: str, bounds: str, virtual: Sequence[str], platform: str) -> str:
    """Say that the machine is not one that a package is for, and how to ask for another one's."""
    has = next((package.split("=")[1:] for package in virtual if package.split("=")[0] == name), ["none"])
    wanted, _, build = bounds.partition(" ")
    version = next(iter(re.findall(r"[0-9][0-9.]*", wanted)), "VERSION")
    ways = f"on the command line, --virtual-package {name}={version}" + (f"={build}" if build else "")
    known = {package: key for key, (package, systems) in REQUIREMENTS.items() if platform.split("-")[0] in systems}
    if name in known:
        ways = f"'system-requirements: {{{known[name]}: \"{version}\"}}' in the file (or, {ways})"
    shown = " ".join(has if build else has[:1])
    return f"no package {name} {bounds}: the system has {shown}; {ways} builds it for another machine"


def clean_record(record: dict[str, Any]) -> CondaEntry:
    """Return a repodata record without credentials and without fields that change by themselves."""
    record.pop("indexed_timestamp", None)
    record["url"] = strip_credentials(record["url"])
    record["channel"] = strip_credentials(record.get("channel") or "").rstrip("/")
    return cast("CondaEntry", record)


def virtual_packages(platform: str, overrides: Sequence[str] = ()) -> list[str]:
    """Return ``name=version=build`` of what ``platform`` offers, after ``CONDA_OVERRIDE_*`` and ``overrides``."""
    import rattler

    if platform == current_platform():
        detected = rattler.VirtualPackage.detect(overrides=rattler.VirtualPackageOverrides.from_env())
        generic = [package.into_generic() for package in detected]
        found = [f"{p.name.normalized}={p.version}={p.build_string}" for p in generic]
    else:
        found = list(FOREIGN_VIRTUAL_PACKAGES[platform])
    names = {package.split("=")[0]: package for package in found}
    for package in overrides:
        check_virtual_package(package)
        names[package.split("=")[0]] = package if package.count("=") == 2 else f"{package}=0"
    return sorted(names.values())


def check_virtual_package(package: str) -> None:
    """Refuse what is not ``__name=version`` or ``__name=version=build``.

    Raises
    ------
    InvalidInputError
        It is not.
    """
    if not re.fullmatch(r"__[a-z0-9_]+=[A-Za-z0-9._]+(=[A-Za-z0-9._]+)?", package):
        msg = f"virtual package {package!r}: write __name=version or __name=version=build, for example __cuda=12.4"
        raise InvalidInputError(msg)


def _split(package: str) -> tuple[Any, Any, Any]:
    import rattler

    name, version, build = package.split("=")
    return rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
