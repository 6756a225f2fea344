"""The oldest system that the packages of a lock run on, by the bounds of conda packages on virtual packages."""

from __future__ import annotations

import re

from jupyter_envstore.engine.record import PlatformLock

LEAST = re.compile(r"(__[a-z]+) *>=(\d+(?:\.\d+)*)")


def least_versions(lock: PlatformLock) -> dict[str, list[tuple[int, ...]]]:
    """Return the lower bounds that packages have on each virtual package, such as ``__glibc``."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for record in lock.conda:
        for need in (*(record.get("depends") or ()), *(record.get("constrains") or ())):
            if match := LEAST.match(need):
                found.setdefault(match[1], []).append(tuple(map(int, match[2].split("."))))
    return found
