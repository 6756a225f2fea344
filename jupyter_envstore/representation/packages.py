"""Packages as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from jupyter_envstore.database.models import Package

PackageChange = TypedDict("PackageChange", {"change": str, "manager": str, "name": str, "from": str, "to": str})
"""What became of a package: ``added``, ``removed`` or ``changed``; ``from`` and ``to`` are versions with builds."""


def package_diff(before: Sequence[Package], after: Sequence[Package]) -> list[PackageChange]:
    """Return packages added, removed and changed, by name."""
    old = {(p.manager, p.name): p for p in before}
    new = {(p.manager, p.name): p for p in after}
    changes: list[PackageChange] = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1], key[0])):
        first, second = old.get(key), new.get(key)
        if first and second and (first.version, first.build) == (second.version, second.build):
            continue
        change = "added" if first is None else "removed" if second is None else "changed"
        changes.append(
            {
                "change": change,
                "manager": key[0],
                "name": key[1],
                "from": _version(first),
                "to": _version(second),
            }
        )
    return changes


def _version(package: Package | None) -> str:
    if package is None:
        return ""
    return f"{package.version} {package.build}".strip()
