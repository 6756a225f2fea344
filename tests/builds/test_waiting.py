"""The worker that waits ready: its children are workers like any other, and nothing of one job is left for the next."""

from __future__ import annotations

import os
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.builds import waiting_worker
from jupyter_envstore.builds.local_executor import LocalExecutor
from jupyter_envstore.builds.priority import NICENESS
from jupyter_envstore.builds.processes import is_alive, start_time
from jupyter_envstore.builds.waiting_worker import GO, Request, WaitingWorker
from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import BUILD
from jupyter_envstore.database.models import Job
from jupyter_envstore.services.store import EnvStore
from tests import nasty
from tests.helpers import LEASE_SECONDS, Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it waits on Linux only")
TELLS = """
echo "worker $PPID of $(ps -o ppid= -p $PPID | tr -d ' ')" >&2
echo "proxy ${HTTPS_PROXY-none}, token ${JUPYTER_TOKEN-none}, temporary $TMPDIR" >&2
"""


@pytest.fixture(scope="module")
def small_channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two packages: one's activation tells of the process and its variables, the other's takes a while."""
    folder = tmp_path_factory.mktemp("small")
    nasty.add(folder, "tells", activated_with(TELLS))
    nasty.add(folder, "takes-a-while", activated_with("sleep 4\n"))
    index_channel(folder)
    return folder.as_uri()


def activated_with(script: str) -> nasty.Fill:
    """Fill a package with a script that runs when its environment is activated."""

    def fill(root: Path) -> None:
        path = root / "etc" / "conda" / "activate.d" / "script.sh"
        path.parent.mkdir(parents=True)
        path.write_text(script)

    return fill


@pytest.fixture
def waited(root: Path) -> Iterator[Store]:
    """A store whose worker waits, loaded and ready."""
    config = StoreConfig(
        str(root), lease_seconds=LEASE_SECONDS, worker_wait_seconds=120.0, settings={"artifacts_at_once": []}
    )
    opened = Store(EnvStore.open(config, LocalExecutor(config)))
    config.staging.mkdir(exist_ok=True)
    executor(opened).waiting.begin()
    wait_until_ready(opened)
    yield opened
    opened.end_workers()
    opened.close()


def executor(store: Store) -> LocalExecutor:
    """Return what starts the store's workers."""
    found = store.envstore.scheduler.executor
    assert isinstance(found, LocalExecutor)
    return found


def wait_until_ready(store: Store) -> int:
    """Wait until the process waits; return its number."""

    def is_ready() -> bool:
        store.envstore.scheduler.tick()  # as a server does
        return executor(store).waiting.usable()

    until(is_ready)
    process = executor(store).waiting.process
    assert process is not None
    return process.pid


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def text(channel: str, package: str) -> str:
    return f"name: small\nchannels: [{channel}]\ndependencies: [{package}]\n"


def start(store: Store, channel: str, package: str = "takes-a-while") -> tuple[int, int]:
    """Start a build; return its id and its worker's process, which takes a while."""
    build_id = store.submit(text(channel, package)).id
    store.until(lambda: "activate" in [step["name"] for step in store.envstore.builds.show(build_id)["steps"]])
    return build_id, build_job(store).pid


def build_job(store: Store) -> Job:
    """Return the last job that made a new build."""
    return [job for job in store.jobs() if job.kind == BUILD][-1]


def test_a_child_is_a_worker_like_any_other_and_has_the_variables_of_its_own_job(
    waited: Store, small_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = wait_until_ready(waited)
    monkeypatch.setenv("JUPYTER_TOKEN", "secret")
    for proxy in ("first", None, "third"):
        if proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}.example:1")
        else:
            monkeypatch.delenv("HTTPS_PROXY")
        view = waited.build(text(small_channel, "tells"))
        log, job = waited.envstore.logs.read(view["id"]), build_job(waited)
        assert view["status"] == "COMPLETED", log
        assert f"worker {job.pid} of {ready}" in log
        expected = f"http://{proxy}.example:1" if proxy else "none"
        assert f"proxy {expected}, token none, temporary {waited.root}/staging/job-{job.id}-1" in log
    assert wait_until_ready(waited) == ready


def test_a_child_has_a_session_of_its_own_gives_way_and_is_known_by_its_start(
    waited: Store, small_channel: str
) -> None:
    _, pid = start(waited, small_channel)
    job = build_job(waited)
    assert os.getsid(pid) == os.getpgid(pid) == pid != wait_until_ready(waited)
    assert job.process_started == start_time(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= NICENESS
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH
    process = psutil.Process(pid)
    assert process.cwd() == "/"
    assert os.path.realpath(f"/proc/{pid}/fd/0") == os.devnull
    assert Path(f"/proc/{pid}/fd/2").readlink() == waited.root / "staging" / f"job-{job.id}-1" / "worker.err"


def test_a_canceled_child_ends_with_all_it_started_and_the_next_job_finds_the_one_that_waits(
    waited: Store, small_channel: str
) -> None:
    ready = wait_until_ready(waited)
    build_id, pid = start(waited, small_channel)
    until(lambda: psutil.Process(pid).children(recursive=True))
    children = psutil.Process(pid).children(recursive=True)
    waited.envstore.builds.cancel(build_id)
    assert waited.envstore.builds.show(build_id)["status"] == "CANCELED"
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
    assert not start_time(pid)
    assert waited.files() == set()
    log = waited.envstore.logs.read(waited.build(text(small_channel, "tells"))["id"])
    assert f"of {ready}\n" in log


def test_a_killed_child_is_replaced_and_leaves_no_dead_process(waited: Store, small_channel: str) -> None:
    build_id, pid = start(waited, small_channel)
    os.killpg(pid, signal.SIGKILL)
    assert waited.wait(build_id)["status"] == "COMPLETED"
    assert not psutil.pid_exists(pid)


def test_one_that_waits_and_is_gone_is_made_anew_by_the_next_job(waited: Store, small_channel: str) -> None:
    ready = wait_until_ready(waited)
    os.kill(ready, signal.SIGKILL)
    until(lambda: not start_time(ready))
    log = waited.envstore.logs.read(waited.build(text(small_channel, "tells"))["id"])
    assert wait_until_ready(waited) != ready
    assert f"of {wait_until_ready(waited)}\n" in log


def test_while_the_one_that_waits_is_loaded_a_job_has_a_process_of_its_own(
    waited: Store, small_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor(waited).waiting.end()
    monkeypatch.setattr(waiting_worker, "LOAD_SECONDS", 0.0)
    log = waited.envstore.logs.read(waited.build(text(small_channel, "tells"))["id"])
    assert f"of {os.getpid()}\n" in log
    ready = wait_until_ready(waited)
    log = waited.envstore.logs.read(waited.build(text(small_channel, "tells"))["id"])
    assert f"of {ready}\n" in log


def test_a_killed_one_that_waits_takes_no_child_with_it(waited: Store, small_channel: str) -> None:
    build_id, pid = start(waited, small_channel)
    os.kill(wait_until_ready(waited), signal.SIGKILL)
    assert waited.wait(build_id)["status"] == "COMPLETED"
    assert build_job(waited).attempt == 1
    assert build_job(waited).pid == pid


def test_a_server_that_ends_takes_the_one_that_waits_with_it_and_no_child(waited: Store, small_channel: str) -> None:
    ready = wait_until_ready(waited)
    build_id, pid = start(waited, small_channel)
    executor(waited).close()
    assert not start_time(ready)
    assert is_alive(pid, build_job(waited).process_started)
    until(lambda: waited.envstore.builds.show(build_id)["status"] == "COMPLETED")
    until(lambda: not start_time(pid))


def test_whoever_asked_and_is_gone_ends_it(root: Path) -> None:
    """As when the server is killed: nothing but the end of its socket tells."""
    found = WaitingWorker(120.0, root)
    found.begin()
    until(found.usable)
    assert found.process is not None
    assert found._control is not None
    found._control.close()
    assert found.process.wait(10) == 0


def test_it_ends_when_it_waited_for_long_enough(root: Path) -> None:
    found = WaitingWorker(0.2, root)
    found.begin()
    assert found.process is not None
    assert found.process.wait(60) == 0
    assert found.hand_over(Request(1, 1, "", {}, str(root))) is None
    found.end()


def test_a_child_that_is_told_nothing_does_nothing(root: Path) -> None:
    found = WaitingWorker(120.0, root)
    found.begin()
    until(found.usable)
    assert found._control is not None
    ours, theirs = socket.socketpair()
    socket.send_fds(found._control, [GO], [theirs.fileno()])
    theirs.close()
    pid = int(ours.recv(200).split()[0])
    ours.close()  # too late for whoever asked: it has started the job in another way
    until(lambda: not start_time(pid))
    assert list(root.iterdir()) == []
    assert found.usable()
    found.end()


def test_after_an_upgrade_it_is_made_anew(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    found = WaitingWorker(120.0, root)
    found.begin()
    until(found.usable)
    before = found.process
    (tmp_path / "some_library-2.0.dist-info").mkdir()
    assert not found.usable()
    found.begin()
    until(found.usable)
    assert found.process is not before
    (tmp_path / "some_library-3.0.dist-info").mkdir()
    assert found.hand_over(Request(1, 1, "", {}, str(root))) is None
    found.end()
