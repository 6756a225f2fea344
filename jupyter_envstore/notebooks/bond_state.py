"""What a store can do for a notebook that remembers its environment: the keys of the answer's JSON."""

from __future__ import annotations

from typing import TypedDict

from jupyter_envstore.notebooks.bond import Bond, EmbeddedLock


class FoundBuild(TypedDict):
    """A build of this store: ``number`` counts within the environment, ``build_id`` within the store."""

    build_id: int
    number: int
    namespace: str
    environment: str
    active: bool
    packed_away: bool
    record: str


class LockState(TypedDict):
    """What can be done with the lock that is in the notebook.

    ``refused`` says why it cannot be built here; empty where it can. ``damaged`` says that it is not the lock of the
    notebook's build, so that another store may have that. ``fits`` is false where it is not for this
    platform. ``packages`` are counted for this platform, and ``size`` is what would be downloaded, in bytes.
    ``places`` are addresses that packages come from which the store's settings do not name: they are shown before
    anything is downloaded. ``sources`` are the PyPI packages that are built from source again.
    """

    refused: str
    damaged: bool
    fits: bool
    packages: int
    size: int
    places: list[str]
    sources: list[str]


class FittingEnvironment(TypedDict):
    """An environment that could be used instead, and which requests of the notebook it does not satisfy."""

    namespace: str
    name: str
    unmet: list[str]


class StoreFailure(TypedDict):
    """A store elsewhere that was asked for a build, and why it could not tell."""

    store: str
    reason: str


class FoundElsewhere(TypedDict):
    """A build of a store elsewhere, and what can be done with its lock here. ``store`` is the address of that store."""

    store: str
    namespace: str
    environment: str
    number: int
    lock: LockState


class Elsewhere(TypedDict):
    """What stores elsewhere say about the build of a notebook."""

    found: FoundElsewhere | None
    failed: list[StoreFailure]


class RecordedBuilds(TypedDict):
    """The builds of this store that have a build record, and the record as notebooks hold it, if it was asked for."""

    builds: list[FoundBuild]
    lock: EmbeddedLock | None


class BondState(TypedDict):
    """What is known here of the environment of a notebook.

    ``builds`` have the notebook's record, the one of the same name first. ``named`` is the active build of the
    environment with the name in the notebook; None where there is none. ``deleted`` says that this environment had the
    build, was deleted minutes ago, and can be brought back. ``namespace`` and ``environment`` are where
    the environment would be made. ``specification`` is what was asked for, as an ``environment.yml``; empty where the
    notebook does not tell it. ``asked`` is an active build that was made from exactly that. ``fitting`` satisfy most,
    the best first.
    """

    bond: Bond
    platform: str
    builds: list[FoundBuild]
    named: FoundBuild | None
    deleted: bool
    lock: LockState | None
    namespace: str
    environment: str
    specification: str
    asked: FoundBuild | None
    fitting: list[FittingEnvironment]
