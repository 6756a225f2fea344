"""Channels and stores for all tests: real packages, real SQLite, real worker processes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.channel_maker.channel import make_channel
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.images.host_base import write_host_base
from jupyter_envstore.services.store import EnvStore
from tests import nasty, object_store, postgresql
from tests.helpers import LEASE_SECONDS, WITH_ARCHIVES, WITHOUT_ARCHIVES, Store, executor_of, store_config
from tests.schedule import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.schedule import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.server.live import Server

CACHE = Path(__file__).parent.parent / ".cache"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER_PYTHONS = ("3.12", "3.13", "3.11", "3.10")

BYTE_CODE = "ENVSTORE_TEST_BYTE_CODE"
"""Environment variable with the folder of byte code that all processes of a run share."""
EXIT_STATUS = pytest.StashKey[pytest.Session]()
UNEXPECTED_SKIP = 10
"""Exit status of a strict run in which a test was skipped that should have run; pytest's own end with 5."""

# Skips that are right on some machines; any other fails a strict run.
EXPECTED_SKIPS = (
    "needs a second Python",
    "needs root",
    "needs to be another user",
    "file system",
    "needs constructor",
    "a file of SQLite",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder for byte code, in the process that starts the others."""
    if not is_started_by_another(config):
        os.environ[BYTE_CODE] = tempfile.mkdtemp(prefix="es-byte-code-")


def is_started_by_another(config: pytest.Config) -> bool:
    """Whether pytest-xdist has started this process."""
    return hasattr(config, "workerinput")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Make a skip that nobody expects fail continuous integration."""
    if not os.environ.get("ENVSTORE_TEST_STRICT_SKIPS"):
        return
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(expected in reason for expected in EXPECTED_SKIPS):
            terminalreporter.write_line(f"unexpected skip: {report.nodeid}: {reason}", red=True)
            terminalreporter._session.exitstatus = UNEXPECTED_SKIP


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the session ended, for the last hook; end what the process started for all of its tests."""
    session.config.stash[EXIT_STATUS] = session
    postgresql.remove_shared_server()
    object_store.remove_shared_object_store()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End without taking the interpreter apart, which rattler's threads now and then crash (see ``cli.main.run``)."""
    if not is_started_by_another(config) and BYTE_CODE in os.environ:  # tests_in_process has only this hook
        remove_tree(Path(os.environ.pop(BYTE_CODE)))
    if EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(config.stash[EXIT_STATUS].exitstatus))


def other_python() -> Path | None:
    """Return the prefix of a CPython of another minor version, where one is installed."""
    roots = [Path(p) for p in os.environ.get("ENVSTORE_TEST_PYTHONS", "").split(os.pathsep) if p]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in OTHER_PYTHONS:
        if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
            continue
        roots += sorted(pyenv.glob(f"{minor}.*"))
        found = shutil.which(f"python{minor}")
        if found:
            code = "import sys; print(sys.base_prefix)"
            done = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
            roots += [Path(done.stdout.strip())] if done.returncode == 0 else []
    return next((root for root in roots if (root / "bin" / "python3").exists()), None)


@pytest.fixture(scope="session")
def channel() -> str:
    """A channel with this Python, another one where there is one, and some fifty real packages."""
    pythons = [Path(sys.base_prefix)]
    second = other_python()
    if second:
        pythons.append(second)
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "channel.lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make_channel(CACHE / "channel", pythons=pythons).path.as_uri()


@pytest.fixture(scope="session")
def nasty_channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A channel of hand-made packages with everything that goes wrong in practice."""
    return nasty.make_channel(tmp_path_factory.mktemp("nasty")).as_uri()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout with this machine's loader, C library and shell."""
    folder = tmp_path_factory.mktemp("base") / "base"
    write_host_base(folder)
    return folder


@pytest.fixture(scope="session")
def package_cache() -> Iterator[Path]:
    """A package cache that stores of one process share; its byte code is shared by all processes of a run."""
    folder = Path(tempfile.mkdtemp(prefix="es-pkgs-"))
    (folder / "bytecode").symlink_to(os.environ[BYTE_CODE])
    yield folder
    remove_tree(folder)


@pytest.fixture
def root() -> Iterator[Path]:
    """A short folder for a store: prefixes stand in shebangs."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    yield folder
    remove_tree(folder)


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """A file system of 24 MB; only root may mount it."""
    mounted = root / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs root, who may mount a small disk")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=False)


@pytest.fixture
def store(root: Path, package_cache: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store with a warm package cache. Its builds make archives where the test has the mark ``archives``."""
    (root / "pkgs").symlink_to(package_cache)
    settings = WITH_ARCHIVES if request.node.get_closest_marker("archives") else WITHOUT_ARCHIVES
    config = store_config(root, lease_seconds=LEASE_SECONDS, settings=dict(settings))
    opened = Store(EnvStore.open(config, executor_of(config)))
    yield opened
    opened.end_workers()
    opened.close()


@pytest.fixture(scope="session")
def built(channel: str, package_cache: Path) -> Iterator[Store]:
    """A store with one full environment, ``team/data``, its artifacts ready. Tests only look at it."""
    folder = Path(tempfile.mkdtemp(prefix="es-built-"))
    (folder / "pkgs").symlink_to(package_cache)
    opened = Store(EnvStore.open(store_config(folder)))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    opened.data = opened.build(
        f"""
        name: data
        description: For tests, to look at
        channels: [{channel}]
        dependencies:
          - python={python}
          - ipykernel
          - numpy
          - pandas
          - flask
          - pip:
              - cowsay
        variables:
          GREETING: it's "fine" $HOME
        """,
        "team",
    )
    yield opened
    opened.end_workers()
    opened.close()
    remove_tree(folder)


def end_workers(root: Path) -> None:
    """Kill the workers of a store that still run."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "jupyter_envstore.builds.worker" in command and process.environ().get("TMPDIR", "").startswith(str(root)):
            os.killpg(process.pid, signal.SIGKILL)


LEFT_SOCKET = re.compile(
    r"Task exception was never retrieved\s+future: <Task [^\n]*WebSocketClosedError\(\)>\n"
    r".*?\n *tornado\.websocket\.WebSocketClosedError\n",
    re.DOTALL,
)
LEFT_EARLY = re.compile(
    r"Uncaught exception GET /api/kernels/(?:(?!\n\[).)*?"
    r"AttributeError: 'NoneType' object has no attribute 'kernel_ws_protocol'",
    re.DOTALL,
)
"""A browser leaves while Jupyter Server opens the socket of a kernel: its handler forgot the connection by then."""
GONE_KERNEL = re.compile(
    r"Error loading kernelspec 'envstore-[^\n]*\n"
    r" *Traceback(?:(?!\n\[).)*?\n *FileNotFoundError: [^\n]*/kernels/envstore-[^\n]*/kernel\.json'\n",
    re.DOTALL,
)
"""jupyter_client lists folders, then reads the files in them: a kernel may have been removed in between."""


ENDED_KERNEL = re.compile(
    r"(?:Traceback|Exception ignored)(?:(?!\n\[).)*?/ipykernel/(?:(?!\n\[).)*?RuntimeError: Event loop is closed",
    re.DOTALL,
)
"""A kernel that ends while it has something to say; what kernels print stands in the server's log."""
FAILED_JOB = re.compile(
    r"Traceback[^\n]*\n *File [^\n]*/jupyter_scheduler/executors\.py(?:(?!\n\[).)*?\n\w+Error: ", re.DOTALL
)
"""jupyter-scheduler prints why a job failed."""


@contextmanager
def servers(package_cache: Path) -> Iterator[Callable[..., Server]]:
    """Start servers, each with a store of its own and more configuration; stop them at the end."""
    started: list[Server] = []

    def make(extra: str = "", python: str | Path = sys.executable) -> Server:
        server = Server(Path(tempfile.mkdtemp(prefix="es-")), extra, python)
        server.root.mkdir()
        (server.root / "pkgs").symlink_to(package_cache)
        started.append(server)
        return server.start()

    yield make
    logs = []
    for server in started:
        server.stop(signal.SIGKILL)
        end_workers(server.root)
        # A browser that leaves while Jupyter Server writes to its socket is no fault of this server.
        text = server.log.read_text()
        for pattern in (LEFT_EARLY, LEFT_SOCKET, GONE_KERNEL, ENDED_KERNEL, FAILED_JOB):
            text = pattern.sub("", text)
        logs.append(text)
        remove_tree(server.folder)
    for text in logs:
        place = text.find("Traceback")
        assert place < 0, text[max(place - 500, 0) : place + 4000]
        assert "STOOD STILL" not in text, [line for line in text.splitlines() if "STOOD STILL" in line]


@pytest.fixture(scope="module")
def make_server(package_cache: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the tests of a file: even one that nobody uses takes time, to look at its store."""
    with servers(package_cache) as make:
        yield make


@pytest.fixture(scope="session")
def make_lasting_server(package_cache: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that tests of several files use."""
    with servers(package_cache) as make:
        yield make


@pytest.fixture(scope="session")
def server(make_lasting_server: Callable[[str], Server], channel: str) -> Server:
    """A server with one built environment, ``team/data``, and all its artifacts. Tests add others."""
    found = make_lasting_server("")
    found.build_id = found.submit(
        f"""
name: data
description: For tests, to look at
channels: [{channel}]
dependencies: [python={PYTHON}, ipykernel, numpy, pip]
variables: {{GREETING: 'hello $HOME'}}
"""
    )
    build = found.wait(found.build_id)
    assert build["status"] == "COMPLETED", build["status_info"]
    found.make(found.build_id, "archive")
    return found
