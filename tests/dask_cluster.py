"""A real Dask cluster for tests: a scheduler and workers, each a process with a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port

SECONDS = 60.0


class DaskCluster:
    """A scheduler and some workers; each can be stopped, killed, and started again."""

    def __init__(self, folder: Path, packages: Path | None = None) -> None:
        self.folder = folder
        self.packages = packages
        self.port = free_port()
        self.workers: list[subprocess.Popen[bytes]] = []
        self._added = 0
        self._scheduler: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the scheduler is."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, workers: int = 1) -> DaskCluster:
        """Start the scheduler and some workers."""
        self.start_scheduler()
        for _ in range(workers):
            self.add_worker()
        self.wait(workers)
        return self

    def start_scheduler(self) -> None:
        """Start the scheduler, which was not started yet or was stopped."""
        arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self._scheduler = self._begin("scheduler", "scheduler", arguments)

    def stop_scheduler(self) -> None:
        """Kill the scheduler; it forgets all."""
        assert self._scheduler is not None
        _kill(self._scheduler)

    def signal_scheduler(self, number: signal.Signals) -> None:
        """Stop the scheduler for a while, or let it go on."""
        assert self._scheduler is not None
        self._scheduler.send_signal(number)

    def add_worker(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker; return its process."""
        number, self._added = self._added, self._added + 1  # Dask refuses a name that is taken
        root = self.root(number)
        root.mkdir(exist_ok=True)
        if self.packages is not None:
            (root / "pkgs").symlink_to(self.packages)
        more = ["--nthreads", "2", "--no-dashboard", "--no-nanny", "--name", f"w{number}", *arguments]
        more += ["--local-directory", str(self.folder / f"dask{number}")]
        variables = {"ENVSTORE_WORKER_ROOT": str(root), **variables}
        worker = self._begin(f"worker{number}", "worker", [self.address, *more], **variables)
        self.workers.append(worker)
        return worker

    def root(self, number: int) -> Path:
        """Return the folder of a worker."""
        return self.folder / f"w{number}"

    def wait(self, workers: int) -> None:
        """Wait until so many workers are known to the scheduler."""
        from distributed import Client

        deadline = time.monotonic() + SECONDS
        while True:
            try:
                with Client(self.address, timeout=5, set_as_default=False) as client:
                    client.wait_for_workers(workers, timeout=SECONDS)
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.2)
            else:
                return

    def log(self) -> str:
        """Return what all wrote."""
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.log"))

    def remove(self) -> None:
        """End all."""
        for process in (*self.workers, self._scheduler):
            if process is not None:
                _kill(process)

    def _begin(self, name: str, command: str, arguments: list[str], **variables: str) -> subprocess.Popen[bytes]:
        environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **variables}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
