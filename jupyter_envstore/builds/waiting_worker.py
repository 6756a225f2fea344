"""A worker that waits ready: a process that has loaded everything, and forks for each job.

A worker of its own needs half a second to load what it works with; one that is forked has it. The waiting process is
given nothing of a job. Over its socket it gets the end of another one, which it hands to the child that it forks; what
is to be done, the configuration and the environment variables go to the child alone. So nothing of one job is left for
the next. Whatever fails before a child has its job, the job is started in a process of its own, as without this.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jupyter_envstore.builds.priority import give_way
from jupyter_envstore.builds.processes import start_time
from jupyter_envstore.engine.process_environment import scrubbed_environment

WAIT = "wait"
"""The word that makes a worker process wait."""
READY, GO = b"r", b"g"
LOAD_SECONDS = 15.0
"""How long a job waits for it to be loaded; then it is started in a process of its own, which is loaded as slowly."""
PATIENCE = 5.0
"""Seconds that a child may take to say who it is; then it gets no job."""
LONGEST = 1 << 24
PRELOADED = (
    "jupyter_envstore.builds.artifact_job",
    "jupyter_envstore.builds.check_step",
    "jupyter_envstore.builds.pipeline",
    "jupyter_envstore.artifacts.archive",
    "jupyter_envstore.artifacts.docker",
    "jupyter_envstore.artifacts.yaml",
    "rattler",
    "rattler.shell",
    "conda_pack.core",
    "isal.igzip_threaded",
    "sqlalchemy.dialects.sqlite",
    "yaml",
)
"""What most jobs need."""


@dataclass(frozen=True)
class Request:
    """What a child is told: a claim by its numbers, the configuration, its environment variables, its own folder."""

    job_id: int
    attempt: int
    config: str
    environment: dict[str, str]
    staging: str

    def to_bytes(self) -> bytes:
        """Return the values as JSON."""
        return json.dumps(asdict(self)).encode()


class WaitingWorker:
    """The server's end: starts the process that waits, and hands jobs to it.

    Parameters
    ----------
    seconds : float
        How long it waits for a job before it ends; 0 for none at all.
    temporary : Path
        Folder for its temporary files.
    modules : sequence of str
        What it loads beside what most jobs need.
    """

    def __init__(self, seconds: float, temporary: Path, modules: Sequence[str] = ()) -> None:
        self.seconds = seconds if sys.platform == "linux" else 0.0  # elsewhere system libraries do not bear a fork
        self.temporary = temporary
        self.modules = modules
        self.process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        self._stamp: object = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start the process, unless it runs and has loaded what is installed now."""
        with self._lock:
            is_there = self.process is not None and self.process.poll() is None and self._stamp == code_stamp()
            if not self.seconds or is_there:
                return
            self._end()
            ours, theirs = socket.socketpair()
            command = [sys.executable, "-m", "jupyter_envstore.builds.worker", WAIT, str(self.seconds)]
            command += self.modules
            with theirs:
                self._stamp = code_stamp()
                self.process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # what it says, a worker in a process of its own says, too
                    start_new_session=True,
                    cwd="/",
                    env=scrubbed_environment(TMPDIR=str(self.temporary)),
                )
            self._control, self._ready = ours, False

    def hand_over(self, request: Request) -> tuple[int, str] | None:
        """Let a child do a job; return its process number and start time, or None where none has taken it.

        One that is still loading is waited for, for some seconds: it is ready hardly later than a process of the job
        would be.
        """
        with self._lock:
            if not self._usable(LOAD_SECONDS):
                return None
            try:
                return self._ask(request)
            except (OSError, ValueError):
                self._end()
                return None

    def usable(self) -> bool:
        """Whether it is loaded and waits."""
        with self._lock:
            return self._usable()

    def _usable(self, seconds: float = 0.0) -> bool:
        """Whether it is loaded and waits, or does so within ``seconds``."""
        control = self._control
        if control is None:
            return False
        if self._stamp != code_stamp():  # it was upgraded: what would be loaded later is of another version
            self._end()
            return False
        if not self._ready:
            control.settimeout(seconds)
            try:
                self._ready = control.recv(1) == READY
            except (BlockingIOError, TimeoutError):  # it is still loading
                return False
            except OSError:
                self._ready = False
            if not self._ready:
                self._end()
        return self._ready

    def _ask(self, request: Request) -> tuple[int, str]:
        control = self._control
        assert control is not None  # noqa: S101 - for the type checker
        control.settimeout(PATIENCE)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(control, [GO], [theirs.fileno()])
            ours.settimeout(PATIENCE)
            pid, _, started = ours.recv(200).decode("ascii").partition(" ")
            if not started:
                msg = "it has ended"
                raise ValueError(msg)
            ours.sendall(request.to_bytes())  # who got no whole request does nothing
            return int(pid), started

    def end(self) -> None:
        """End the process; its children go on."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process, self._control, self._ready = None, None, False


def code_stamp() -> tuple[object, ...]:
    """Return what changes when this package, or one that it uses, is installed anew."""
    package = Path(__file__).parent.parent
    newest = 0
    for folder, _, names in os.walk(package):
        for name in names:
            if name.endswith(".py"):
                with contextlib.suppress(FileNotFoundError):
                    newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns)  # noqa: PTH116, PTH118
    stamps: list[object] = [newest]
    for path in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(package))):
        try:
            status = Path(path).stat()
            stamps.append((status.st_ino, status.st_mtime_ns if path != str(package) else 0))
        except OSError:
            stamps.append(None)
    return tuple(stamps)


# -- the process that waits --------------------------------------------------------------------------------------------


def serve(seconds: float, modules: Sequence[str], work: Callable[[str, int, int], int]) -> None:
    """Fork a child for each job, until none came for ``seconds``, or whoever asks is gone.

    Parameters
    ----------
    modules : sequence of str
        What is loaded beside what most jobs need.
    work : callable
        Does a job: it is given the configuration as text, the job's number and the attempt.
    """
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for name in (*PRELOADED, *modules):
        with contextlib.suppress(ImportError):  # whoever needs it will say so
            importlib.import_module(name)
    from jupyter_envstore.database.models import prepare
    from jupyter_envstore.policy.artifact_kinds import artifact_kinds

    prepare()
    artifact_kinds()  # a look through all installed packages: once, and not for each job
    if threading.active_count() > 1:  # a fork would leave their locks held
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for children: the system collects them
    gc.collect()
    gc.freeze()
    control.sendall(READY)
    control.settimeout(seconds)
    while True:
        try:
            data, handles, _, _ = socket.recv_fds(control, 1, 1)
        except OSError:
            return
        if not data:
            return
        for handle in handles:
            child = _fork()
            if child == 0:
                control.close()
                os._exit(_do(handle, work))
            os.close(handle)


def _fork() -> int | None:
    """Return 0 in the child; None where there can be none now."""
    sys.stderr.flush()
    try:
        return os.fork()
    except OSError:
        return None


def _do(handle: int, work: Callable[[str, int, int], int]) -> int:
    """Become a worker: a session of its own, its own variables and standard error, and the job."""
    try:
        os.setsid()
        give_way(os.getpid())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with socket.socket(fileno=handle) as asking:
            asking.settimeout(PATIENCE * 2)
            asking.sendall(f"{os.getpid()} {start_time(os.getpid())}".encode("ascii"))
            text = b"".join(iter(lambda: asking.recv(LONGEST), b""))
        if not text:
            return 1
        request = Request(**json.loads(text))
        errors = os.open(f"{request.staging}/worker.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(errors, 2)
        os.close(errors)
        os.environ.clear()
        os.environ.update(request.environment)
        tempfile.tempdir = None
        return work(request.config, request.job_id, request.attempt)
    except BaseException:  # a child never goes back to where its parent waits
        import traceback

        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()
