"""Things that tests do again and again."""

from __future__ import annotations

import http.server
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.builds.executor import Executor
from jupyter_envstore.builds.local_executor import LocalExecutor
from jupyter_envstore.builds.place_marks import DISK
from jupyter_envstore.builds.processes import is_alive, start_time
from jupyter_envstore.builds.retention import Retention
from jupyter_envstore.builds.waiting_worker import WaitingWorker
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.models import Job
from jupyter_envstore.database.states import UNSETTLED
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import read_specification
from tests import object_store
from tests.object_store import bucket_of
from tests.postgresql import database_url

LEASE_SECONDS = 10.0
"""How long a worker of most tests may be silent: two run at once with other tests, and they give way to everything."""
LONG_LEASE_SECONDS = 60.0
"""The same for tests that end no worker, beside which much else runs."""

WITH_ARCHIVES: dict[str, Any] = {"check_imports": False}
"""Settings of most stores of tests: most tests are about something else than whether packages can be imported."""
WITHOUT_ARCHIVES: dict[str, Any] = WITH_ARCHIVES | {"artifacts_at_once": ["yaml", "lockfile", "explicit"]}
"""The same, and no build makes an archive unless it is asked for: it takes longer than the build."""
PAUSE = 0.05
"""Seconds between two looks at what one waits for."""


class Told(Silent):
    """Progress that keeps what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)


class SharedWorker(WaitingWorker):
    """The worker that waits ready for all stores of a test process: loaded once, it forks for their jobs."""

    def end(self) -> None:
        """Go on for the next store; it ends when the tests' process does."""


@cache
def shared_worker() -> SharedWorker:
    """Return the worker that waits for the jobs of this process's stores."""
    modules = ["s3fs"] if object_store.WANTED else []
    found = SharedWorker(3600.0, Path(tempfile.gettempdir()), modules)
    found.begin()
    deadline = time.monotonic() + 30
    while found.process is not None and not found.usable() and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return found


def store_config(root: Path, **values: Any) -> StoreConfig:
    """Return the configuration of a store under test, which may use PostgreSQL and a bucket."""
    return StoreConfig(str(root), **{"database_url": database_url(str(root)), **bucket_of(str(root)), **values})


def executor_of(config: StoreConfig) -> LocalExecutor:
    """Return the executor of a store under test: its workers are forked, as a server's are."""
    return LocalExecutor(config, shared_worker())


class Store:
    """A store under test: an :class:`EnvStore` and a scheduler that runs while one waits."""

    def __init__(self, envstore: EnvStore) -> None:
        self.envstore = envstore
        self.root = envstore.config.root
        self.retention = Retention(envstore.config, envstore.database, envstore.blobs)
        self.data: dict[str, Any] = {}

    def submit(self, text: str, namespace: str = "team", name: str | None = None) -> BuildRef:
        """Add a build of an indented text."""
        specification = read_specification(textwrap.dedent(text))
        return self.envstore.builds.submit(specification, namespace, name, "tester")

    def build(self, text: str, namespace: str = "team", name: str | None = None) -> dict[str, Any]:
        """Build and wait for all artifacts; return everything about the build."""
        return self.wait(self.submit(text, namespace, name).id)

    def wait(self, build_id: int, timeout: float = 120.0) -> dict[str, Any]:
        """Schedule until nothing of the build is left to do."""
        self.until(lambda: not self.envstore.builds.progress(build_id)["busy"], timeout)
        view = self.envstore.builds.show(build_id)
        assert view["status"] not in UNSETTLED, self.envstore.logs.read(build_id)
        return view

    def until(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        """Schedule until ``condition`` holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                jobs = [(job.kind, job.state, job.attempt, job.pid, job.reason) for job in self.jobs()]
                pytest.fail(f"it took too long; jobs: {jobs}")
            self.envstore.scheduler.tick()
            time.sleep(PAUSE)

    def start_with(self, executor: Executor) -> None:
        """Have workers of another kind: once those of before have ended, which take what comes next for their build."""
        self.until(lambda: not any(is_alive(job.pid, job.process_started) for job in self.jobs() if job.pid))
        self.envstore.scheduler.executor.close()
        self.envstore.scheduler.executor = executor

    def jobs(self) -> list[Job]:
        """Return all jobs."""
        with self.envstore.database.read() as session:
            return list(session.query(Job).order_by(Job.id))

    def files(self) -> set[str]:
        """Return what lies in the folders of builds and of unfinished things, besides the mark of the disk."""
        config = self.envstore.config
        found = [path for folder in (config.builds, config.staging) for path in folder.iterdir()]
        return {str(path.relative_to(self.root)) for path in found if path.name != DISK}

    def end_workers(self) -> None:
        """Kill what still runs."""
        for job in self.jobs():
            if job.state == "running" and job.pid and start_time(job.pid) == job.process_started:
                os.killpg(job.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the store."""
        self.envstore.close()


@contextmanager
def opened_stores(package_cache: Path) -> Iterator[Callable[..., Store]]:
    """Open stores as they are asked for, each on a folder of its own; at the end all of it goes, and what still runs.

    What is given takes values of a :class:`StoreConfig`, and ``packages``: another package cache than the usual one.
    """
    opened: list[Store] = []

    def make(packages: Path = package_cache, **config: Any) -> Store:
        folder = Path(tempfile.mkdtemp(prefix="es-"))
        (folder / "pkgs").symlink_to(packages)
        settings = WITHOUT_ARCHIVES | config.pop("settings", {})
        chosen = store_config(folder, lease_seconds=LONG_LEASE_SECONDS, settings=settings, **config)
        opened.append(Store(EnvStore.open(chosen, executor_of(chosen))))
        return opened[-1]

    yield make
    for store in opened:
        store.end_workers()
        store.close()
        remove_tree(store.root)


def python_with(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with packages; return its Python."""
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    assert uv
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return python


def python_beside(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with packages beside what the tests' Python has; return its Python."""
    python = python_with(folder, *packages)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "of-the-tests.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", encoding="utf-8"
    )
    return python


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Drop it."""


class WithoutShards(QuietHandler):
    """Serves a channel's whole index alone."""

    def send_head(self) -> Any:
        """Say that there is no other."""
        if "shards" in self.path:
            self.send_error(404)
            return None
        return super().send_head()


@contextmanager
def serve(folder: str, handler: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    """Serve a folder over HTTP on this host; give host and port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class DistantBlobs:
    """A blob store that is elsewhere: the file that it gives of a blob is a copy of that moment."""

    def __init__(self, folder: Path) -> None:
        self.there = LocalBlobStore(folder / "there")
        self._here = folder / "here"
        self.copied: list[str] = []
        """Blobs whose files were asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.there, name)

    def local_file(self, digest: str) -> Path:
        """Return a copy on this machine."""
        self.copied.append(digest)
        copy = self._here / digest
        if self.there.exists(digest):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(self.there.read(digest))
        return copy
