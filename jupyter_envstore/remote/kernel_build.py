"""What a store tells a server elsewhere of a build, for its kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict


class NamedKernel(TypedDict):
    """A kernel: the name that its package gives to it, how it is shown, its language."""

    name: str
    label: str
    language: str


class KernelBuildOptional(TypedDict, total=False):
    """The keys of :class:`KernelBuild` that stores of an older version do not tell."""

    active: bool


class KernelBuild(KernelBuildOptional):
    """A build for a server elsewhere; ``prefix`` where other accounts may read it, ``kernels`` as known."""

    environment_id: int
    namespace: str
    environment: str
    build_id: int
    number: int
    record: str
    prefix: str | None
    kernels: list[NamedKernel]


def mounted_prefix(row: KernelBuild) -> Path | None:
    """Return the prefix of a build where the files of its store are mounted and may be read; else None."""
    told: object = row["prefix"]
    if not isinstance(told, str) or not told.startswith("/"):
        return None
    prefix = Path(told)
    try:
        return prefix if (prefix / "conda-meta").is_dir() else None
    except (OSError, ValueError):  # a folder above it is closed; or it is no path
        return None
