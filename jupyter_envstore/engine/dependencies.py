"""Which packages of an environment need which others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jupyter_envstore.spec.lock_entries import CondaEntry


def dependencies(records: Sequence[CondaEntry]) -> dict[str, set[str]]:
    """Return of each conda package those among ``records`` that it needs directly."""
    names = {str(record["name"]) for record in records}
    return {
        str(record["name"]): {spec.split()[0] for spec in record.get("depends") or () if spec.split()} & names
        for record in records
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
