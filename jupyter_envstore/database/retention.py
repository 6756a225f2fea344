"""Queries about what the store holds and what it may forget."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.config import staging_name
from jupyter_envstore.database import images
from jupyter_envstore.database.blob_references import release_artifact
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import ANY_PLACE, RESTORE
from jupyter_envstore.database.kept_packages import OWNERS
from jupyter_envstore.database.listings import artifact_bytes
from jupyter_envstore.database.models import (
    HERE,
    Artifact,
    Blob,
    BlobReference,
    Build,
    Change,
    Environment,
    Job,
    Namespace,
    Placement,
    RemovedBlob,
)
from jupyter_envstore.database.placements import note_gone, places_of
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import (
    BUILDING,
    COMPLETED,
    DROPPED,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SETTLING,
    QUEUED,
    READY,
    UNSETTLED,
)
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.policy.artifact_kinds import small_kinds

UNFINISHED = (JOB_QUEUED, JOB_RUNNING, JOB_SETTLING)
"""Small ones stay with the record."""


def environments_with_builds(session: Session) -> Iterator[tuple[Namespace, Environment, list[Build]]]:
    """Yield environments with their builds that hold something large, newest first."""
    environments = session.execute(
        select(Namespace, Environment)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .where(Environment.deleted_on.is_(None))
    ).all()
    builds: dict[int, list[Build]] = {}
    large = select(Artifact.build_id).where(Artifact.state == READY, Artifact.type.not_in(small_kinds()))
    query = select(Build).where(
        Build.status == COMPLETED,
        HERE | Build.id.in_(large),
        Build.deleted_on.is_(None),
    )
    for build in session.scalars(query.order_by(Build.id.desc())):
        builds.setdefault(build.environment_id, []).append(build)
    for namespace, environment in environments:
        yield namespace, environment, builds.get(environment.id, [])


def droppable_bytes(session: Session, build_id: int) -> int:
    """Return the bytes of a build's large artifacts."""
    query = select(func.sum(Artifact.size)).where(
        Artifact.build_id == build_id, Artifact.state == READY, Artifact.type.not_in(small_kinds())
    )
    return int(session.scalar(query) or 0)


def namespace_bytes(session: Session, namespace_id: int, packed_away: Collection[int] = ()) -> int:
    """Return the bytes of prefixes (their own part) and artifacts of a namespace, once some builds are packed away."""
    builds = (
        select(Build.id)
        .join(Environment, Environment.id == Build.environment_id)
        .where(Environment.namespace_id == namespace_id, Build.deleted_on.is_(None))
    )
    prefixes = session.scalar(
        select(func.sum(Build.own_size)).where(Build.id.in_(builds), Build.id.not_in(packed_away), HERE)
    )
    stays = or_(Artifact.build_id.not_in(packed_away), Artifact.type.in_(small_kinds()))
    return int(prefixes or 0) + artifact_bytes(session, [namespace_id], stays).get(namespace_id, 0)


def needed_digests(session: Session, archives: bool, packages: bool = True) -> list[str]:
    """Return the digests of blobs that somebody needs.

    Without ``archives``, not those of large artifacts; without ``packages``, not the kept files of packages.
    """
    query = select(BlobReference.digest).distinct()
    if not packages:
        query = query.where(BlobReference.owner.not_like(OWNERS))
    if not archives:
        large = select(Artifact.digest).where(Artifact.digest.is_not(None), Artifact.type.not_in(small_kinds()))
        query = query.where(BlobReference.digest.not_in(large), BlobReference.owner.not_like("artifact:%:parts"))
    return sorted(session.scalars(query))


def end_unfinished(session: Session) -> None:
    """Close jobs that no worker does any more: in a store that was brought back from a backup."""
    for job in session.scalars(select(Job).where(Job.state.in_((JOB_RUNNING, JOB_SETTLING)))):
        job.state, job.heartbeat_on = JOB_QUEUED, None
        build = session.get_one(Build, job.build_id)
        if build.status == BUILDING:
            build.status = QUEUED


def drop_build(session: Session, build: Build, kept: BlobStore | None = None) -> None:
    """Note that a build's prefix is not here any more, and that its large artifacts are gone.

    Large artifacts whose files ``kept`` has stay.
    """
    note_gone(session, build.id)
    if not places_of(session, [build.id])[build.id]:
        build.size = build.own_size = 0
    query = select(Artifact).where(
        Artifact.build_id == build.id, Artifact.state == READY, Artifact.type.not_in(small_kinds())
    )
    for artifact in session.scalars(query):
        if kept is not None and kept.exists(artifact.digest or ""):
            continue
        artifact.state, artifact.digest, artifact.size = DROPPED, None, 0
        release_artifact(session, artifact.id)


def unneeded_blobs(session: Session, before: datetime) -> list[StoredBlob]:
    """Return blobs that nobody refers to and that are older than ``before``."""
    query = select(Blob).where(Blob.digest.not_in(select(BlobReference.digest)), Blob.created_on < before)
    return [StoredBlob(blob.digest, blob.size) for blob in session.scalars(query)]


def begin_removals(session: Session, digests: Collection[str], moment: datetime, stuck_before: datetime) -> list[str]:
    """Note that blobs are removed; return those that may be: nobody needs them, and nobody else removes them.

    Parameters
    ----------
    moment : datetime
        Now; it tells this removal from others of the same blob.
    stuck_before : datetime
        Who began to remove one before this moment does it no more.
    """
    needed = set(session.scalars(select(BlobReference.digest).where(BlobReference.digest.in_(digests))))
    rows = {row.digest: row for row in session.scalars(select(RemovedBlob).where(RemovedBlob.digest.in_(digests)))}
    others = {digest for digest, row in rows.items() if not row.is_gone and row.changed_on >= stuck_before}
    free = [digest for digest in digests if digest not in needed | others]
    session.execute(delete(Blob).where(Blob.digest.in_(free)))
    for digest in free:
        images.forget_layers(session, digest)
        if digest in rows:
            rows[digest].is_gone, rows[digest].changed_on = False, moment
        else:
            session.add(RemovedBlob(digest=digest, is_gone=False, changed_on=moment))
    return free


def end_removals(session: Session, moment: datetime, gone: Collection[str], stayed: Collection[str]) -> None:
    """Note that removals which began at a moment ended: which blobs are gone, and which stay.

    Where another took a removal over, since this one stood still, its word holds.
    """
    mine = RemovedBlob.is_gone.is_(False), RemovedBlob.changed_on == moment
    session.execute(
        update(RemovedBlob).where(RemovedBlob.digest.in_(gone), *mine).values(is_gone=True, changed_on=now())
    )
    session.execute(delete(RemovedBlob).where(RemovedBlob.digest.in_(stayed), *mine))


def stuck_removals(session: Session, before: datetime) -> list[str]:
    """Return the blobs whose removal began before a moment and did not end."""
    stuck = RemovedBlob.is_gone.is_(False), RemovedBlob.changed_on < before
    return list(session.scalars(select(RemovedBlob.digest).where(*stuck)))


def forget_removals(session: Session, before: datetime) -> None:
    """Forget what was removed long ago."""
    session.execute(delete(RemovedBlob).where(RemovedBlob.is_gone.is_(True), RemovedBlob.changed_on < before))


def droppable_build(session: Session, build_id: int) -> Build | None:
    """Return the build if it may lose its prefix now: completed, not active, not kept by hand, not worked on."""
    build = session.get_one(Build, build_id, with_for_update=True)
    environment = session.get_one(Environment, build.environment_id)
    mine = Job.place_id.in_((ANY_PLACE, place_of(session)))
    busy = session.scalars(
        select(Job.id).where(Job.build_id == build_id, Job.state.in_(UNFINISHED), mine).limit(1)
    ).first()
    free = build.status == COMPLETED and not build.pinned and environment.current_build_id != build_id and not busy
    return build if free else None


def restored_since(session: Session, moment: datetime) -> set[int]:
    """Return the builds that were brought back here since a moment, or are being brought back."""
    since = or_(Job.ended_on.is_(None), Job.ended_on > moment)
    here = Job.place_id.in_((ANY_PLACE, place_of(session)))
    query = select(Job.build_id).where(Job.kind == RESTORE, since, here)
    return set(session.scalars(query))


def large_builds(session: Session) -> list[Build]:
    """Return the builds whose prefix is said to be somewhere, or that have large artifacts."""
    large = select(Artifact.build_id).where(Artifact.state == READY, Artifact.type.not_in(small_kinds()))
    placed = select(Placement.build_id)
    return list(session.scalars(select(Build).where(Build.id.in_(placed) | Build.id.in_(large))))


def present_builds(session: Session) -> list[Build]:
    """Return the builds whose prefix is said to be here."""
    return list(session.scalars(select(Build).where(HERE)))


def uncleared_environments(session: Session, before: datetime) -> list[tuple[Namespace, Environment]]:
    """Return the environments that were deleted before a moment, and that hold their builds yet."""
    query = select(Namespace, Environment).join(Environment, Environment.namespace_id == Namespace.id)
    found = session.execute(query.where(Environment.deleted_on <= before, Environment.cleared_on.is_(None)))
    return [(row[0], row[1]) for row in found]


def find_deleted_environment(session: Session, namespace: str, name: str) -> tuple[Namespace, Environment]:
    """Return the environment of this name that was deleted last, and that was not cleared yet.

    Raises
    ------
    NotFoundError
        There is none.
    """
    query = (
        select(Namespace, Environment)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .where(Namespace.name_key == namespace.lower(), func.lower(Environment.name) == name.lower())
        .where(Environment.deleted_on.is_not(None), Environment.cleared_on.is_(None))
    )
    row = session.execute(query.order_by(Environment.deleted_on.desc(), Environment.id.desc())).first()
    if row is None:
        msg = f"there is no deleted environment {namespace}/{name} that can come back; they can for ten minutes"
        raise NotFoundError(msg)
    return row[0], row[1]


def builds_deleted_with(session: Session, environment: Environment) -> list[Build]:
    """Return the builds that a deleted environment had: also those that a crash kept from being marked."""
    with_it = or_(Build.deleted_on.is_(None), Build.deleted_on == environment.deleted_on)
    return list(session.scalars(select(Build).where(Build.environment_id == environment.id, with_it)))


def unfinished_builds(session: Session) -> set[int]:
    """Return the builds that something is queued or runs for."""
    return set(session.scalars(select(Job.build_id).where(Job.state.in_(UNFINISHED))))


def all_digests(session: Session) -> set[str]:
    """Return the digests of all blobs."""
    return set(session.scalars(select(Blob.digest)))


def running_attempts(session: Session) -> set[str]:
    """Return the names of the staging folders of jobs that run."""
    query = select(Job.id, Job.attempt).where(Job.state.in_((JOB_RUNNING, JOB_SETTLING)))
    return {staging_name(row.id, row.attempt) for row in session.execute(query)}


def present_directories(session: Session) -> set[str]:
    """Return the folders of prefixes that are here or being made; of deleted environments, until they are cleared."""
    unsettled = Build.deleted_on.is_(None) & Build.status.in_(UNSETTLED)
    query = select(Build.directory).where(HERE | unsettled)
    restoring = select(Build.directory).join(Job, Job.build_id == Build.id).where(Job.state.in_(UNFINISHED))
    return set(session.scalars(query)) | set(session.scalars(restoring))


def record_digests(session: Session, build_ids: Iterable[int]) -> set[str]:
    """Return the digests of the records of these builds."""
    wanted = set(build_ids)
    query = select(Build.id, Build.record_digest).where(Build.record_digest.is_not(None))
    return {str(row.record_digest) for row in session.execute(query) if row.id in wanted}


def forget_changes(session: Session, before: datetime) -> None:
    """Delete old rows of the list of changes."""
    session.execute(delete(Change).where(Change.at < before))
