"""Values that the use cases give and take."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from jupyter_envstore.representation.conda_store_types import TokenJson

if TYPE_CHECKING:
    from jupyter_envstore.engine.record import BuildRecord
    from jupyter_envstore.images.record_artifact import RecordArtifact
    from jupyter_envstore.images.reference import Reference
    from jupyter_envstore.spec.address_reach import Reach

LISTED = ("lockfile", "explicit")
"""Artifacts that name the addresses of packages."""


class SharedEnvironment(TypedDict):
    """What whoever has a share link is told of its environment: its active build, where it has one."""

    namespace: str
    name: str
    description: str
    shared_by: str
    build_id: int | None
    build_number: int | None
    built_on: str | None


@dataclass(frozen=True)
class BuildRef:
    """Where a build is found: names, its number in the environment, its id; and what settings changed, in words.

    ``is_new`` is false where it was asked for, and was there already.
    """

    namespace: str
    name: str
    number: int
    id: int
    notes: tuple[str, ...] = ()
    is_new: bool = True

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}:{self.number}"


@dataclass(frozen=True)
class RecordUse:
    """How a build record from elsewhere becomes a build.

    Parameters
    ----------
    later : bool
        Whether nothing is downloaded now: the build is there at once, without files; its kernel brings them when it is
        started, as ``restore`` does.
    is_new : bool
        Whether the environment must be new; else the build comes behind those that it has, and one of them that has
        the record already stays alone.
    is_active : bool
        Whether a build without files becomes the active one.
    text : str
        The specification as it was typed; empty where only the record tells what was asked for.
    """

    later: bool = False
    is_new: bool = True
    is_active: bool = True
    text: str = ""


NEW_ENVIRONMENT = RecordUse()


@dataclass(frozen=True)
class MovedBuild:
    """What another store tells of a build that comes from it.

    Parameters
    ----------
    built_on : str
        The day on which it was built there (ISO 8601).
    later : bool
        Whether nothing is downloaded now.
    is_active : bool
        Whether it is the active one of its environment.
    text : str
        The specification as it was typed; empty where that is not told.
    """

    built_on: str
    later: bool = True
    is_active: bool = False
    text: str = ""


@dataclass(frozen=True)
class CheckedSpecification:
    """The hash of a specification as the settings of its place want it, and what these changed, in words."""

    sha256: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PulledRecord:
    """A build record that was fetched from a registry, how the registry has it, and where it was asked for."""

    record: BuildRecord
    artifact: RecordArtifact
    source: Reference


@dataclass(frozen=True)
class LogMark:
    """How much of a log was seen: the last piece, the blob before it, and bytes in all."""

    chunk: int = 0
    digest: str | None = None
    seen: int = 0


@dataclass(frozen=True)
class Document:
    """A text that is sent, its media type, and its SHA-256."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The SHA-256."""
        return hashlib.sha256(self.data).hexdigest()


class NamespaceName(TypedDict):
    """A namespace in a listing."""

    id: int
    name: str


class NamespaceMapping(TypedDict):
    """The role that the user of another namespace has in this one."""

    id: int
    namespace: str
    other_namespace: str
    role: str


class AuditEntry(TypedDict):
    """Who did what and when (ISO 8601, UTC); what ``detail`` has depends on ``verb``."""

    id: int
    at: str | None
    who: str
    verb: str
    subject: str
    detail: Mapping[str, object]


class ChangedEnvironment(TypedDict):
    """An environment in which something changed."""

    id: int
    namespace: str
    name: str
    deleted: bool


class ChangedBuild(TypedDict):
    """A build that changed."""

    id: int
    environment_id: int
    status: str | None


class ChangedThings(TypedDict):
    """What changed up to a ``revision``; ``reset`` says that not all of it is known any more."""

    revision: int
    reset: bool
    environments: list[ChangedEnvironment]
    builds: list[ChangedBuild]


class FollowedThings(ChangedThings):
    """What changed, and the ids of builds that went on."""

    progress: list[int]


class DiskSpace(TypedDict):
    """Bytes of the store's disk, and whether there is too little to build anything."""

    free: int
    total: int
    low: bool


class ImageState(TypedDict):
    """How an image stands, and the status of its build with the reason."""

    state: str
    digest: str | None
    reason: str
    build: str
    why: str


class SourceView(TypedDict):
    """Where a package would come from (:class:`~jupyter_envstore.engine.availability.PackageSource`)."""

    name: str
    manager: str
    filename: str
    place: str
    detail: str


class RestoreSources(TypedDict):
    """Where the packages of a build would come from, and the files that are to be had nowhere.

    ``not_looked_for`` are the packages that constructor's installers bring beside it, which are never kept.
    """

    missing: list[str]
    packages: list[SourceView]
    not_looked_for: list[str]


class ShareLink(TokenJson):
    """A link that shares an environment: its ``reach`` is that of the server's address."""

    link: str
    reach: Reach


class ChannelOptional(TypedDict, total=False):
    """The keys of :class:`ChannelPackage` that a name alone does not have."""

    build_number: int | None
    subdir: str
    license: str | None
    depends: list[str] | None


class ChannelPackage(ChannelOptional):
    """A package of a channel, ``size`` in bytes; or a name that a pattern matches, and all else is empty."""

    name: str
    version: str
    build: str
    channel: str
    size: int
