"""What columns of JSON hold, what rows are made of, and what listings return that is no row."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict


class OptionValues(TypedDict, total=False):
    """The choices of a build (:class:`~jupyter_envstore.builds.options.BuildOptions`)."""

    exclude_newer: str
    virtual_packages: list[str]
    all_platforms: bool
    notes: list[str]
    warnings: list[str]


class OptionalPackageValues(TypedDict, total=False):
    """The keys of :class:`PackageValues` that packages of PyPI do not have."""

    subdir: str
    license: str


class PackageValues(OptionalPackageValues):
    """A package of a build; ``size`` in bytes."""

    manager: str
    name: str
    version: str
    build: str
    channel: str
    size: int


class OptionalTokenValues(TypedDict, total=False):
    """The keys of :class:`TokenValues` that may be missing."""

    kind: str
    environment_id: int


class TokenValues(OptionalTokenValues):
    """A token; ``prefix`` is how its text begins."""

    name: str
    hash: str
    prefix: str
    username: str
    primary_namespace: str
    role_bindings: dict[str, list[str]]
    expires_on: datetime | None
    groups: list[str]
    made_with: int | None
    configured_hash: str | None


class FoundVersion(TypedDict):
    """A package of a build that a filter's names mean."""

    name: str
    version: str


class StoredBytes(TypedDict):
    """Bytes of prefixes (their own part) and of blobs."""

    prefixes: int
    blobs: int


class Statistics(TypedDict):
    """The store's numbers.

    Builds by status; jobs by state; of those that run, executor, host and number; status and seconds of each build that
    ended.
    """

    builds: dict[str, int]
    jobs: dict[str, int]
    running: list[tuple[str, str, int]]
    environments: int
    bytes: StoredBytes
    ended: list[tuple[str, float]]
