"""``pixi.toml``: what an environment was asked for, so that the ``pixi.lock`` beside it satisfies it.

A table of dependencies has one entry for a package, so several requests become one. What pixi has no words for is left
out, and a comment in the file tells. The format is that of pixi's documentation, "The manifest".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import Requirement

from jupyter_envstore.artifacts.pixi_lock import channels_of, link_places
from jupyter_envstore.engine.oldest_systems import least_versions
from jupyter_envstore.engine.pylock import is_repository, repository_parts
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.spec.converting.pixi_platforms import DEFAULTS
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.match_specs import match_spec_parts
from jupyter_envstore.spec.package_editing import conda_name, pip_name
from jupyter_envstore.spec.pip_lines import without_hashes
from jupyter_envstore.spec.platform_markers import marker_environment
from jupyter_envstore.spec.specification import PipOptions
from jupyter_envstore.spec.toml_text import toml_key, toml_list, toml_string, toml_table

SYSTEM = {"__glibc": "libc", "__linux": "linux", "__osx": "macos", "__cuda": "cuda"}
"""pixi's words for what a system is taken to have."""

Table = dict[str, str]
"""Package to what is asked of it, as TOML."""


def pixi_manifest_of(record: BuildRecord) -> str:
    """Return the ``pixi.toml`` of a record.

    A record that tells no requests, as one of a lockfile, gives the version and build of every package.
    """
    asked = _Asked(record)
    lines = ["[workspace]", f"name = {toml_string(record.name)}"]
    lines += [f"description = {toml_string(record.description)}"] if record.description else []
    lines += [f"channels = {toml_list(channels_of(record))}", f"platforms = {toml_list(sorted(record.platforms))}"]
    lines += ['channel-priority = "disabled"'] if record.channel_priority == "disabled" else []
    lines += _section("system-requirements", _system_requirements(record))
    if asked.any_pip:
        lines += _section("pypi-options", _pypi_options(record.pip_options))
    for platforms, tables in ((None, asked.everywhere), *asked.somewhere.items()):
        head = "" if platforms is None else f"target.{toml_key(platforms)}."
        lines += _section(f"{head}dependencies", tables.conda) + _section(f"{head}pypi-dependencies", tables.pip)
    if not asked.everywhere.conda:
        lines += ["", "[dependencies]"]
    lines += _section("activation.env", {name: toml_string(value) for name, value in record.variables.items()})
    told = [f"# left out: {what}" for what in asked.left_out]
    return "\n".join([*told, *lines]) + "\n"


@dataclass
class _Tables:
    """The packages that a platform, or each, is asked for."""

    conda: Table = field(default_factory=dict)
    pip: Table = field(default_factory=dict)


class _Asked:
    """What a record was asked for, by the platforms whose locks have it."""

    def __init__(self, record: BuildRecord) -> None:
        self.record = record
        self.everywhere = _Tables()
        self.somewhere: dict[str, _Tables] = defaultdict(_Tables)
        self.left_out: list[str] = []
        exact = not record.requested_conda and not record.requested_pip
        self._conda(_conda_requests(record.requested_conda), exact)
        self._pip(_pip_requests(record.requested_pip), exact)

    @property
    def any_pip(self) -> bool:
        return bool(self.everywhere.pip or any(tables.pip for tables in self.somewhere.values()))

    def _conda(self, requests: Mapping[str, list[str]], exact: bool) -> None:
        def pinned(_platform: str, lock: PlatformLock) -> Table:
            return {entry["name"]: _pinned(entry["version"], entry["build"]) for entry in lock.conda}

        def asked(_platform: str, lock: PlatformLock) -> Table:
            names = {entry["name"]: entry for entry in lock.conda}
            return {name: _conda_value(requests[name], names[name]) for name in requests if name in names}

        self._spread(pinned if exact else asked, lambda tables: tables.conda)
        self._tell_missing(requests, lambda lock: {entry["name"] for entry in lock.conda})

    def _pip(self, lines: Mapping[str, list[Requirement]], exact: bool) -> None:
        def asked(platform: str, lock: PlatformLock) -> Table:
            packages = {pip_name(package["name"]): package for package in lock.pip}
            if exact:
                return {name: _pip_value(package, []) for name, package in packages.items()}
            here = marker_environment(platform, lock.python or "3")
            holding = {
                name: [line for line in lines[name] if line.marker is None or line.marker.evaluate(here)]
                for name in lines
                if name in packages
            }
            return {name: _pip_value(packages[name], found) for name, found in holding.items() if found}

        self._spread(asked, lambda tables: tables.pip)
        self._tell_missing(lines, lambda lock: {pip_name(package["name"]) for package in lock.pip})

    def _spread(self, read: Callable[[str, PlatformLock], Table], part: Callable[[_Tables], Table]) -> None:
        """Put what all platforms have in the same words into one table, the rest into those of the platforms."""
        found = {platform: read(platform, lock) for platform, lock in sorted(self.record.platforms.items())}
        for name in dict.fromkeys(name for table in found.values() for name in table):
            values = [table.get(name) for table in found.values()]
            value = values[0]
            if value is not None and all(other == value for other in values):
                part(self.everywhere)[name] = value
                continue
            for platform, table in found.items():
                if name in table:
                    part(self.somewhere[platform])[name] = table[name]

    def _tell_missing(self, names: Iterable[str], of: Callable[[PlatformLock], set[str]]) -> None:
        there = {name for lock in self.record.platforms.values() for name in of(lock)}
        self.left_out += [f"{name}: no platform of the lock has it" for name in names if name not in there]


def _conda_requests(specs: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for spec in specs:
        found[conda_name(spec)].append(spec)
    return found


def _pip_requests(lines: Iterable[str]) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = defaultdict(list)
    for line in lines:
        found[pip_name(line)].append(Requirement(without_hashes(line)))
    return found


def _conda_value(specs: Iterable[str], entry: CondaEntry) -> str:
    """Return what several match specs ask of a package; the locked version and build where TOML cannot say it.

    A channel is written as the address that the package comes from: names mean others elsewhere.
    """
    pinned = _pinned(entry["version"], entry["build"])
    versions, builds, channels = [], set(), set()
    for spec in specs:
        channel, _, plain = spec.rpartition("::")
        if "[" in plain:
            return pinned
        _, version, build = match_spec_parts(spec)
        versions += [version] if version not in ("", "*") else []
        builds |= {build} if build not in ("", "*") else set()
        channels |= {entry["channel"].rstrip("/")} if channel else set()
    if len(builds) > 1 or (len(versions) > 1 and any("|" in version for version in versions)):
        return pinned
    version = ",".join(dict.fromkeys(versions)) or "*"
    more = dict([*(("build", build) for build in builds), *(("channel", channel) for channel in channels)])
    return toml_table({"version": version, **more}) if more else toml_string(version)


def _pinned(version: str, build: str) -> str:
    return toml_table({"version": f"=={version}", "build": build})


def _pip_value(package: PypiEntry, lines: Sequence[Requirement]) -> str:
    """Return what lines for pip ask of a package; without a line, the locked version."""
    if is_repository(package):
        url, commit, folder = repository_parts(package)
        return toml_table({"git": url, "rev": commit} | ({"subdirectory": folder} if folder else {}))
    if not lines:
        return toml_string(f"=={package['version']}")
    names = sorted({extra for line in lines for extra in line.extras})
    extras = {"extras": names} if names else {}
    if any(line.url for line in lines):
        return toml_table({"url": package["url"], **extras})
    version = ",".join(dict.fromkeys(str(line.specifier) for line in lines if line.specifier)) or "*"
    return toml_table({"version": version, **extras}) if extras else toml_string(version)


def _system_requirements(record: BuildRecord) -> Table:
    """Return what the system must have beyond what pixi takes every system to have, where a package needs it."""
    least: dict[str, tuple[int, ...]] = {}
    for platform, lock in record.platforms.items():
        usual = DEFAULTS.get(platform.partition("-")[0], {})
        for name, versions in least_versions(lock).items():
            word = SYSTEM.get(name)
            taken = usual.get("glibc" if word == "libc" else word or "", "0")
            if word is not None and max(versions) > tuple(map(int, taken.split("."))):
                least[word] = max(least.get(word, (0,)), *versions)
    shown = {word: ".".join(map(str, version)) for word, version in sorted(least.items())}
    return {
        word: toml_table({"family": "glibc", "version": version}) if word == "libc" else toml_string(version)
        for word, version in shown.items()
    }


def _pypi_options(options: PipOptions) -> Table:
    found: Table = {"index-url": toml_string(options.index_url)} if options.index_url else {}
    found |= {"extra-index-urls": toml_list(options.extra_index_urls)} if options.extra_index_urls else {}
    places = [toml_table(place) for place in link_places(options)]
    return found | ({"find-links": f"[{', '.join(places)}]"} if places else {})


def _section(name: str, values: Mapping[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{toml_key(key)} = {value}" for key, value in values.items())] if values else []
