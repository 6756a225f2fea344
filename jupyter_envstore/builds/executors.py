"""Where a worker runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from jupyter_envstore.builds.processes import start_time
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.environment import scrubbed_environment
from jupyter_envstore.store.jobs import Claim

NICENESS = 10


class Executor(Protocol):
    """Starts workers."""

    def start(self, claim: Claim) -> tuple[int, str]:
        """Start a worker for a claimed job; return its process number and start time."""

    def reap(self) -> None:
        """Forget workers that ended."""

    def close(self) -> None:
        """Let go of workers; they go on."""


class LocalExecutor:
    """Workers are processes of this host, each in a session of its own: they outlive who started them."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, claim: Claim) -> tuple[int, str]:
        """Start ``python -m jupyter_envstore.builds.worker JOB ATTEMPT``; the configuration goes in at its input."""
        staging = self.config.staging / f"job-{claim.job_id}-{claim.attempt}"
        staging.mkdir(parents=True, exist_ok=True)
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
                env=scrubbed_environment(TMPDIR=str(staging)),
            )
        give_way(worker.pid)
        assert worker.stdin is not None  # noqa: S101 - for the type checker
        self.workers.append(worker)
        with contextlib.suppress(BrokenPipeError):  # it died already: the lost lease will tell
            worker.stdin.write(self.config.to_text().encode())
            worker.stdin.close()
        return worker.pid, start_time(worker.pid)

    def reap(self) -> None:
        """Collect the exit states of workers that ended, so that no dead process stays behind."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]

    def close(self) -> None:
        """Let go of the workers that still run: they belong to the store, not to this process."""
        self.reap()
        for worker in self.workers:
            worker.returncode = 0  # else Python complains about a child that nobody waited for
        self.workers = []


def give_way(pid: int) -> None:
    """Let servers and notebooks go before a worker, whenever they have something to do.

    Where Linux shares processors out among sessions, a process's niceness counts only within its own one, and each
    worker has one: the session's is set too (``sched(7)``, "The autogroup feature").
    """
    with contextlib.suppress(OSError, AttributeError):  # macOS has no such policies
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError, AttributeError):  # it ended already, or is nicer by its administrator's word
        os.setpriority(os.PRIO_PROCESS, pid, max(NICENESS, os.getpriority(os.PRIO_PROCESS, pid)))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(f"{NICENESS}\n", encoding="ascii")
