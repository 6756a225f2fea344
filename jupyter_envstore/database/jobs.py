"""Jobs: enqueued, claimed with a lease. Every write of a worker goes through its claim."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session, aliased

from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.models import Build, Environment, Job, Place
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import (
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SETTLING,
)
from jupyter_envstore.errors import StaleClaimError

BUILD, RESTORE, FINISH, ARTIFACT, CHECK, KEEP = "build", "restore", "finish", "artifact", "check", "keep"
"""A finish job compiles byte code and closes the prefix of a build that can be used already; a check tries it out; a
keep job stores the files of its packages."""
KINDS = (BUILD, RESTORE, FINISH, ARTIFACT, CHECK, KEEP)
BEHIND = (FINISH, ARTIFACT, CHECK, KEEP)
"""What a worker that made a prefix goes on with."""
ANYWHERE = (ARTIFACT, KEEP)
"""What needs no prefix, so that a worker with a folder of its own goes on with it."""
AT_HOME = (RESTORE, FINISH, CHECK)
"""What is done to a prefix, in the folder of the store's servers."""
OF_PLACES = (BUILD, *AT_HOME)
"""What is done for one place: its prefix is wanted there."""
ANY_PLACE = 0
"""Stands for the place of what is done in any."""
HELP_SECONDS = 10.0
"""How long a build waits for its own place, before others that have nothing to do make it."""
AWAITED = (BUILD, RESTORE)
"""Without these an environment cannot be used."""


class Handle(NamedTuple):
    """What a worker is called by the executor that started it: the executor's kind, its own name for it, and the host.

    The host is where it was started from, until the worker reports where it runs.
    """

    kind: str
    id: str
    host: str


@dataclass(frozen=True)
class Claim:
    """The right to do a job, as long as its attempt is the newest."""

    job_id: int
    attempt: int
    kind: str
    build_id: int
    artifact_id: int | None = None

    @contextlib.contextmanager
    def write(self, database: Database, alone: bool = True) -> Iterator[Session]:
        """Open a writing session that is refused once the claim is lost or the job canceled.

        Parameters
        ----------
        alone : bool
            As :meth:`~jupyter_envstore.database.connection.Database.write` has it. Who writes nothing but the job and
            its steps need not wait for others: the row of the job is locked.

        Raises
        ------
        StaleClaimError
            Another attempt has the job, or it shall stop.
        """
        with database.write(alone) as session:
            job = session.get(Job, self.job_id, with_for_update=True)
            if job is None or job.attempt != self.attempt or job.state != JOB_RUNNING or job.cancel_requested:
                msg = f"job {self.job_id} is not this worker's any more"
                raise StaleClaimError(msg)
            yield session


def enqueue(
    session: Session, kind: str, build_id: int, artifact_id: int | None = None, place_id: int | None = None
) -> Job:
    """Add a job.

    Parameters
    ----------
    place_id : int or None
        Where the prefix is wanted, if the job is about one; by default here.
    """
    space = select(Environment.namespace_id).join(Build, Build.environment_id == Environment.id)
    job = Job(
        kind=kind,
        namespace_id=space.where(Build.id == build_id).scalar_subquery(),
        place_id=(place_of(session) if place_id is None else place_id) if kind in OF_PLACES else ANY_PLACE,
        build_id=build_id,
        artifact_id=artifact_id,
        state=JOB_QUEUED,
        created_on=now(),
    )
    session.add(job)
    session.flush()
    return job


def restore_here(session: Session, build_id: int) -> bool:
    """Have the prefix of a build made here, unless that is being done; return whether it was not."""
    here = place_of(session)
    known = [job for job in unfinished_jobs(session, build_id) if job.kind == RESTORE]
    for job in known:
        if job.place_id == here:
            return False
        if job.place_id == ANY_PLACE and job.state == JOB_QUEUED:
            job.place_id = here
            return False
    enqueue(session, RESTORE, build_id)
    return True


def anything_waits(session: Session, kinds: Collection[str] | None = None) -> bool:
    """Whether a job is queued, of some ``kinds`` if they are given, that could be done here, now or in a while."""
    query = select(Job.id).where(Job.state == JOB_QUEUED, _possible(session))
    if kinds is not None:
        query = query.where(Job.kind.in_(kinds))
    return session.scalars(query.limit(1)).first() is not None


def anything_unfinished(session: Session, anywhere: bool = False) -> bool:
    """Whether a job is queued that could be done here (or ``anywhere``), or any runs or is settled."""
    left = Job.state.in_((JOB_QUEUED, JOB_RUNNING, JOB_SETTLING)) if anywhere else _left_to_do(session)
    return session.scalars(select(Job.id).where(left).limit(1)).first() is not None


def _possible(session: Session) -> ColumnElement[bool]:
    """Return the condition on jobs that can be done here: builds for other places, too."""
    return Job.place_id.in_((ANY_PLACE, place_of(session))) | (Job.kind == BUILD)


def _left_to_do(session: Session) -> ColumnElement[bool]:
    return ((Job.state == JOB_QUEUED) & _possible(session)) | Job.state.in_((JOB_RUNNING, JOB_SETTLING))


def _oldest_queued() -> Any:
    """Return the query for the oldest queued job of each place, namespace and kind.

    Each is found by one look into the index of the queue, from the one before on, so that the number of queued jobs
    does not count ("loose index scan" in PostgreSQL's wiki).
    """
    first, after, found = aliased(Job), aliased(Job), aliased(Job)

    def next_of(*where: ColumnElement[bool]) -> Any:
        query = select(after.id).where(after.state == JOB_QUEUED, *where)
        return query.order_by(after.place_id, after.namespace_id, after.kind, after.id).limit(1).scalar_subquery()

    def columns(job: Any) -> Any:
        return select(job.id, job.place_id, job.namespace_id, job.kind, job.created_on)

    queue = columns(first).where(first.id == next_of()).cte("queue", recursive=True)
    place, namespace = after.place_id == queue.c.place_id, after.namespace_id == queue.c.namespace_id
    # not as one comparison of triples: SQLite takes the first column alone to its index
    following = func.coalesce(
        next_of(place, namespace, after.kind > queue.c.kind),
        next_of(place, after.namespace_id > queue.c.namespace_id),
        next_of(after.place_id > queue.c.place_id),
    )
    queue = queue.union_all(columns(found).join(queue, found.id == following))
    return select(queue)


_OLDEST = _oldest_queued()


def claim_next(session: Session, limit: int, host: str, kinds: Collection[str] | None = None) -> Claim | None:
    """Claim the next queued job, of some ``kinds`` only if they are given; None: nothing waits, or ``limit`` jobs run.

    Counted is what the scheduler of this place started. What is about a prefix is done in its own place; a build that
    waits for another one for a while is made here once nothing else waits.

    Namespaces take turns: the one with the fewest running jobs comes first. In it, what is brought back comes first:
    that is short, a kernel may wait for it, and what a cluster built can only be used then. Then comes the oldest job.
    Checks come behind all that people wait for. If all places are taken by what is done behind builds that can be used
    already (byte code, artifacts, checks), one more build or restore starts; with a limit of one, nothing runs beside.
    """
    here = place_of(session)
    running = (
        select(
            Job.namespace_id,
            func.count().label("jobs"),
            func.sum(case((Job.kind.in_(AWAITED), 1), else_=0)).label("awaited"),
        )
        .where(Job.state == JOB_RUNNING, Job.runner_id == here)
        .group_by(Job.namespace_id)
    )
    rows = session.execute(running).all()
    by_namespace = {row.namespace_id: int(row.jobs) for row in rows}
    count, is_full = sum(by_namespace.values()), False
    if count >= limit:
        is_full = count == limit > 1 and not any(row.awaited for row in rows)
        if not is_full:
            return None
    long_ago = now() - timedelta(seconds=HELP_SECONDS)
    mine = {ANY_PLACE, here}
    found = [row for row in session.execute(_OLDEST).all() if kinds is None or row.kind in kinds]
    queued = [row for row in found if row.place_id in mine and (not is_full or row.kind in AWAITED)]
    if not queued and not is_full:
        others = _like_this(session, here)
        queued = [row for row in found if row.kind == BUILD and row.place_id in others and row.created_on < long_ago]
    if not queued:
        return None
    first = min(
        queued,
        key=lambda row: (row.kind == CHECK, by_namespace.get(row.namespace_id, 0), row.kind != RESTORE, row.id),
    )
    job = session.get(Job, first.id, with_for_update={"skip_locked": True})
    return _claim(job, host, here) if job is not None else None


def _like_this(session: Session, here: int) -> set[int]:
    """Return the other places with the same platform: a build is locked for the one that it is made on."""
    mine = select(Place.platform).where(Place.id == here).scalar_subquery()
    return set(session.scalars(select(Place.id).where(Place.id != here, Place.platform == mine)))


def claim_next_of_build(session: Session, before: Claim, kinds: Sequence[str]) -> Claim | None:
    """Claim what the same build waits for, for the worker that is warm already: it ends the job ``before``."""
    here = Job.place_id.in_((ANY_PLACE, place_of(session)))
    query = select(Job).where(Job.build_id == before.build_id, Job.state == JOB_QUEUED, Job.kind.in_(kinds), here)
    job = session.scalars(query.order_by(Job.kind == CHECK, Job.id).limit(1).with_for_update(skip_locked=True)).first()
    if job is None:
        return None
    mine = session.get_one(Job, before.job_id)
    claim = _claim(job, mine.host, mine.runner_id)
    job.pid, job.process_started, job.executor, job.handle = mine.pid, mine.process_started, mine.executor, mine.handle
    return claim


def _claim(job: Job, host: str, runner_id: int) -> Claim:
    job.state = JOB_RUNNING
    job.attempt += 1
    if job.kind in OF_PLACES and job.place_id == ANY_PLACE:
        job.place_id = runner_id
    job.host, job.runner_id, job.pid, job.process_started = host, runner_id, 0, ""
    job.executor = job.handle = ""
    job.claimed_on = job.heartbeat_on = now()
    return Claim(job.id, job.attempt, job.kind, job.build_id, job.artifact_id)


def note_handle(session: Session, claim: Claim, handle: Handle) -> None:
    """Note how the worker of a job is called."""
    mine = update(Job).where(Job.id == claim.job_id, Job.attempt == claim.attempt)
    session.execute(mine.values(executor=handle.kind, handle=handle.id))


def handle_of(job: Job) -> Handle:
    """Return how the worker of a job is called; without kind and name until somebody noted it."""
    return Handle(job.executor, job.handle, job.host)


def begin_work(session: Session, claim: Claim, host: str, pid: int, started: str) -> None:
    """Note which process does a job; each attempt has one.

    Raises
    ------
    StaleClaimError
        Another process does it: what started that one started it once more.
    """
    job = session.get_one(Job, claim.job_id)
    if job.pid and (job.host, job.pid, job.process_started) != (host, pid, started):
        msg = f"job {claim.job_id} is done by process {job.pid} of {job.host}"
        raise StaleClaimError(msg)
    job.host, job.pid, job.process_started, job.heartbeat_on = host, pid, started, now()


def expected_jobs(session: Session, silent: float) -> list[Job]:
    """Return running jobs whose worker did not report yet, and was not asked for during the last seconds."""
    since = now() - timedelta(seconds=silent)
    waiting = Job.pid == 0, Job.handle != "", Job.heartbeat_on < since
    return list(session.scalars(select(Job).where(Job.state == JOB_RUNNING, *waiting)))


def expect(session: Session, job: Job) -> None:
    """Note that the worker of a job is still to be expected."""
    mine = update(Job).where(Job.id == job.id, Job.attempt == job.attempt, Job.pid == 0, Job.state == JOB_RUNNING)
    session.execute(mine.values(heartbeat_on=now()))


def jobs_of_worker(session: Session, handle: Handle) -> list[Job]:
    """Return the running jobs of a worker, by how its executor calls it; not those that shall stop."""
    mine = Job.executor == handle.kind, Job.handle == handle.id
    query = select(Job).where(Job.state == JOB_RUNNING, Job.cancel_requested.is_(False), *mine)
    return list(session.scalars(query.with_for_update()))


def unfinished_jobs(session: Session, build_id: int) -> list[Job]:
    """Return the jobs of a build that are not over."""
    query = select(Job).where(Job.build_id == build_id, Job.state.in_((JOB_QUEUED, JOB_RUNNING, JOB_SETTLING)))
    return list(session.scalars(query))


def is_worked_on(session: Session, build_id: int) -> bool:
    """Whether anything is left to do for a build, apart from what waits to be done in other places alone."""
    query = select(Job.id).where(Job.build_id == build_id, _left_to_do(session)).limit(1)
    return session.scalars(query).first() is not None
