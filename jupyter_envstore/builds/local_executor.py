"""Workers that are processes of this machine."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

from jupyter_envstore.builds.priority import give_way
from jupyter_envstore.builds.processes import end_group, is_alive, start_time, this_host
from jupyter_envstore.builds.seen import UNKNOWN, Seen
from jupyter_envstore.builds.waiting_worker import Request, WaitingWorker
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import Claim, Handle
from jupyter_envstore.engine.process_environment import worker_environment

LOCAL = "local"
"""Kind of the handles of processes."""


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
        self._lock = threading.Lock()  # the threads of a Dask worker share one
        self.waiting = waiting or WaitingWorker(config.worker_wait_seconds, config.staging, libraries_of(config))

    def ready(self) -> str:
        """It always is."""
        return ""

    def start(self, claim: Claim) -> Handle:
        """Start a worker: a child of the one that waits, or a process of its own."""
        return self.start_attempt(claim.job_id, claim.attempt)

    def start_attempt(self, job_id: int, attempt: int) -> Handle:
        """Start a worker for an attempt of a job."""
        staging = self.config.staging_of(job_id, attempt)
        staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = worker_environment(TMPDIR=str(staging))
        request = Request(job_id, attempt, self.config.to_text(), environment, str(staging))
        with contextlib.suppress(OSError):  # there can be no process: the next line finds none
            self.waiting.begin()
        handed = self.waiting.hand_over(request)
        return handle_of_process(*(handed or self._start_process(job_id, attempt, staging)))

    def alive(self, handle: Handle) -> Seen:
        """Return whether its process runs; nothing is known of those of other hosts.

        On a machine that is overloaded, it may take longer to begin than a lease.
        """
        if (handle.kind, handle.host) != (LOCAL, this_host()):
            return UNKNOWN
        return Seen(is_alive(*process_of(handle)), starts=True)

    def stop(self, handle: Handle) -> bool:
        """End a worker of this host; whether it was still there."""
        return handle.host == this_host() and end_group(*process_of(handle))

    def _start_process(self, job_id: int, attempt: int, staging: Path) -> tuple[int, str]:
        worker = start_worker(self.config, job_id, attempt, staging)
        with self._lock:
            self.workers.append(worker)
        return worker.pid, start_time(worker.pid)

    def reap(self) -> None:
        """Collect the exit states of workers that ended, so that no dead process stays behind."""
        with self._lock:
            self.workers = [worker for worker in self.workers if worker.poll() is None]

    def close(self) -> None:
        """Let go of the workers that still run: they belong to the store, not to this process."""
        self.waiting.end()
        self.reap()
        for worker in self.workers:
            worker.returncode = 0  # else Python complains about a child that nobody waited for
        self.workers = []


def start_worker(config: StoreConfig, job_id: int, attempt: int, staging: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m jupyter_envstore.builds.worker JOB ATTEMPT``; the configuration goes in at its input."""
    command = [sys.executable, "-m", "jupyter_envstore.builds.worker", str(job_id), str(attempt)]
    with (staging / "worker.err").open("ab") as errors:
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
    with contextlib.suppress(BrokenPipeError):  # it died already: the lost lease will tell
        worker.stdin.write(config.to_text().encode())
        worker.stdin.close()
    return worker


def handle_of_process(number: int, started: str) -> Handle:
    """Return how a process of this host is called: its number, and when it was started, since numbers are reused."""
    return Handle(LOCAL, f"{number} {started}", this_host())


def process_of(handle: Handle) -> tuple[int, str]:
    """Return number and start of the process that a handle names; 0 for none."""
    number, _, started = handle.id.partition(" ")
    return int(number) if number.isdigit() else 0, started


def libraries_of(config: StoreConfig) -> list[str]:
    """Return the modules that jobs need for the places that a configuration names."""
    database = ("psycopg", "sqlalchemy.dialects.postgresql") if config.url.startswith("postgres") else ()
    return [*database, *(("s3fs",) if config.blob_url.startswith("s3") else ())]
