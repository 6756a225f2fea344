"""What changed behind a revision, and how far running builds are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, null, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.listings import where_names
from jupyter_envstore.database.models import Artifact, Build, Change, Environment, Job, LogChunk, Namespace, Step
from jupyter_envstore.database.paging import Filters
from jupyter_envstore.database.states import JOB_QUEUED, JOB_RUNNING, JOB_SETTLING


@dataclass(frozen=True)
class ChangedRow:
    """A change of an environment, or of a build of it."""

    environment_id: int
    namespace: str
    name: str
    deleted: bool
    build_id: int | None
    status: str | None


@dataclass(frozen=True)
class Progress:
    """How far a build is that is worked on.

    Parameters
    ----------
    build_id : int
        The build.
    namespace, name : str
        Its environment.
    mark : tuple of int
        What grows as the build goes on.
    """

    build_id: int
    namespace: str
    name: str
    mark: tuple[int, ...]


def revisions(session: Session) -> tuple[int, int]:
    """Return the newest revision and the oldest that is kept; 0 for none."""
    row = session.execute(select(func.max(Change.revision), func.min(Change.revision))).one()
    return row[0] or 0, row[1] or 0


def changes_since(session: Session, since: int, visible: tuple[str, ...] | None) -> list[ChangedRow]:
    """Return the environments and builds that changed behind a revision, of those that may be seen."""
    builds = (
        select(Build.environment_id, Build.id, Build.status)
        .join(Change, and_(Change.kind == "build", Change.subject_id == Build.id))
        .where(Change.revision > since)
    )
    artifacts = (
        select(Build.environment_id, Build.id, Build.status)
        .join(Artifact, Artifact.build_id == Build.id)
        .join(Change, and_(Change.kind == "artifact", Change.subject_id == Artifact.id))
        .where(Change.revision > since)
    )
    environments = select(Environment.id, null(), null()).join(
        Change, and_(Change.kind == "environment", Change.subject_id == Environment.id)
    )
    spaces = (
        select(Environment.id, null(), null())
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .join(Change, and_(Change.kind == "namespace", Change.subject_id == Namespace.id))
        .where(Change.revision > since)
    )
    found = builds.union(artifacts, environments.where(Change.revision > since), spaces).subquery()
    query = (
        select(found.c[0], Namespace.name, Environment.name, Environment.deleted_on, found.c[1], found.c[2])
        .join(Environment, Environment.id == found.c[0])
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(*where_names(Filters(visible=visible), deleted=True))
        .order_by(found.c[0], found.c[1])
    )
    return [ChangedRow(row[0], row[1], row[2], row[3] is not None, row[4], row[5]) for row in session.execute(query)]


def running_builds(session: Session) -> tuple[list[Progress], int]:
    """Return how far each build is that is worked on; and how many jobs are queued or run."""
    unfinished = (JOB_QUEUED, JOB_RUNNING, JOB_SETTLING)
    count = session.scalar(select(func.count()).where(Job.state.in_(unfinished))) or 0
    jobs = session.execute(
        select(Job.build_id, Namespace.name, Environment.name)
        .outerjoin(Build, Build.id == Job.build_id)
        .outerjoin(Environment, Environment.id == Build.environment_id)
        .outerjoin(Namespace, Namespace.id == Environment.namespace_id)
        .where(Job.state == JOB_RUNNING)
    ).all()
    running = {row[0]: (row[1] or "", row[2] or "") for row in jobs}
    if not running:
        return [], count
    steps = select(Step.build_id, func.count(), func.sum(Step.done)).where(Step.build_id.in_(running))
    chunks = select(LogChunk.build_id, func.max(LogChunk.id)).where(LogChunk.build_id.in_(running))
    marks = {row[0]: (row[1], int(row[2] or 0)) for row in session.execute(steps.group_by(Step.build_id))}
    logs = {row[0]: row[1] for row in session.execute(chunks.group_by(LogChunk.build_id))}
    found = [
        Progress(build_id, *place, (*marks.get(build_id, (0, 0)), logs.get(build_id, 0)))
        for build_id, place in running.items()
    ]
    return found, count
