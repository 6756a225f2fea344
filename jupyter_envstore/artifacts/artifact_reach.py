"""From where the addresses in an artifact can be reached: a lockfile of a local channel is of use on its machine alone.

Told of the artifacts that are lists of addresses; the others hold the packages themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from jupyter_envstore.policy.artifact_kinds import artifact_kinds
from jupyter_envstore.spec.address_reach import Reach, worst_reach
from jupyter_envstore.spec.package_editing import pip_name

if TYPE_CHECKING:
    from jupyter_envstore.database.builds import PackageSource
    from jupyter_envstore.engine.record import BuildRecord

REACH = "reach"
"""Among an artifact's tools, where it was noted when it was made."""
WORDS: Mapping[str, str] = {
    "anywhere": "",
    "private": "works within its network alone; for others: archive or installer",
    "here": "works on this machine alone; for others: archive or installer",
}
"""What people are told of each."""


def reach_of_artifact(kind: str, record: BuildRecord, platform: str) -> Reach | None:
    """Return from where what an artifact names can be had; None for an artifact that names nothing."""
    addresses = LISTS.get(kind)
    return None if addresses is None else worst_reach(addresses(record, platform))


def known_reach(kind: str, tools: Mapping[str, str], sources: Iterable[PackageSource]) -> str:
    """Return the reach of an artifact by what was noted of it; of one that is not made, by its packages' sources."""
    if kind not in LISTS:
        return "anywhere"
    manager = artifact_kinds()[kind].manager
    places = (source.channel for source in sources if manager in ("", source.manager))
    return tools.get(REACH) or worst_reach(place for place in places if "://" in place)


def _of_yaml(record: BuildRecord, platform: str) -> Iterable[str]:
    lock = record.lock(platform)
    yield from record.channels
    yield from (entry["channel"] for entry in lock.conda)
    if lock.pip:
        options = record.pip_options
        yield from filter(None, (options.index_url, *options.extra_index_urls, *options.find_links))
    yield from (package["url"] for package in lock.pip if pip_name(package["name"]) in record.pip_by_address)


def _of_explicit(record: BuildRecord, platform: str) -> Iterable[str]:
    lock = record.lock(platform)
    yield from (entry["url"] for entry in (*lock.conda, *lock.pip))


def _of_lockfile(record: BuildRecord, platform: str) -> Iterable[str]:
    for each in record.platforms:
        yield from _of_explicit(record, each)


def _of_pixi(record: BuildRecord, platform: str) -> Iterable[str]:
    yield from record.channels
    yield from _of_lockfile(record, platform)


def _of_pylock(record: BuildRecord, platform: str) -> Iterable[str]:
    yield from (package["url"] for package in record.lock(platform).pip)


LISTS: Mapping[str, Callable[[BuildRecord, str], Iterable[str]]] = {
    "yaml": _of_yaml,
    "lockfile": _of_lockfile,
    "explicit": _of_explicit,
    "pixi": _of_pixi,
    "pylock": _of_pylock,
    "requirements": _of_pylock,
}
"""Artifacts that name addresses instead of holding packages, and the addresses that each of them names."""
