"""Where workers run: behind servers and notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_envstore.builds import scheduler, worker
from jupyter_envstore.builds.local_executor import LOCAL
from jupyter_envstore.builds.priority import NICENESS, give_way
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import Claim, Handle, begin_work, claim_next, note_handle
from jupyter_envstore.database.models import Change, Job
from jupyter_envstore.errors import ForeignFilesError, InvalidInputError
from tests.helpers import LEASE_SECONDS, Store, executor_of
from tests.other_makers import python_with_executors

TWO_BUILDS = """
import sys, time
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import read_specification

root, channel = sys.argv[1:]
config = StoreConfig(
    root, max_concurrent_builds=1, hand_on=True, executor="noting",
    settings={"check_imports": False, "artifacts_at_once": []},
)
store = EnvStore.open(config)
builds = [
    store.builds.submit(read_specification(f"channels: [{channel}]\\ndependencies: [nasty-text]"), "team", name, "me")
    for name in ("first", "second")
]
store.scheduler.tick()
end = time.monotonic() + 60
while (states := [store.builds.get(build.id)["status"] for build in builds]) != ["COMPLETED"] * 2:
    assert time.monotonic() < end and "FAILED" not in states, states
    time.sleep(0.1)
store.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the process file system is Linux's")
def test_a_worker_gives_way_within_its_session_and_beside_others() -> None:
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        give_way(worker.pid)
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) >= NICENESS
        assert os.sched_getscheduler(worker.pid) == os.SCHED_BATCH
        group = Path(f"/proc/{worker.pid}/autogroup")
        if group.exists():  # the kernel's CONFIG_SCHED_AUTOGROUP
            assert group.read_text(encoding="ascii").split()[-2:] == ["nice", str(NICENESS)]
    finally:
        worker.communicate(b"\n")
    give_way(worker.pid)  # one that has ended is no trouble


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter whose environment has executors of other packages."""
    return python_with_executors(tmp_path_factory.mktemp("others"))


def test_the_executor_of_another_package_starts_the_workers(python: Path, nasty_channel: str, root: Path) -> None:
    """The second build is started by the worker of the first, as on the command line."""
    subprocess.run([python, "-c", TWO_BUILDS, root, nasty_channel], check=True)
    started = [line.split() for line in (root / "started").read_text().splitlines()]
    assert [kind for kind, _ in started] == ["build", "build"]
    assert len({starter for _, starter in started}) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slurm", "executor 'slurm' is not known; known: local, dask, broken, noting (c.EnvStoreApp.executor)"),
        ("broken", "executor 'broken' (broken_executor:KIND) cannot be made: ModuleNotFoundError"),
    ],
)
def test_an_executor_that_cannot_be_had_is_named(python: Path, root: Path, name: str, said: str) -> None:
    folder = root / "config"
    folder.mkdir(parents=True)
    (folder / "jupyter_envstore_config.py").write_text(f"c.EnvStoreApp.executor = {name!r}\n")
    command = [python, "-c", "from jupyter_envstore.cli import run; run()", "--root", root, "list"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder)}
    )
    assert done.returncode == InvalidInputError.exit_code
    assert said in done.stderr


def test_a_worker_that_another_host_has_just_started_is_not_taken_for_lost(store: Store, nasty_channel: str) -> None:
    reference = store.submit(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    with store.envstore.database.write() as session:
        claim = claim_next(session, 2, "elsewhere")
        assert claim is not None
        note_handle(session, claim, Handle(LOCAL, "1234567 89", "elsewhere"))
        session.get_one(Job, claim.job_id).heartbeat_on = now() - timedelta(seconds=LEASE_SECONDS * 0.7)
    store.envstore.scheduler.tick()
    (job,) = store.jobs()
    assert (job.state, job.attempt, job.host) == ("running", 1, "elsewhere")
    with store.envstore.database.write() as session:
        session.get_one(Job, job.id).heartbeat_on = now() - timedelta(seconds=LEASE_SECONDS * 2)
    assert store.wait(reference.id)["status"] == "COMPLETED"  # its lease has passed
    assert store.jobs()[0].attempt == 2


def test_a_worker_that_is_not_started_uses_up_no_attempt(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "PAUSE_SECONDS", 0.0)
    reference = store.submit(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    executor = store.envstore.scheduler.executor

    def refuse(_claim: Claim) -> Handle:
        msg = "postgresql://me:geheim@db does not answer\x07" + "!" * 1000
        raise ConnectionError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(executor, "start", refuse)
        for _ in range(5):  # more often than a job is tried
            assert store.envstore.scheduler.tick() == 0
            shown = store.envstore.builds.show(reference.id)
            assert shown["status"] == "QUEUED"
            assert shown["reason"].startswith("waits: no worker could be started: postgresql://")
            assert "geheim" not in shown["reason"]
            assert len(shown["reason"]) < 600
    view = store.wait(reference.id)
    assert (view["status"], view["reason"]) == ("COMPLETED", "")


@pytest.mark.parametrize("is_done_by_another", [True, False])
def test_a_worker_that_finds_a_wrong_folder_ends_no_job_of_another_process(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch, is_done_by_another: bool
) -> None:
    def refuse(*_: object) -> None:
        msg = "the folder belongs to another store"
        raise ForeignFilesError(msg)

    reference = store.submit(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]")
    with store.envstore.database.write() as session:
        claim = claim_next(session, 1, "here")
        assert claim is not None
        if is_done_by_another:
            begin_work(session, claim, "elsewhere", 4711, "1")
    monkeypatch.setattr(worker, "settle_place", refuse)
    assert worker.work(store.envstore.config.to_text(), claim.job_id, claim.attempt) == 1
    view = store.envstore.builds.show(reference.id)
    told = (store.jobs()[0].state, view["status"], view["reason"])
    failed = ("failed", "FAILED", "the folder belongs to another store")
    assert told[:2] == (("running", "QUEUED") if is_done_by_another else failed[:2])
    assert is_done_by_another or told == failed


def test_two_servers_of_a_folder_do_not_write_against_each_other(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    envstore = store.envstore
    reference = store.submit(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    other = Scheduler(envstore.config, envstore.database, envstore.blobs, executor_of(envstore.config))
    first, second = envstore.scheduler, other

    def changes() -> int:
        with envstore.database.read() as session:
            return session.query(Change).count()

    with monkeypatch.context() as patch:
        for one, words in ((first, "the queue is closed"), (second, "the scheduler is away")):
            patch.setattr(one.executor, "ready", lambda words=words: words)
        before = changes()
        for _ in range(10):
            first.tick()
            second.tick()
        assert changes() - before == 2
        assert envstore.builds.show(reference.id)["reason"] == "waits: the scheduler is away"
    restarted = Scheduler(envstore.config, envstore.database, envstore.blobs, executor_of(envstore.config))
    with monkeypatch.context() as patch:
        patch.setattr(restarted, "_start_one", lambda _kinds: False)  # as if all places were taken
        restarted.tick()
    assert envstore.builds.show(reference.id)["reason"] == ""
    assert store.wait(reference.id)["status"] == "COMPLETED"
