"""The registry of artifacts: each kind is declared once, here or by another package."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

GROUP = "jupyter_envstore.artifact_kinds"
"""Entry points of other packages: each is an :class:`ArtifactKind`."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
WIRE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
MAKER = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArtifactKind:
    """A kind of artifact: what settings, API, command line and panel know of it.

    Parameters
    ----------
    name : str
        Name in commands, settings and the API: small letters, digits, hyphens; at most 32.
    wire_name : str
        Name in the API of conda-store: capital letters, digits, underscores; at most 32.
    title : str
        What people call it, in the middle of a sentence.
    maker : str
        ``module:Class`` of its :class:`~jupyter_envstore.artifacts.base.ArtifactMaker`.
    at_once : bool
        Whether it is made without being asked for, where no setting says otherwise.
    small : bool
        Whether it stays when a build is packed away.
    settings : tuple of str
        Names of the settings that the artifact depends on beside the build record.
    listed : bool
        Whether clients of conda-store are told of it.
    text : bool
        Whether a browser shows it, instead of saving it as a file.
    manager : str
        ``conda`` or ``pip``, where it is of the packages of this manager alone: a build without such packages has none.

    Raises
    ------
    ValueError
        A name has another form.
    """

    name: str
    wire_name: str
    title: str
    maker: str
    at_once: bool = False
    small: bool = False
    settings: tuple[str, ...] = ()
    listed: bool = True
    text: bool = False
    manager: Literal["", "conda", "pip"] = ""

    def __post_init__(self) -> None:
        for value, form in ((self.name, NAME), (self.wire_name, WIRE_NAME), (self.maker, MAKER)):
            if not form.fullmatch(value):
                msg = f"artifact kind {self.name!r}: {value!r} does not match {form.pattern}"
                raise ValueError(msg)


INSTALLER_SETTINGS = (
    "installer_maker",
    "installer_extras",
    "installer_pkg",
    "installer_company",
    "installer_license",
)
BUILT_IN = (
    ArtifactKind("yaml", "YAML", "pinned YAML", "jupyter_envstore.artifacts.yaml:PinnedYaml", True, True, text=True),
    ArtifactKind(
        "lockfile", "LOCKFILE", "lockfile", "jupyter_envstore.artifacts.lockfile:Lockfile", True, True, text=True
    ),
    ArtifactKind(
        "explicit",
        "EXPLICIT",
        "explicit list",
        "jupyter_envstore.artifacts.explicit:ExplicitList",
        at_once=True,
        small=True,
        listed=False,  # clients of conda-store do not know it
        text=True,
    ),
    ArtifactKind("archive", "CONDA_PACK", "archive", "jupyter_envstore.artifacts.archive:Archive", at_once=True),
    ArtifactKind("docker", "DOCKER_MANIFEST", "Docker image", "jupyter_envstore.artifacts.docker:DockerImage"),
    ArtifactKind(
        "installer",
        "CONSTRUCTOR_INSTALLER",
        "installer",
        "jupyter_envstore.artifacts.installer:Installer",
        settings=INSTALLER_SETTINGS,
    ),
    ArtifactKind(
        "pixi", "PIXI", "pixi workspace", "jupyter_envstore.artifacts.pixi:PixiWorkspace", small=True, listed=False
    ),
    ArtifactKind(
        "pylock",
        "PYLOCK",
        "pylock.toml",
        "jupyter_envstore.artifacts.pylock:Pylock",
        small=True,
        listed=False,
        text=True,
        manager="pip",
    ),
    ArtifactKind(
        "requirements",
        "REQUIREMENTS",
        "requirements.txt",
        "jupyter_envstore.artifacts.requirements:Requirements",
        small=True,
        listed=False,
        text=True,
        manager="pip",
    ),
    ArtifactKind(
        "sbom",
        "SBOM",
        "software bill of materials",
        "jupyter_envstore.artifacts.sbom:Sbom",
        small=True,
        listed=False,
        text=True,
    ),
)


@cache
def artifact_kinds() -> Mapping[str, ArtifactKind]:
    """Return all kinds by name: those of this package, then those of others, by name.

    A kind that cannot be loaded, or takes a name that is taken, is left out; the log tells.
    """
    found = {kind.name: kind for kind in BUILT_IN}
    wire_names = {kind.wire_name for kind in BUILT_IN} | {"LOGS", "DIRECTORY"}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            kind = point.load()
        except Exception as error:  # what one package brings must not take the others away
            log.error("the artifact kind %s (%s) cannot be loaded: %r; it is left out", point.name, point.value, error)
            continue
        if not isinstance(kind, ArtifactKind):
            log.error("%s is not an ArtifactKind; it is left out", point.value)
        elif kind.name in found or kind.wire_name in wire_names:
            log.error("the artifact kind %s (%s) takes a name that is taken; it is left out", kind.name, point.value)
        else:
            found[kind.name] = kind
            wire_names.add(kind.wire_name)
    return found


def artifact_name(text: str) -> str:
    """Return the name of an artifact kind that is spelled either way; another text as it is."""
    by_wire = {kind.wire_name: kind.name for kind in artifact_kinds().values()} | {"LOGS": "logs"}
    return by_wire.get(text, text)


def small_kinds() -> tuple[str, ...]:
    """Return the names of artifacts that stay when a build is packed away."""
    return tuple(kind.name for kind in artifact_kinds().values() if kind.small)
