"""Queries about images: layers that were made before, and what a repository holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, String, bindparam, case, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.blob_references import parts_owner
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Artifact, BlobReference, Build, Environment, Namespace, StoredLayer
from jupyter_envstore.database.states import COMPLETED, READY, UNSETTLED

DOCKER = "docker"


def find_layers(session: Session, keys: Iterable[str]) -> dict[str, StoredLayer]:
    """Return layers by their keys; those whose files were collected are forgotten."""
    rows = session.scalars(select(StoredLayer).where(StoredLayer.key.in_(list(keys))))
    return {row.key: row for row in rows}


def remember_layers(session: Session, layers: Mapping[str, tuple[str, str, int]]) -> None:
    """Note layers by their keys: digest, digest of the plain tar file, bytes."""
    session.execute(delete(StoredLayer).where(StoredLayer.key.in_(layers)))
    session.add_all(
        StoredLayer(key=key, digest=digest, diff_id=diff_id, size=size, created_on=now())
        for key, (digest, diff_id, size) in layers.items()
    )


def forget_layers(session: Session, digest: str) -> None:
    """Forget that a blob is a layer."""
    session.execute(delete(StoredLayer).where(StoredLayer.digest == digest))


_OWNER = literal("artifact:", String) + Artifact.id.cast(String)
_HAS_BLOB = (
    select(Artifact.id)
    .join(Build, Build.id == Artifact.build_id)
    .join(Environment, Environment.id == Build.environment_id)
    .join(Namespace, Namespace.id == Environment.namespace_id)
    .join(BlobReference, or_(BlobReference.owner == _OWNER, BlobReference.owner == _OWNER + ":parts"))
    .where(
        Namespace.name == bindparam("namespace"),
        Namespace.deleted_on.is_(None),
        Environment.name == bindparam("name"),
        Environment.deleted_on.is_(None),
        Build.deleted_on.is_(None),
        Artifact.type == DOCKER,
        Artifact.state == READY,
        BlobReference.digest == bindparam("digest"),
    )
    .limit(1)
)


_BUILD_HAS_BLOB = _HAS_BLOB.where(Build.id == bindparam("build"))


def environment_has_blob(session: Session, namespace: str, name: str, digest: str, only: int | None = None) -> bool:
    """Whether a ready image of an environment (or that of one build) consists of a blob, its manifest included."""
    names = {"namespace": namespace, "name": name, "digest": digest}
    if only is None:
        return session.scalars(_HAS_BLOB, names).first() is not None
    return session.scalars(_BUILD_HAS_BLOB, {**names, "build": only}).first() is not None


def parts_of(session: Session, artifact_id: int) -> list[str]:
    """Return the digests of what an artifact consists of beside its own file."""
    return list(session.scalars(select(BlobReference.digest).where(BlobReference.owner == parts_owner(artifact_id))))


def build_of_manifest(session: Session, environment_id: int, digest: str, only: int | None = None) -> int | None:
    """Return the newest build of an environment whose ready image has a manifest; with ``only``, none but this one."""
    query = (
        select(Build.id)
        .join(Artifact, Artifact.build_id == Build.id)
        .where(
            Build.environment_id == environment_id,
            Build.deleted_on.is_(None),
            Artifact.type == DOCKER,
            Artifact.state == READY,
            Artifact.digest == digest,
            *(() if only is None else (Build.id == only,)),
        )
        .order_by(Build.id.desc())
    )
    return session.scalars(query.limit(1)).first()


def _completed(environment_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return conditions: a completed build of an environment, which was not deleted."""
    return Build.environment_id == environment_id, Build.status == COMPLETED, Build.deleted_on.is_(None)


def tagged_build(session: Session, environment_id: int, key: str | None) -> int | None:
    """Return the id of an environment's completed build of this key; without one, of the active build."""
    query = select(Build.id).where(*_completed(environment_id))
    if key is None:
        active = select(Environment.current_build_id).where(Environment.id == environment_id)
        return session.scalars(query.where(Build.id == active.scalar_subquery())).first()
    return session.scalars(query.where(Build.key == key)).first()


def usable_build(
    session: Session, namespace: str, name: str, fresh_since: datetime, failed_since: datetime
) -> int | None:
    """Return the newest build of an environment if it is under way, completed and fresh, or has just failed."""
    row = session.execute(
        select(Build.id, Build.status, Build.scheduled_on)
        .join(Environment, Environment.id == Build.environment_id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(
            Namespace.name == namespace,
            Environment.name == name,
            Environment.deleted_on.is_(None),
            Build.deleted_on.is_(None),
        )
        .order_by(Build.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    usable = row.status in UNSETTLED or row.scheduled_on > (fresh_since if row.status == COMPLETED else failed_since)
    return int(row.id) if usable else None


def count_fresh(session: Session, namespace: str, who: str, fresh_since: datetime) -> tuple[int, int]:
    """Return how many environments of a namespace have a build since a moment, failed ones too: of ``who``, and all."""
    fresh = select(Build.environment_id).where(Build.deleted_on.is_(None), Build.scheduled_on > fresh_since)
    query = (
        select(func.count(), func.coalesce(func.sum(case((Environment.created_by == who, 1), else_=0)), 0))
        .select_from(Environment)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(Namespace.name == namespace, Environment.deleted_on.is_(None), Environment.id.in_(fresh))
    )
    everybody, mine = session.execute(query).one()
    return int(mine), int(everybody)


def stale_environments(session: Session, namespace: str, before: datetime) -> list[str]:
    """Return the names of a namespace's environments without a build since a moment."""
    newer = select(Build.environment_id).where(Build.scheduled_on > before)
    query = (
        select(Environment.name)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(
            Namespace.name == namespace,
            Environment.deleted_on.is_(None),
            Environment.created_on < before,
            Environment.id.not_in(newer),
        )
    )
    return list(session.scalars(query))


def tags_of(session: Session, environment_id: int, only: int | None = None) -> list[str]:
    """Return the keys of an environment's completed builds; with ``only``, of this one."""
    query = select(Build.key).where(*_completed(environment_id))
    return list(session.scalars(query if only is None else query.where(Build.id == only)))


def repositories(session: Session) -> list[tuple[str, str]]:
    """Return namespace and name of all environments that have a completed build."""
    built = select(Build.environment_id).where(Build.status == COMPLETED, Build.deleted_on.is_(None))
    query = (
        select(Namespace.name, Environment.name)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .where(Environment.deleted_on.is_(None), Environment.id.in_(built))
    )
    return [(row[0], row[1]) for row in session.execute(query)]
