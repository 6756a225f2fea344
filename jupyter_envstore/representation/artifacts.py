"""Artifacts as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from jupyter_envstore.artifacts.artifact_reach import REACH, known_reach
from jupyter_envstore.policy.artifact_kinds import artifact_kinds
from jupyter_envstore.representation.moments import time_json

if TYPE_CHECKING:
    from jupyter_envstore.database.builds import BuildRow, PackageSource
    from jupyter_envstore.database.models import Artifact


class ArtifactView(TypedDict):
    """An artifact: ``size`` in bytes, ``duration`` in seconds, ``tools`` with their versions."""

    id: int
    type: str
    title: str
    variant: str
    state: str
    size: int
    sha256: str | None
    duration: float | None
    reason: str
    file_name: str
    media_type: str
    tools: dict[str, str]
    reach: str
    made_on: str | None


def artifact_view(artifact: Artifact, row: BuildRow, sources: Sequence[PackageSource]) -> ArtifactView:
    """Return an artifact of a build whose packages come from ``sources``; ``size`` in bytes, ``duration`` in s."""
    from jupyter_envstore.artifacts.base import MADE_AS, find_maker  # makers are not needed to start the server

    kind = artifact_kinds().get(artifact.type)
    maker = find_maker(artifact.type) if kind else None
    variant = artifact.tools.get(MADE_AS, artifact.variant)
    name = maker.file_name(row.environment.name, row.build.platform, variant) if maker else artifact.type
    return {
        "id": artifact.id,
        "type": artifact.type,
        "title": kind.title if kind else artifact.type,
        "variant": artifact.variant,
        "state": artifact.state,
        "size": artifact.size,
        "sha256": artifact.digest,
        "duration": artifact.duration,
        "reason": artifact.reason,
        "file_name": name,
        "media_type": maker.media_type(variant) if maker else "application/octet-stream",
        "tools": {tool: version for tool, version in artifact.tools.items() if tool != REACH},
        "reach": known_reach(artifact.type, artifact.tools, sources),
        "made_on": time_json(artifact.made_on),
    }
