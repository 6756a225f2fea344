"""From where the addresses in an artifact can be reached: a lockfile of a local channel is of use on its machine alone.

Told of the artifacts that are lists of addresses; the others hold the packages themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jupyter_envstore.spec.address_reach import Reach, worst_reach
from jupyter_envstore.spec.package_editing import pip_name

if TYPE_CHECKING:
    from jupyter_envstore.engine.record import BuildRecord, PlatformLock

REACH = "reach"
"""Among an artifact's tools, where it was noted when it was made."""
LISTS = ("yaml", "lockfile", "explicit")
"""Artifacts that name addresses instead of holding packages."""
WORDS: Mapping[str, str] = {
    "anywhere": "",
    "private": "works within its network alone; for others: archive or installer",
    "here": "works on this machine alone; for others: archive or installer",
}
"""What people are told of each."""


def reach_of_artifact(kind: str, record: BuildRecord, platform: str) -> Reach | None:
    """Return from where what an artifact names can be had; None for an artifact that names nothing."""
    if kind == "yaml":
        return worst_reach(_of_yaml(record, record.lock(platform)))
    if kind == "explicit":
        return worst_reach(_of_packages([record.lock(platform)]))
    if kind == "lockfile":
        return worst_reach(_of_packages(record.platforms.values()))
    return None


def known_reach(kind: str, tools: Mapping[str, str], channels: Iterable[str]) -> str:
    """Return the reach of an artifact by what was noted of it; of one that is not made, by its build's channels."""
    if kind not in LISTS:
        return "anywhere"
    return tools.get(REACH) or worst_reach(channel for channel in channels if "://" in channel)


def _of_yaml(record: BuildRecord, lock: PlatformLock) -> Iterable[str]:
    yield from record.channels
    yield from (entry["channel"] for entry in lock.conda)
    if lock.pip:
        options = record.pip_options
        yield from filter(None, (options.index_url, *options.extra_index_urls, *options.find_links))
    given = {pip_name(line) for line in record.requested_pip if "@" in line}
    yield from (package["url"] for package in lock.pip if pip_name(package["name"]) in given)


def _of_packages(locks: Iterable[PlatformLock]) -> Iterable[str]:
    for lock in locks:
        yield from (entry["url"] for entry in (*lock.conda, *lock.pip))
