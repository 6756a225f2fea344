"""Which packages of an environment need which others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jupyter_envstore.engine.record import PlatformLock


def dependencies(lock: PlatformLock) -> dict[str, set[str]]:
    """Return of each conda package those of the environment that it needs directly."""
    names = {record["name"] for record in lock.conda}
    return {
        record["name"]: {spec.split()[0] for spec in record.get("depends", ()) if spec.split()} & names
        for record in lock.conda
    }


def with_dependencies(names: Iterable[str], needs: Mapping[str, set[str]]) -> set[str]:
    """Return packages and all that they need, directly or not."""
    seen = set(names)
    queue = list(seen)
    while queue:
        for other in needs[queue.pop()] - seen:
            seen.add(other)
            queue.append(other)
    return seen
