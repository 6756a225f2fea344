"""How jobs end: done, failed, given back to the queue, or lost and settled."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from jupyter_envstore.database.blob_references import release_artifact
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import ARTIFACT, BUILD, KEEP, Claim
from jupyter_envstore.database.models import Artifact, Build, Change, Job, Step
from jupyter_envstore.database.states import (
    ARTIFACT_FAILED,
    COMPLETED,
    FAILED,
    JOB_DONE,
    JOB_FAILED,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SETTLING,
    KEEP_FAILED,
)

MAX_ATTEMPTS = 2
MOST_GIVEN_BACK = 5
"""How many attempts of a job do not count, since the database or a file went away under them, or none began."""
SETTLE_SECONDS = 300.0
"""How long who settles a job may take; then another does it."""


def may_be_tried_again(job: Job) -> bool:
    """Whether a job that was lost gets another attempt."""
    return job.attempt - job.given_back < MAX_ATTEMPTS


def give_back(session: Session, job_id: int, always: bool = False) -> None:
    """Queue a job again whose worker cannot end it through no fault of its own.

    Parameters
    ----------
    always : bool
        Whether the attempt does not count, however often that was so: nothing of it had begun, or a server ended.
    """
    job = session.get_one(Job, job_id)
    job.state, job.pid, job.process_started = JOB_QUEUED, 0, ""
    if always or job.given_back < MOST_GIVEN_BACK:
        job.given_back += 1
    end_steps(session, job.id)


def finish(session: Session, claim: Claim, failed: str = "") -> None:
    """Close a job that its worker ended, and what it was for; ``failed`` is the reason if it failed."""
    job = session.get_one(Job, claim.job_id)
    job.state, job.reason, job.ended_on = JOB_FAILED if failed else JOB_DONE, failed, now()
    build = session.get_one(Build, claim.build_id)
    if failed and claim.kind == ARTIFACT:
        artifact = session.get_one(Artifact, claim.artifact_id)
        artifact.state, artifact.reason = ARTIFACT_FAILED, failed
        release_artifact(session, artifact.id)
    elif failed and claim.kind == BUILD and build.status != COMPLETED:
        build.status, build.status_info, build.ended_on = FAILED, failed, now()
    elif failed and claim.kind == KEEP:
        build.keep_state = KEEP_FAILED
    session.add(Change(kind="build", subject_id=build.id, at=now()))


def end_steps(session: Session, job_id: int, message: str | None = None) -> None:
    """Note that the steps of a job that was stopped do not run any more; with ``message``, what ended them."""
    query = update(Step).where(Step.job_id == job_id, Step.state == "running")
    told = {} if message is None else {"message": message}
    session.execute(query.values(state="failed", ended_on=now(), **told))


def begin_settling(session: Session, lost: Job) -> Job | None:
    """Take a lost job from its worker, to clean up after it; None when somebody else was faster."""
    job = session.get_one(Job, lost.id, with_for_update=True)
    if (job.state, job.attempt, job.heartbeat_on) != (lost.state, lost.attempt, lost.heartbeat_on):
        return None
    job.state, job.heartbeat_on = JOB_SETTLING, now()
    return job


def silent_jobs(session: Session, lease_seconds: float) -> list[Job]:
    """Return jobs whose worker, or who settles them, was not heard of; sooner those that shall stop."""
    lost = now() - timedelta(seconds=lease_seconds)
    stopping = now() - timedelta(seconds=min(5.0, lease_seconds))
    settling = now() - timedelta(seconds=max(lease_seconds, SETTLE_SECONDS))
    running = (Job.heartbeat_on < lost) | (Job.cancel_requested.is_(True) & (Job.heartbeat_on < stopping))
    query = select(Job).where(
        ((Job.state == JOB_RUNNING) & running) | ((Job.state == JOB_SETTLING) & (Job.heartbeat_on < settling))
    )
    return list(session.scalars(query))
