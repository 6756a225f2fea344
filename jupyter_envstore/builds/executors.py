"""Where a worker runs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple, Protocol

from jupyter_envstore.builds.priority import give_way
from jupyter_envstore.builds.processes import end_group, start_time, this_host
from jupyter_envstore.builds.waiting_worker import Request, WaitingWorker
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import Claim
from jupyter_envstore.database.models import Job
from jupyter_envstore.engine.process_environment import worker_environment
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays
from jupyter_envstore.errors import InvalidInputError

GROUP = "jupyter_envstore.executors"
"""Entry points of other packages: each is called with the :class:`StoreConfig` and returns an :class:`Executor`."""
LOCAL = "local"
"""Name of the executor of this package."""


class LocalProcess(NamedTuple):
    """A process of this host: its number, and when it was started, since numbers are given again."""

    number: int
    started: str


class Executor(Protocol):
    """Starts workers. Where they run is its own business."""

    def start(self, claim: Claim) -> LocalProcess | None:
        """Start a worker for a claimed job; return its process, or None where it is none of this host."""

    def stop(self, job: Job) -> bool:
        """End the worker of a job, and what it started, where it can be reached; whether it was still there."""

    def reap(self) -> None:
        """Forget workers that ended."""

    def close(self) -> None:
        """Let go of workers; they go on."""


class LocalExecutor:
    """Workers are processes of this host, each in a session of its own: they outlive who started them.

    With ``worker_wait_seconds``, one that waits ready is loaded for the first job; see :mod:`.waiting_worker`.

    Parameters
    ----------
    waiting : WaitingWorker, optional
        The one that waits, if not one of its own.
    """

    def __init__(self, config: StoreConfig, waiting: WaitingWorker | None = None) -> None:
        self.config = config
        self.workers: list[subprocess.Popen[bytes]] = []
        self.waiting = waiting or WaitingWorker(config.worker_wait_seconds, config.staging, libraries_of(config))

    def start(self, claim: Claim) -> LocalProcess:
        """Start a worker: a child of the one that waits, or a process of its own."""
        staging = self.config.staging / f"job-{claim.job_id}-{claim.attempt}"
        staging.mkdir(parents=True, exist_ok=True)
        environment = worker_environment(TMPDIR=str(staging))
        request = Request(claim.job_id, claim.attempt, self.config.to_text(), environment, str(staging))
        with contextlib.suppress(OSError):  # there can be no process: the next line finds none
            self.waiting.begin()
        handed = self.waiting.hand_over(request)
        return LocalProcess(*handed) if handed else self._start_process(claim, staging)

    def stop(self, job: Job) -> bool:
        """End the worker of a job of this host, and what it started; whether it was still there."""
        if job.host != this_host():
            return False
        was_there = end_group(job.pid, job.process_started)
        end_strays(JOB_MARK, str(self.config.staging / f"job-{job.id}-{job.attempt}"))
        return was_there

    def _start_process(self, claim: Claim, staging: Path) -> LocalProcess:
        """Start ``python -m jupyter_envstore.builds.worker JOB ATTEMPT``; the configuration goes in at its input."""
        command = [
            sys.executable,
            "-m",
            "jupyter_envstore.builds.worker",
            str(claim.job_id),
            str(claim.attempt),
        ]
        with (staging / "worker.err").open("wb") as errors:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                cwd="/",  # python -m looks for modules there first: nobody but root can put any
                env=worker_environment(TMPDIR=str(staging)),
            )
        give_way(worker.pid)
        assert worker.stdin is not None  # noqa: S101 - for the type checker
        self.workers.append(worker)
        with contextlib.suppress(BrokenPipeError):  # it died already: the lost lease will tell
            worker.stdin.write(self.config.to_text().encode())
            worker.stdin.close()
        return LocalProcess(worker.pid, start_time(worker.pid))

    def reap(self) -> None:
        """Collect the exit states of workers that ended, so that no dead process stays behind."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]

    def close(self) -> None:
        """Let go of the workers that still run: they belong to the store, not to this process."""
        self.waiting.end()
        self.reap()
        for worker in self.workers:
            worker.returncode = 0  # else Python complains about a child that nobody waited for
        self.workers = []


def libraries_of(config: StoreConfig) -> list[str]:
    """Return the modules that jobs need for the places that a configuration names."""
    database = ("psycopg", "sqlalchemy.dialects.postgresql") if config.url.startswith("postgres") else ()
    return [*database, *(("s3fs",) if config.blob_url.startswith("s3") else ())]


def executor_for(config: StoreConfig) -> Executor:
    """Return the executor that a configuration names.

    Raises
    ------
    InvalidInputError
        No package has an executor of this name, or it cannot be made.
    """
    if config.executor == LOCAL:  # without a look at what is installed
        return LocalExecutor(config)
    points: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    point = points.get(config.executor)
    if point is None:
        known = ", ".join((LOCAL, *sorted(points)))
        msg = f"executor {config.executor!r} is not known; known: {known} (c.EnvStoreApp.executor)"
        raise InvalidInputError(msg)
    try:
        made: Executor = point.load()(config)
    except Exception as error:  # another package's code may raise anything
        msg = f"executor {point.name!r} ({point.value}) cannot be made: {error!r}; see c.EnvStoreApp.executor"
        raise InvalidInputError(msg) from error
    return made
