"""Packages that are asked for and are in no channel: all of them at once, each with what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_envstore.engine.channels import redact
from jupyter_envstore.spec.origin import where_from
from jupyter_envstore.spec.package_editing import conda_name
from jupyter_envstore.spec.platform_packages import native_platforms

CLOSE_NAMES = 3
CLOSENESS = 0.75
"""Ratio of difflib from which a name may be a misspelling of another."""
BUILDS_NAMED = 3


@dataclass(frozen=True)
class Wanted:
    """A match spec as it was written, as rattler reads it, and the address of the channel that it names."""

    typed: str
    resolved: str
    channel: str | None = None

    @property
    def name(self) -> str:
        """The package's name, in lower case."""
        return conda_name(self.resolved)

    @property
    def without_channel(self) -> str:
        """What is asked of the package, wherever it comes from."""
        return self.resolved.rpartition("::")[2]


@dataclass(frozen=True)
class Absent:
    """A package that cannot be had: how it is called in the message, why, and likely names.

    With ``conflict`` there is one for each of its bounds, and none for all of them; the solver explains that better
    where nothing else stops it.
    """

    name: str
    shown: str
    reason: str
    close: tuple[str, ...] = ()
    channel: str | None = None
    conflict: bool = False

    def sentence(self, urls: Sequence[str]) -> str:
        """Return what is said of it; it begins with ``no package`` and the name, as the panel expects."""
        if self.conflict:
            return self.reason
        places = [self.channel] if self.channel else urls
        return f"no package {self.shown} in {', '.join(redact(url) for url in places)}; {self.reason}"


async def find_absent(wanted: Sequence[Wanted], urls: Sequence[str], platform: str, gateway: Any) -> list[Absent]:
    """Return what no channel has of what is asked for, in its order, and then bounds that exclude each other.

    The indexes are those that the gateway has read for the solve.
    """
    import rattler

    sources = [rattler.Channel(url) for url in urls]
    subdirs = [rattler.Subdir(platform), rattler.Subdir("noarch")]
    named = [one for one in wanted if one.name and not one.name.startswith("__") and _is_exact(one)]
    names = {found.normalized: found.source for found in await gateway.names(sources, subdirs)}
    there = [one for one in named if one.name in names]
    nothing = ""
    if len(there) < len(named) and not await gateway.names(sources, [rattler.Subdir(platform)]):
        nothing = f"the channel{' has' if len(urls) == 1 else 's have'} no package for {platform} at all"
    records: dict[str, list[Any]] = {}
    if there:
        specs = [rattler.MatchSpec(name) for name in dict.fromkeys(one.name for one in there)]
        for group in await gateway.query(sources, subdirs, specs, recursive=False):
            for record in group:
                records.setdefault(record.name.normalized, []).append(record)
    found: dict[str, Absent] = {}
    fitting: dict[str, list[Any]] = {}
    for one in named:
        known = records.get(one.name, [])
        fit = _fitting(one, known)
        if not known:
            absent = Absent(one.name, _shown(one), nothing) if nothing and one.name not in names else None
            found.setdefault(one.name, absent or _unknown(one.name, names, platform))
        elif not fit:
            found.setdefault(one.name, Absent(one.name, _shown(one), _no_version(one, known), channel=one.channel))
        both = [record for record in fitting.get(one.name, fit) if record in fit] if one.name in fitting else fit
        if fit and fitting.get(one.name) and not both:
            others = " and ".join(dict.fromkeys(other.typed for other in named if other.name == one.name))
            found.setdefault(one.name, Absent(one.name, one.name, f"{others} exclude each other", conflict=True))
        fitting[one.name] = both
    return sorted(found.values(), key=lambda absent: absent.conflict)


def _is_exact(one: Wanted) -> bool:
    return not any(sign in one.without_channel.split("[")[0].split(" ")[0] for sign in "^$")


def _fitting(one: Wanted, records: Sequence[Any]) -> list[Any]:
    import rattler

    spec = rattler.MatchSpec(one.without_channel)
    channel = one.channel.rstrip("/") if one.channel else None
    return [r for r in records if (channel is None or r.channel.rstrip("/") == channel) and spec.matches(r)]


def _shown(one: Wanted) -> str:
    bounds = one.typed.rpartition("::")[2].strip()[len(one.name) :].strip()
    return f"{one.name} {bounds}".strip()


def _unknown(name: str, names: dict[str, str], platform: str) -> Absent:
    """Say why a name is in no channel: the index writes it otherwise, another system has it, or it is misspelled."""
    written = names.get(name)
    if written is not None and written != name:
        rule = "names of conda packages are lower case (CEP 26); who keeps the channel must rename it"
        return Absent(name, name, f"the channel's index calls it {written}, which breaks the rule: {rule}")
    if written is not None:
        return Absent(name, name, f"there is none for {platform}")
    close = tuple(difflib.get_close_matches(name, names, CLOSE_NAMES, CLOSENESS))
    only = native_platforms(name)
    if only and platform not in only:
        return Absent(name, name, f"it is for {where_from(only, platform)} only: leave it out for {platform}", close)
    return Absent(name, name, f"did you mean {' or '.join(close)}?" if close else "check its name", close)


def _no_version(one: Wanted, known: Sequence[Any]) -> str:
    """Say what there is of a package whose bounds leave nothing."""
    import rattler

    if one.channel and not any(record.channel.rstrip("/") == one.channel.rstrip("/") for record in known):
        return "another channel has it; leave out the channel before its name"
    spec = rattler.MatchSpec(one.without_channel)
    version = f"{one.name} {spec.version}" if spec.version else one.name
    builds = list(dict.fromkeys(str(r.build) for r in known if rattler.MatchSpec(version).matches(r)))
    if builds and spec.build:
        more = ", …" if len(builds) > BUILDS_NAMED else ""
        return f"no build of that version is {spec.build}; there are {', '.join(builds[:BUILDS_NAMED])}{more}"
    newest = max(known, key=lambda record: record.version)
    return f"the newest there is {newest.version}"
