"""Cancels and kills at every step, two processes at once, lost workers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jupyter_envstore.builds import scheduler as scheduler_module
from jupyter_envstore.builds.cache_lock import caches_alone
from jupyter_envstore.builds.local_executor import LocalExecutor, handle_of_process
from jupyter_envstore.builds.processes import end_group, is_alive, start_time
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import ARTIFACT, BUILD, CHECK, FINISH, RESTORE, Claim, Handle, claim_next, enqueue
from jupyter_envstore.database.models import Build, Job
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.services.store import EnvStore
from tests.helpers import LEASE_SECONDS, Store, store_config

pytestmark = pytest.mark.archives
STEPS = ["solve", "fetch", "pip", "record", "link", "activate"]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# A real worker that stops itself (SIGSTOP) in the middle of a step, so that the test can do to it what it wants there.
STOPPING_WORKER = """
import contextlib, os, signal, sys
from jupyter_envstore.builds import prefix_steps, worker, workspace
step = workspace.Workspace.step
into_place = prefix_steps.PrefixSteps._into_place
@contextlib.contextmanager
def stopping(self, name, title):
    with step(self, name, title):
        yield
        if name == sys.argv[1] and may_stop():
            os.kill(os.getpid(), signal.SIGSTOP)
def may_stop():
    for number in range(int(sys.argv[2])):
        try:
            os.close(os.open(f"{sys.argv[3]}/stopped-{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return True
    return False
def stopping_before(self, staging):
    if sys.argv[1] == "into place" and may_stop():
        os.kill(os.getpid(), signal.SIGSTOP)
    into_place(self, staging)
workspace.Workspace.step = stopping
prefix_steps.PrefixSteps._into_place = stopping_before
sys.exit(worker.main(sys.argv[4:]))
"""


class StoppingExecutor(LocalExecutor):
    """Starts workers that stop at a step; ``times`` of them, whichever come to it first."""

    def __init__(self, config: StoreConfig, step: str, times: int = 100) -> None:
        super().__init__(config)
        self.step = step
        self.times = times

    def start(self, claim: Claim) -> Handle:
        limits = (self.step, str(self.times), str(self.config.root))
        command = [sys.executable, "-c", STOPPING_WORKER, *limits, str(claim.job_id), str(claim.attempt)]
        worker = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=scrubbed_environment(),
            stderr=subprocess.DEVNULL,
        )
        assert worker.stdin
        worker.stdin.write(self.config.to_text().encode())
        worker.stdin.close()
        self.workers.append(worker)
        return handle_of_process(worker.pid, start_time(worker.pid))


def stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def text(channel: str) -> str:
    return f"""
        name: trouble
        channels: [{channel}]
        dependencies:
          - python={PYTHON}
          - pip: [cowsay]
        """


def stop_at(store: Store, step: str, channel: str, times: int = 100) -> int:
    """Start a build, and return its id when its worker has stopped in ``step``."""
    store.start_with(StoppingExecutor(store.envstore.config, step, times))
    build = store.submit(text(channel))
    store.until(lambda: any(stopped(job.pid) for job in store.jobs() if job.pid))
    return build.id


@pytest.mark.parametrize("step", STEPS)
def test_a_build_canceled_in_any_step_ends_within_5_seconds_and_leaves_no_files(
    store: Store, channel: str, step: str
) -> None:
    build_id = stop_at(store, step, channel)
    started = time.monotonic()
    store.envstore.builds.cancel(build_id)
    assert time.monotonic() - started < 5
    assert store.envstore.builds.show(build_id)["status"] == "CANCELED"
    assert store.files() == set()
    assert not any(is_alive(job.pid, job.process_started) for job in store.jobs())
    assert "Find versions" in store.envstore.logs.read(build_id)


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_any_step_is_replaced_once_and_the_build_completes(
    store: Store, channel: str, step: str
) -> None:
    build_id = stop_at(store, step, channel, times=1)
    os.killpg(store.jobs()[0].pid, signal.SIGKILL)
    view = store.wait(build_id)
    assert view["status"] == "COMPLETED"
    assert {artifact["reason"] for artifact in view["artifacts"]} == {""}
    assert {artifact["state"] for artifact in view["artifacts"]} == {"ready"}
    assert store.jobs()[0].attempt == 2
    assert store.files() == {f"builds/{Path(view['prefix']).name}"}


def test_a_build_whose_worker_is_lost_twice_fails_with_the_reason(store: Store, channel: str) -> None:
    build_id = stop_at(store, "solve", channel)
    os.killpg(store.jobs()[0].pid, signal.SIGKILL)
    store.until(lambda: store.jobs()[0].attempt == 2 and stopped(store.jobs()[0].pid))
    os.killpg(store.jobs()[0].pid, signal.SIGKILL)
    view = store.wait(build_id)
    assert view["status"] == "FAILED"
    assert "ended and left no reason" in view["reason"]
    assert store.files() == set()


def test_a_worker_that_is_there_and_silent_is_told_from_one_that_is_gone(store: Store, channel: str) -> None:
    build_id = stop_at(store, "solve", channel, times=1)
    with store.envstore.database.write() as session:
        session.query(Job).update({"heartbeat_on": datetime(2020, 1, 1, tzinfo=timezone.utc).replace(tzinfo=None)})
    store.envstore.scheduler.settle_lost()
    assert "it did not report for 10 s" in store.envstore.logs.read(build_id)
    assert store.jobs()[0].state == "queued"
    store.envstore.builds.cancel(build_id)


def test_a_worker_lost_while_it_finishes_leaves_the_build_usable_and_it_is_finished_later(
    store: Store, nasty_channel: str, channel: str
) -> None:
    build_id = stop_at(store, "compile", channel, times=1)
    view = store.envstore.builds.show(build_id)
    assert (view["status"], view["active"]) == ("COMPLETED", True)
    inode = (Path(view["prefix"]) / "conda-meta").stat().st_ino
    job = next(job for job in store.jobs() if job.kind == "finish")
    os.killpg(job.pid, signal.SIGKILL)
    view = store.wait(build_id)
    assert view["status"] == "COMPLETED"
    assert {artifact["reason"] for artifact in view["artifacts"]} == {""}
    assert {artifact["state"] for artifact in view["artifacts"]} == {"ready"}
    assert (Path(view["prefix"]) / "conda-meta").stat().st_ino == inode
    assert Path(view["prefix"]).stat().st_mode & 0o777 == 0o555


def test_an_attempt_that_was_lost_behind_its_last_write_changes_nothing(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: q\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    with store.envstore.database.write() as session:  # as if its worker had been killed right after COMPLETED
        job = session.get_one(type(store.jobs()[0]), store.jobs()[0].id)
        job.state, job.ended_on = "queued", None
    again = store.wait(view["id"])
    assert (again["status"], again["prefix"]) == ("COMPLETED", view["prefix"])
    assert [a["sha256"] for a in again["artifacts"]] == [a["sha256"] for a in view["artifacts"]]


def test_a_second_attempt_goes_on_from_the_record_of_the_first(store: Store, channel: str) -> None:
    build_id = stop_at(store, "link", channel, times=1)
    os.killpg(store.jobs()[0].pid, signal.SIGKILL)
    view = store.wait(build_id)
    assert view["status"] == "COMPLETED"
    assert [step["name"] for step in view["steps"]].count("solve") == 1


def test_canceling_the_artifacts_of_a_ready_build_leaves_it_ready_and_finished(store: Store, channel: str) -> None:
    build_id = stop_at(store, "artifact-archive", channel)
    assert "artifact" in store.envstore.builds.cancel(build_id)
    view = store.wait(build_id)
    assert view["status"] == "COMPLETED"
    assert "canceled" in {artifact["reason"] for artifact in view["artifacts"]}
    assert re.search(r"^\d\d:\d\d:\d\d canceled: artifact archive$", store.envstore.logs.read(build_id), re.MULTILINE)
    assert Path(view["prefix"]).stat().st_mode & 0o777 == 0o555


def test_deleting_a_build_that_is_still_worked_on_stops_the_work(store: Store, channel: str) -> None:
    build_id = stop_at(store, "artifact-archive", channel)
    store.submit(text(channel))
    store.envstore.scheduler.executor.close()
    store.envstore.scheduler.executor = LocalExecutor(store.envstore.config)
    store.until(lambda: store.envstore.builds.show(2)["status"] == "COMPLETED")
    store.envstore.builds.delete(build_id)
    store.wait(2)
    assert store.files() == {f"builds/{Path(store.envstore.builds.show(2)['prefix']).name}"}
    assert not any(job.state == "failed" for job in store.jobs())


def test_a_worker_waits_for_the_caches_without_losing_its_lease(store: Store, nasty_channel: str) -> None:
    store.envstore.scheduler.executor = LocalExecutor(replace(store.envstore.config, lease_seconds=3.0))
    with caches_alone(store.envstore.config) as alone:
        assert alone
        build = store.submit(f"name: q\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
        started = time.monotonic()
        store.until(lambda: time.monotonic() - started > 5)  # longer than the lease
        assert store.envstore.builds.show(build.id)["status"] == "BUILDING"
    assert store.wait(build.id)["status"] == "COMPLETED"
    assert store.jobs()[0].attempt == 1


def test_an_error_in_one_round_does_not_end_the_scheduler(store: Store, nasty_channel: str, caplog: object) -> None:
    scheduler = store.envstore.scheduler
    rounds = []

    def tick() -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise OSError(39, "Directory not empty")
        stop.set()
        return 0

    stop = threading.Event()
    scheduler.tick = tick  # type: ignore[method-assign]  # the fault cannot be had at will
    scheduler.run(stop, pause=0.01)
    assert len(rounds) == 2


def test_what_cannot_be_removed_does_not_hold_up_the_job(
    store: Store, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = stop_at(store, "solve", channel)

    def refuse(path: Path) -> None:
        raise OSError(16, "Device or resource busy", str(path))

    monkeypatch.setattr(scheduler_module, "remove_tree", refuse)  # such a file cannot be had at will
    store.envstore.builds.cancel(build_id)
    assert store.envstore.builds.show(build_id)["status"] == "CANCELED"
    assert store.jobs()[0].state == "canceled"


def test_a_worker_that_cannot_be_started_is_tried_again(store: Store, nasty_channel: str) -> None:
    class Failing(LocalExecutor):
        failures = 1

        def start(self, claim: Claim) -> Handle:
            if self.failures:
                self.failures -= 1
                raise OSError(11, "Resource temporarily unavailable")
            return super().start(claim)

    store.envstore.scheduler.executor = Failing(store.envstore.config)
    view = store.build(f"name: q\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert (view["status"], store.jobs()[0].attempt) == ("COMPLETED", 2)


def test_a_queued_build_is_canceled_without_ever_running(store: Store, nasty_channel: str) -> None:
    build = store.submit(f"name: q\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    store.envstore.builds.cancel(build.id)
    assert store.envstore.builds.show(build.id)["status"] == "CANCELED"
    assert store.envstore.scheduler.tick() == 0
    with pytest.raises(ConflictError, match="nothing to cancel"):
        store.envstore.builds.cancel(build.id)


def test_the_death_of_who_scheduled_changes_nothing_for_the_worker(store: Store, channel: str) -> None:
    build = store.submit(text(channel))
    code = (
        "import sys, os\nfrom jupyter_envstore.config import StoreConfig\n"
        "from jupyter_envstore.services.store import EnvStore\n"
        f"EnvStore.open(StoreConfig.from_text({store.envstore.config.to_text()!r})).scheduler.tick()\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while store.envstore.builds.progress(build.id)["busy"]:  # nobody schedules any more
        assert time.monotonic() < deadline
        time.sleep(0.05)
    view = store.envstore.builds.show(build.id)
    assert view["status"] == "COMPLETED"
    assert {artifact["reason"] for artifact in view["artifacts"]} == {""}
    assert {artifact["state"] for artifact in view["artifacts"]} == {"ready"}


def test_a_worker_that_lost_its_claim_ends_itself(store: Store, channel: str) -> None:
    stop_at(store, "solve", channel, times=1)
    pid, started = store.jobs()[0].pid, store.jobs()[0].process_started
    with store.envstore.database.write() as session:  # another attempt took over, as after a network cut
        session.get_one(type(store.jobs()[0]), store.jobs()[0].id).attempt += 1
    os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + 10
    while is_alive(pid, started):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    end_group(pid, started)


@pytest.mark.parametrize("step", ["into place", "activate"])
def test_a_worker_that_lost_its_claim_leaves_the_prefix_of_another_attempt(
    store: Store, channel: str, step: str
) -> None:
    build_id = stop_at(store, step, channel, times=1)
    pid, started = store.jobs()[0].pid, store.jobs()[0].process_started
    with store.envstore.database.write() as session:
        session.get_one(Job, store.jobs()[0].id).attempt += 1
        prefix = store.envstore.config.builds / session.get_one(Build, build_id).directory
    remove_tree(prefix)
    (prefix / "of-another-attempt").mkdir(parents=True)
    os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + 10
    while is_alive(pid, started):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    end_group(pid, started)
    assert [path.name for path in prefix.iterdir()] == ["of-another-attempt"]


def test_deleting_an_environment_while_it_builds_stops_the_build(store: Store, channel: str) -> None:
    stop_at(store, "link", channel)
    store.envstore.environments.delete("team", "trouble", at_once=True)
    assert store.files() == set()
    assert store.jobs()[0].state == "canceled"


def test_two_processes_share_one_store_and_each_build_runs_once(store: Store, nasty_channel: str) -> None:
    texts = [f"name: e{n}\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, nasty-links]" for n in range(6)]
    other = Store(EnvStore.open(store.envstore.config))
    ids = [(store if n % 2 else other).submit(text).id for n, text in enumerate(texts)]

    def done() -> bool:
        other.envstore.scheduler.tick()
        return not any(store.envstore.builds.progress(build)["busy"] for build in ids)

    store.until(done)
    views = [store.envstore.builds.show(build) for build in ids]
    other.close()
    assert [view["status"] for view in views] == ["COMPLETED"] * 6
    assert all(job.attempt == 1 for job in store.jobs())
    assert all(artifact["state"] == "ready" for view in views for artifact in view["artifacts"])


def test_namespaces_take_turns(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-sleepy]"
    for n in range(3):
        store.submit(text, "busy", f"e{n}")
    store.submit(text, "other", "e")
    store.envstore.scheduler.tick()
    running = [job.build_id for job in store.jobs() if job.state == "running"]
    assert running == [1, 4]


def test_a_namespace_that_asks_for_very_much_keeps_no_other_from_its_turn(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    first = store.submit(text, "busy", "e")
    with store.envstore.database.write() as session:
        for _ in range(2000):
            enqueue(session, RESTORE, first.id)
    last = store.submit(text, "other", "e")
    with store.envstore.database.write() as session:
        found = [claim_next(session, 10, "here") for _ in range(4)]
        assert [claim and claim.build_id for claim in found] == [first.id, last.id, first.id, first.id]
        assert [claim and claim.kind for claim in found] == [RESTORE, BUILD, RESTORE, RESTORE]
        session.rollback()


def test_what_is_brought_back_does_not_wait_behind_builds(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    for number in range(4):
        store.submit(text, "team", f"e{number}")
    with store.envstore.database.write() as session:
        first = claim_next(session, 10, "here")
        assert first is not None
        enqueue(session, RESTORE, first.build_id)  # as a worker does that has made it elsewhere
        found = [claim_next(session, 10, "here") for _ in range(2)]
        assert [(claim.kind, claim.build_id) for claim in found if claim] == [
            (RESTORE, first.build_id),
            (BUILD, first.build_id + 1),
        ]
        session.rollback()


@pytest.mark.parametrize(
    ("running", "waiting", "limit", "begins"),
    [
        ([FINISH], [FINISH, BUILD], 2, FINISH),  # a place is free: the oldest comes first
        ([FINISH, CHECK], [FINISH, BUILD], 2, BUILD),  # none is free, and no build runs: one begins beside
        ([FINISH, CHECK], [ARTIFACT, RESTORE], 2, RESTORE),
        ([FINISH, CHECK], [ARTIFACT], 2, None),
        ([FINISH, BUILD], [BUILD], 2, None),
        ([FINISH, CHECK, BUILD], [BUILD], 2, None),
        ([FINISH, CHECK, FINISH], [BUILD], 2, None),  # never more than one beside
        ([FINISH], [BUILD], 1, None),  # where one place is wanted, nothing runs beside
    ],
)
def test_a_build_does_not_wait_for_what_is_done_behind_others(
    store: Store, nasty_channel: str, running: list[str], waiting: list[str], limit: int, begins: str | None
) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    for number in range(len(running) + len(waiting)):
        store.submit(text, "team", f"e{number}")
    with store.envstore.database.write() as session:
        jobs = session.query(Job).order_by(Job.id).all()
        for job, kind in zip(jobs, (*running, *waiting), strict=True):
            job.kind, job.state = kind, "running" if jobs.index(job) < len(running) else "queued"
            job.runner_id = job.place_id
        session.flush()
        claim = claim_next(session, limit, "here")
        assert (claim and claim.kind) == begins
        session.rollback()


def test_a_build_beyond_its_time_limit_fails_with_the_limit(
    root: Path, package_cache: Path, nasty_channel: str
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    store = Store(EnvStore.open(store_config(root, build_time_limit=0.0)))
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    store.close()
    assert view["status"] == "FAILED"
    assert "build_time_limit" in view["reason"]


def test_a_build_beyond_its_size_limit_fails_with_the_limit(root: Path, channel: str) -> None:
    store = Store(EnvStore.open(store_config(root, max_build_bytes=1_000_000)))
    view = store.build(text(channel))
    store.close()
    assert view["status"] == "FAILED"
    assert "max_build_bytes" in view["reason"]
    assert store.files() == set()


def test_a_step_that_hangs_beyond_the_time_limit_is_ended_and_leaves_no_files(
    root: Path, package_cache: Path, nasty_channel: str
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    store = Store(EnvStore.open(store_config(root, build_time_limit=4.0, lease_seconds=3.0)))
    started = time.monotonic()
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-sleepy]")
    assert view["status"] == "FAILED"
    assert time.monotonic() - started < 20
    store.until(lambda: store.files() == set(), 10)
    store.close()


def test_a_hung_worker_that_was_killed_at_the_limit_is_swept_up(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]")
    job = next(job for job in store.jobs() if job.build_id == view["id"])
    with store.envstore.database.write() as session:
        session.get_one(Build, view["id"]).directory = "left"
    (store.envstore.config.builds / "left").mkdir()
    store.envstore.config.staging_of(job.id, job.attempt).mkdir()
    store.until(lambda: store.files() == set(), 10)


@pytest.fixture
def alone(root: Path, package_cache: Path) -> Iterator[Store]:
    """A store as the command line opens it: its workers hand on."""
    (root / "pkgs").symlink_to(package_cache)
    opened = Store(EnvStore.open(store_config(root, lease_seconds=LEASE_SECONDS, hand_on=True)))
    yield opened
    opened.end_workers()
    opened.close()


def test_a_queue_goes_on_where_nobody_schedules(alone: Store, nasty_channel: str) -> None:
    text = f"name: {{}}\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    references = [alone.submit(text.format(name)) for name in ("a", "b", "c", "d", "e")]
    alone.envstore.scheduler.tick()  # and no more
    deadline = time.monotonic() + 60
    while any(alone.envstore.builds.progress(reference.id)["busy"] for reference in references):
        assert time.monotonic() < deadline, [job.state for job in alone.jobs()]
        time.sleep(0.1)
    assert all(alone.envstore.builds.show(reference.id)["status"] == "COMPLETED" for reference in references)


def test_a_job_that_is_canceled_while_its_worker_starts_is_no_trouble(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(claim: Claim) -> Handle:
        store.envstore.scheduler.cancel(claim.build_id, everything=True)
        msg = "its folder is gone"
        raise FileNotFoundError(msg)

    monkeypatch.setattr(store.envstore.scheduler.executor, "start", start)
    reference = store.submit(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    store.until(lambda: store.envstore.builds.show(reference.id)["status"] == "CANCELED")
    assert "no worker could be started" not in caplog.text
