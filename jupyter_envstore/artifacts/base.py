"""What an artifact is: a function of the build record that writes a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.sandbox import Sandbox
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import ArtifactError, InvalidInputError
from jupyter_envstore.images.oci import LayerCache
from jupyter_envstore.policy.artifact_kinds import ArtifactKind, artifact_kinds
from jupyter_envstore.policy.setting_values import SettingValues


class Parts(LayerCache, Protocol):
    """The blobs that an artifact consists of beside its own file, such as the layers of an image."""

    blobs: BlobStore

    def keep(self, digest: str, size: int) -> None:
        """Note that the artifact needs a blob: it stays as long as the artifact does."""


@dataclass(frozen=True)
class ArtifactRequest:
    """What a maker is given.

    Parameters
    ----------
    record : BuildRecord
        What to make it of.
    platform : str
        The platform that the build ran on.
    variant : str
        Which one of several; the maker says what it means (a platform, a format). Empty for the usual one.
    config : StoreConfig
        Where the caches are.
    blobs : BlobStore
        Files that the store keeps: wheels built here, kept packages.
    staging : Path
        A folder that does not exist yet, for what is not finished; it is removed afterwards.
    progress : Progress
        Told what happens.
    sandbox : Sandbox
        Where code of packages runs.
    bytecode : Path
        Where byte code is kept that the environment shares with others.
    parts : Parts
        For what the artifact consists of beside its own file.
    settings : mapping
        The settings that hold for the environment.
    products : Path or None
        What scripts of packages did when the build was made.
    name : str
        The name of the environment; that in the record may be older, where it was made elsewhere.
    """

    record: BuildRecord
    platform: str
    variant: str
    config: StoreConfig
    blobs: BlobStore
    staging: Path
    progress: Progress
    sandbox: Sandbox
    bytecode: Path
    parts: Parts
    settings: SettingValues
    products: Path | None = None
    name: str = ""

    @property
    def named_record(self) -> BuildRecord:
        """The record under the environment's name; its hash is not that of the record then."""
        return replace(self.record, name=self.name or self.record.name)


class ArtifactMaker(Protocol):
    """Makes one type of artifact. The same record and the same tool versions give the same bytes."""

    def check_variant(self, variant: str) -> None:
        """Refuse a variant that cannot be made at all, with :class:`InvalidInputError`."""

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """Return the name of the file for an environment ``name`` built on ``platform``."""

    def media_type(self, variant: str) -> str:
        """Return the media type."""

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write the artifact; return the versions of the tools that made it."""


MADE_AS = "made as"
"""Among an artifact's tools: the variant that a setting made of the one that was asked for; its file is named so."""


def made_for(kind: str, settings: SettingValues) -> str:
    """Return what an artifact depends on beside the record: a hash of the settings that its kind names, if any.

    Raises
    ------
    ArtifactError
        Its kind names a setting that does not exist.
    """
    names = find_kind(kind).settings
    if not names:
        return ""
    unknown = sorted(set(names) - set(settings))
    if unknown:
        msg = f"artifact {kind}: the package that adds it names settings that do not exist: {', '.join(unknown)}"
        raise ArtifactError(msg)
    text = json.dumps({name: value for name, value in settings.items() if name in names}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def find_kind(name: str) -> ArtifactKind:
    """Return a kind of artifact.

    Raises
    ------
    InvalidInputError
        There is none of this name; the message lists those that there are.
    """
    found = artifact_kinds().get(name)
    if found is None:
        msg = f"there is no artifact {name[:60]!r}; known: {', '.join(artifact_kinds())}"
        raise InvalidInputError(msg)
    return found


def find_maker(name: str) -> ArtifactMaker:
    """Return the maker of a kind of artifact.

    Raises
    ------
    InvalidInputError
        There is no such kind.
    ArtifactError
        The package that declares it does not have the maker that it names.
    """
    return _load(find_kind(name))


@cache
def _load(kind: ArtifactKind) -> ArtifactMaker:
    module, _, name = kind.maker.partition(":")
    try:
        made: ArtifactMaker = getattr(import_module(module), name)()
    except (ImportError, AttributeError) as error:
        msg = f"the maker of artifact {kind.name}, {kind.maker}, cannot be loaded: {error}"
        raise ArtifactError(msg) from error
    return made


def version_of(distribution: str) -> str:
    """Return the version of an installed package."""
    from importlib.metadata import version

    return version(distribution)
