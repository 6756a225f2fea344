"""Claims queued jobs, starts workers for them, and settles what goes wrong."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Collection

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.executor import EndsWithProcess, Executor, ends_with_process, kinds_of_this_machine
from jupyter_envstore.builds.local_executor import LOCAL
from jupyter_envstore.builds.log_keeping import keep_log
from jupyter_envstore.builds.prefix_disk import disk_fault
from jupyter_envstore.builds.processes import this_host
from jupyter_envstore.builds.queue_notices import QueueNotices, in_words
from jupyter_envstore.builds.seen import Seen
from jupyter_envstore.builds.staging_sweep import StagingSweep
from jupyter_envstore.builds.workspace import keep_errors
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.job_endings import (
    MOST_GIVEN_BACK,
    begin_settling,
    end_steps,
    give_back,
    may_be_tried_again,
    silent_jobs,
)
from jupyter_envstore.database.jobs import (
    ARTIFACT,
    BUILD,
    FINISH,
    KEEP,
    KINDS,
    OF_PLACES,
    Claim,
    anything_unfinished,
    anything_waits,
    claim_next,
    expect,
    expected_jobs,
    handle_of,
    jobs_of_worker,
    note_handle,
    unfinished_jobs,
)
from jupyter_envstore.database.models import Artifact, Build, Change, Job, LogChunk
from jupyter_envstore.database.queue_reasons import WAITS, tell_why
from jupyter_envstore.database.states import (
    ARTIFACT_FAILED,
    CANCELED,
    COMPLETED,
    FAILED,
    JOB_CANCELED,
    JOB_FAILED,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SETTLING,
    KEEP_FAILED,
    PENDING,
    QUEUED,
    UNSETTLED,
)
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.prefix import remove_tree, to_trash
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays
from jupyter_envstore.errors import DatabaseAwayError, EnvStoreError

log = logging.getLogger(__name__)
EXPECTED_SECONDS = 2.0
"""How often an executor is asked for a worker that did not report yet."""
START_SECONDS = 60.0
"""How long a worker that got a place may take until its process reports, beside a lease."""
PAUSE_SECONDS = 5.0
"""How long no other job is started after one could not be."""
AGAIN = "; it is tried again"
LOST = "the worker ended and left no reason (it was killed, ran out of memory, or its machine went down)"
SILENT = (
    "the worker was ended because it did not report for {seconds:g} s "
    "(the machine is overloaded, or a disk does not answer)"
)


class Scheduler:
    """Keeps jobs going. Several may run on one store at once: the database decides who gets what.

    Parameters
    ----------
    config : StoreConfig
        Limits.
    executor : Executor
        Starts workers.
    """

    def __init__(self, config: StoreConfig, database: Database, blobs: BlobStore, executor: Executor) -> None:
        self.config = config
        self.database = database
        self.executor = executor
        self.blobs = blobs
        self.host = this_host()
        self._staging = StagingSweep(config, database)
        self._work = threading.Event()
        self._unready = self._builds_wait = self._failed = ""
        self._notices = QueueNotices(database)
        self._resumes = 0.0
        self._is_closed = False
        self._placed: dict[tuple[int, int], float] = {}
        self._trust_until = time.monotonic() + database.kind.silence_seconds  # workers may have been cut off until now

    def wake(self) -> None:
        """Let :meth:`run` look at once: there is something to do."""
        self._work.set()

    def tick(self) -> int:
        """Settle lost jobs and start what may run; return how many workers were started.

        Raises
        ------
        DatabaseAwayError
            The database does not answer. Workers cannot report then, so none counts as lost for a while.
        """
        self.executor.reap()
        try:
            if time.monotonic() > self._trust_until:
                self._look_at_expected()
                self.settle_lost()
            self._staging.sweep()
            started = 0
            kinds = self._startable()
            while self._start_one(kinds):
                started += 1
            self._notices.tell(self._builds_wait or self._failed)
        except DatabaseAwayError:
            self._trust_until = time.monotonic() + self.config.lease_seconds
            raise
        return started

    def run(self, stop: threading.Event, pause: float = 0.5) -> None:
        """Tick until ``stop`` is set; what goes wrong in one tick is logged and does not end the others.

        While nothing is written and no job waits or runs, the tables are not looked at.
        """
        resting, away = False, False
        with contextlib.closing(self.database.watch()) as watch:
            while not stop.is_set():
                woken = self._work.wait(pause)
                self._work.clear()
                if stop.is_set():
                    return
                moved = watch.moved()  # asked before the tick: what is written meanwhile is seen by the next
                try:
                    if resting and not moved and not woken:
                        self.executor.reap()
                        continue
                    resting = False
                    self.tick()
                    resting = self._is_done()
                    away = False
                except DatabaseAwayError as error:
                    if not away:
                        log.warning("no job is started: %s", error)
                    away = True
                except Exception:
                    log.exception("the scheduler could not do its round; it goes on")

    def start_and_leave(self) -> str:
        """Start what may run, for a caller that ends right after.

        Returns
        -------
        str
            Why nothing is started, in words for people; empty if the workers go on.
        """
        if ends_with_process(self.executor):
            return "the cluster of this command ends with it; it is built when a server runs, or a command waits"
        self.tick()
        return in_words(self._builds_wait or self._failed)

    def close(self) -> None:
        """Let go of workers. What those did that end now is queued again, and does not count as an attempt.

        It is queued first: a cluster takes its time to end, and this process may be killed meanwhile. Besides, a worker
        ends as soon as it notices that its job is another's.
        """
        self._is_closed = True
        try:
            for handle in self.executor.ending() if isinstance(self.executor, EndsWithProcess) else ():
                with contextlib.suppress(EnvStoreError), self.database.write() as session:
                    for job in jobs_of_worker(session, handle):
                        give_back(session, job.id, always=True)
                        self._requeue_subject(session, job, "the server ended, and its cluster with it")
        finally:
            self.executor.close()

    def _is_done(self) -> bool:
        """Whether no job waits or runs, and none left anything."""
        with self.database.read() as session:
            return not anything_unfinished(session) and not self._staging.left()

    def _start_one(self, kinds: Collection[str] | None) -> bool:
        """Start the next job, of some kinds if they are given; whether there was one."""
        if (kinds is not None and not kinds) or self._is_closed or time.monotonic() < self._resumes:
            return False
        self._failed = ""
        with self.database.read() as session:
            if not anything_waits(session, kinds):  # a look takes no write lock
                return False
        with self.database.write() as session:
            claim = claim_next(session, self.config.max_concurrent_builds, self.host, kinds)
        if claim is None:
            return False
        try:
            handle = self.executor.start(claim)
        except Exception as error:
            return self._could_not_start(claim, error)
        with self.database.write() as session:
            note_handle(session, claim, handle)
        return True

    def _could_not_start(self, claim: Claim, error: Exception) -> bool:
        """Queue a job again whose worker was not started; return whether the next one shall be tried at once.

        Nothing of it began, so the attempt does not count. Faults of the executor itself are not repeated without end:
        the lease runs out, and counts.
        """
        passes = isinstance(error, OSError)
        with self.database.write() as session:
            job = session.get_one(Job, claim.job_id)
            if job.cancel_requested or job.state != JOB_RUNNING or job.attempt != claim.attempt:
                return True  # it was canceled at this moment, and its folder removed
            if passes:
                give_back(session, job.id, always=True)
        words = getattr(error, "strerror", None) or str(error)  # without paths of this machine
        self._failed = f"no worker could be started: {words}" if passes else ""
        self._resumes = time.monotonic() + PAUSE_SECONDS
        log.log(
            logging.WARNING if passes else logging.ERROR,
            "no worker could be started for job %s: %s",
            claim.job_id,
            redact(str(error)),
            exc_info=None if passes else error,
        )
        return False

    def settle_lost(self) -> None:
        """Give lost jobs to another worker, once; then they failed. Finish what was canceled."""
        with self.database.read() as session:
            silent = silent_jobs(session, self.config.lease_seconds)
        for job in silent:
            try:
                self._settle(job)
            except DatabaseAwayError:
                raise
            except Exception:  # one job that cannot be settled must not hold up the others
                log.exception("job %s could not be settled; it is tried again", job.id)

    def _startable(self) -> Collection[str] | None:
        """Return the kinds of jobs for which workers can be started; None for all. Why not for all is logged once."""
        why, own = self.executor.ready(), kinds_of_this_machine(self.executor)
        kinds: Collection[str] | None = own if why else None
        disk = disk_fault(self.config, self.database)
        if disk:  # a build is made here, unless the executor has other folders for it
            here = own or OF_PLACES
            kinds = [kind for kind in KINDS if kind not in here] if kinds is None else set(kinds) - set(here)
        told = why or disk
        if told and told != self._unready:
            log.warning("envstore: %s: %s", "no job is started" if why else "no environment is made here", told)
        elif self._unready and not told:
            log.warning("envstore: jobs are started again")
        self._unready = told
        self._builds_wait = told if kinds is not None and BUILD not in kinds else ""
        return kinds

    def _look_at_expected(self) -> None:
        """Ask for workers that did not report yet: those that wait for a place get no silence counted."""
        with self.database.read() as session:
            expected = expected_jobs(session, min(EXPECTED_SECONDS, self.config.lease_seconds / 4))
        for job in expected:
            try:
                self._look_at(job)
            except DatabaseAwayError:
                raise
            except Exception:  # as for lost ones: the others are looked at all the same
                log.exception("it is not known whether the worker of job %s comes; it is asked again", job.id)

    def _look_at(self, job: Job) -> None:
        seen = self.executor.alive(handle_of(job))
        if not seen.alive:
            self._settle(job, seen)
        elif seen.waits or (seen.starts and self._may_still_begin(job)):
            with self.database.write(alone=False) as session:
                expect(session, job)
                says = session.get_one(Build, job.build_id).status_info
                if job.kind == BUILD and (seen.reason or says.startswith(WAITS)):
                    tell_why(session, job.build_id, in_words(seen.reason))

    def _may_still_begin(self, job: Job) -> bool:
        """Whether a worker got its place so short a time ago that its process may not have begun."""
        moment = time.monotonic()
        self._placed = {key: since for key, since in self._placed.items() if moment - since < 10 * START_SECONDS}
        return moment - self._placed.setdefault((job.id, job.attempt), moment) < START_SECONDS

    def cancel(self, build_id: int, everything: bool = False, kind: str | None = None) -> list[str]:
        """Stop the work on a build, queued or running; return the kinds of jobs that were stopped.

        A worker of this host is ended here, within seconds; others notice that they shall stop. A build that can be
        used already is still finished (byte code, closed folders), unless ``everything`` shall stop. With ``kind``,
        nothing but jobs of that kind stops.
        """
        with self.database.write() as session:
            jobs = [job for job in unfinished_jobs(session, build_id) if everything or job.kind != FINISH]
            jobs = [job for job in jobs if kind in (None, job.kind)]
            running = [job for job in jobs if job.state != JOB_QUEUED]
            for job in jobs:
                if job.state == JOB_QUEUED:
                    self._close(session, job, JOB_CANCELED, "canceled")
                else:
                    job.cancel_requested = True
        for job in running:
            if job.state == JOB_RUNNING and (job.host == self.host or not job.pid):
                self._settle(job)
        return [job.kind for job in jobs]

    def _settle(self, lost: Job, seen: Seen | None = None) -> None:
        """End what is left of a worker, remove what it left, and only then let the job go on or close it.

        Parameters
        ----------
        seen : Seen, optional
            What the executor knows of a worker that never reported.
        """
        with self.database.write() as session:
            if begin_settling(session, lost) is None:
                return
        why = SILENT.format(seconds=self.config.lease_seconds) if self.executor.stop(handle_of(lost)) else LOST
        why = in_words(seen.reason) if seen is not None and seen.reason else why
        is_uncounted = seen is not None and seen.is_uncounted
        never_began = not lost.pid and lost.executor not in ("", LOCAL) and (seen is None or is_uncounted)
        if lost.host == self.host:
            end_strays(JOB_MARK, str(self.config.staging_of(lost.id, lost.attempt)))
        self._clean(lost)
        with self.database.write() as session:
            job = session.get_one(Job, lost.id)
            if job.state != JOB_SETTLING or job.attempt != lost.attempt:
                return
            if job.cancel_requested:
                self._close(session, job, JOB_CANCELED, "canceled")
            elif seen is not None and seen.is_final:
                self._close(session, job, JOB_FAILED, why)
            elif never_began and (is_uncounted or job.given_back < MOST_GIVEN_BACK):
                give_back(session, job.id, always=is_uncounted)
                self._requeue_subject(session, job, why)
            elif may_be_tried_again(job):
                job.state = JOB_QUEUED
                self._requeue_subject(session, job, why)
            else:
                self._close(session, job, JOB_FAILED, f"{why}; it was tried {job.attempt} times")
        with contextlib.suppress(Exception):
            keep_log(self.database, self.blobs, lost.build_id, (COMPLETED, FAILED, CANCELED))

    @staticmethod
    def _requeue_subject(session: Session, job: Job, why: str) -> None:
        build = session.get_one(Build, job.build_id)
        end_steps(session, job.id)
        line = f"{now():%H:%M:%S} {why}{AGAIN}\n"
        session.add(LogChunk(build_id=build.id, text=line, created_on=now()))
        if job.kind == BUILD and build.status in UNSETTLED:
            build.status, build.status_info = QUEUED, f"{why}{AGAIN}"
        elif job.kind == ARTIFACT:
            session.get_one(Artifact, job.artifact_id).state = PENDING

    def _close(self, session: Session, job: Job, state: str, reason: str) -> None:
        end_steps(session, job.id, reason if state == JOB_CANCELED else None)
        job.state, job.reason, job.ended_on = state, reason, now()
        build = session.get_one(Build, job.build_id)
        artifact = session.get_one(Artifact, job.artifact_id) if job.kind == ARTIFACT else None
        if state == JOB_CANCELED:
            what = " ".join(filter(None, ("artifact", artifact.type, artifact.variant))) if artifact else job.kind
            session.add(LogChunk(build_id=build.id, text=f"{now():%H:%M:%S} canceled: {what}\n", created_on=now()))
        if job.kind == BUILD and build.status in UNSETTLED:
            build.status = CANCELED if state == JOB_CANCELED else FAILED
            build.status_info, build.ended_on = reason, now()
        elif artifact is not None:
            artifact.state, artifact.reason = ARTIFACT_FAILED, reason
        elif job.kind == KEEP:
            build.keep_state = KEEP_FAILED
        session.add(Change(kind="build", subject_id=build.id, at=now()))

    def _clean(self, job: Job) -> None:
        """Remove what the attempt left: its staging folder, and a prefix that was not published.

        What cannot be removed stays for ``gc``: the job must not wait for it.
        """
        staging = self.config.staging_of(job.id, job.attempt)
        trash = None
        try:
            if staging.exists():
                keep_errors(self.config, job.id, staging)
                remove_tree(staging)
            with self.database.write() as session:
                mine = session.get_one(Job, job.id)
                build = session.get_one(Build, job.build_id)
                still = mine.state == JOB_SETTLING and mine.attempt == job.attempt
                if still and job.kind == BUILD and not build.is_made:
                    trash = to_trash(self.config.builds / build.directory)
            if trash is not None:
                remove_tree(trash)
        except OSError:
            log.exception("what job %s left could not be removed", job.id)
