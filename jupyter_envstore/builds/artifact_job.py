"""The job that makes an artifact of a build, by the maker that is registered for its kind."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from jupyter_envstore import policy
from jupyter_envstore.artifacts.artifact_reach import REACH, reach_of_artifact
from jupyter_envstore.artifacts.base import ArtifactRequest, find_kind, find_maker, made_for
from jupyter_envstore.blobs.interface import StoredBlob
from jupyter_envstore.builds.artifact_parts import StoredParts
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.blob_references import artifact_owner, owned_blob, products_owner, refer
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Artifact, Change
from jupyter_envstore.database.states import READY
from jupyter_envstore.engine.bytecode import bytecode_folder


def run_artifact(workspace: Workspace) -> None:
    """Make the artifact that the job is for, into the store."""
    parts = StoredParts(workspace.database, workspace.blobs)
    artifact, request = _request(workspace, parts)
    started = time.monotonic()
    with workspace.step(f"artifact-{artifact.type}", f"Make {find_kind(artifact.type).title}"):
        with workspace.blobs.create() as blob:
            tools = find_maker(artifact.type).make(request, blob)
        made = _Made(blob.result(), tools | _made_with(artifact, request), round(time.monotonic() - started, 3))
        _keep(workspace, artifact, made, parts)


@dataclass(frozen=True)
class _Made:
    """What came of making.

    Parameters
    ----------
    tools : dict
        Versions of what made it, and what it was made for.
    seconds : float
        How long that took.
    """

    blob: StoredBlob
    tools: dict[str, str]
    seconds: float


def _request(workspace: Workspace, parts: StoredParts) -> tuple[Artifact, ArtifactRequest]:
    with workspace.database.read() as session:
        artifact = session.get_one(Artifact, workspace.claim.artifact_id)
        row = rows.find_build(session, artifact.build_id)
        scopes = settings_rows.scope_settings(session, row.namespace.id, row.environment.id)
        products = owned_blob(session, products_owner(artifact.build_id))
    return artifact, ArtifactRequest(
        record=workspace.read_record(row.build),
        platform=row.build.platform,
        variant=artifact.variant,
        config=workspace.config,
        blobs=workspace.blobs,
        staging=workspace.temporary(f"artifact-{uuid.uuid4().hex[:8]}"),
        progress=workspace,
        sandbox=workspace.sandbox,
        bytecode=bytecode_folder(workspace.config.packages, workspace.sandbox, row.namespace.id),
        parts=parts,
        settings=policy.effective([workspace.config.settings, *scopes]),
        products=None if products is None else workspace.blobs.local_file(products),
        name=row.environment.name,
    )


def _made_with(artifact: Artifact, request: ArtifactRequest) -> dict[str, str]:
    """Return the settings that the artifact was made for, and from where its packages can be had."""
    settings = made_for(artifact.type, request.settings)
    reach = reach_of_artifact(artifact.type, request.record, artifact.variant or request.platform)
    return ({"settings": settings} if settings else {}) | ({REACH: reach} if reach else {})


def _keep(workspace: Workspace, artifact: Artifact, made: _Made, parts: StoredParts) -> None:
    confirmed = workspace.confirmed(made.blob.digest, *parts.digests)
    with workspace.claim.write(workspace.database) as session:
        rows.find_build(session, artifact.build_id)  # it may have been deleted meanwhile
        row = session.get_one(Artifact, artifact.id)
        refer(session, confirmed, made.blob, artifact_owner(artifact.id))
        parts.refer(session, confirmed, artifact.id)
        row.state, row.reason, row.digest = READY, "", made.blob.digest
        row.size = parts.size or made.blob.size
        row.tools = made.tools
        row.duration, row.made_on = made.seconds, now()
        session.add(Change(kind="artifact", subject_id=row.id, at=now()))
