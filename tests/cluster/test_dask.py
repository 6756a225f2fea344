"""Builds on a Dask cluster whose workers have folders of their own, and what goes wrong with it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.builds import cluster_task
from jupyter_envstore.builds.cluster_options import ClusterOptions
from jupyter_envstore.builds.executors import executor_for
from jupyter_envstore.builds.processes import is_alive
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import handle_of
from jupyter_envstore.database.models import Job
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.store import EnvStore
from tests.dask_cluster import DaskCluster
from tests.helpers import Store
from tests.object_store import SECRET

Opened = Callable[..., Store]
TEXT = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text]"
SLEEPY = "name: e\nchannels: [{channel}]\ndependencies: [nasty-sleepy]"


def files_of(cluster: DaskCluster, number: int = 0) -> list[str]:
    """Return what a worker's folder has of builds and of unfinished things."""
    root = cluster.root(number)
    return [str(path.relative_to(root)) for name in ("builds", "staging") for path in (root / name).glob("*")]


def running(store: Store) -> Job:
    """Wait until a build runs in a process; return its job."""
    store.until(lambda: any(job.pid and job.state == "running" and job.kind == "build" for job in store.jobs()))
    return next(job for job in store.jobs() if job.kind == "build" and job.state == "running")


def test_a_build_is_made_by_a_worker_and_linked_where_it_is_used(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(settings={"check_imports": True})
    view = store.build(TEXT.format(channel=nasty_channel))
    assert (view["status"], view["packed_away"]) == ("COMPLETED", False)
    assert (Path(view["prefix"]) / "conda-meta" / "history").is_file()
    assert Path(view["prefix"]).is_relative_to(store.root)
    jobs = {job.kind: job for job in store.jobs()}
    assert {kind: job.executor for kind, job in jobs.items()} == {
        "build": "dask",
        "artifact": "dask",
        "restore": "local",
        "finish": "local",
        "check": "local",
    }
    assert all(job.state == "done" and job.attempt == 1 for job in store.jobs())
    assert not (store.root / "blobs").exists()
    assert files_of(cluster) == []
    log = store.envstore.logs.read(view["id"])
    assert "Recorded after" in log
    assert "Make archive" in log
    assert {a["type"]: a["state"] for a in store.envstore.artifacts.of_build(view["id"])}["archive"] == "ready"


def test_a_build_without_a_worker_waits_as_long_as_it_takes(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(lease_seconds=6.0)
    cluster.workers[0].kill()
    reference = store.submit(TEXT.format(channel=nasty_channel))
    started = time.monotonic()
    store.until(lambda: time.monotonic() - started > 15)  # several leases
    (job,) = store.jobs()
    assert (job.state, job.attempt, job.pid) == ("running", 1, 0)
    cluster.add_worker()
    assert store.wait(reference.id)["status"] == "COMPLETED"


def test_a_build_waits_behind_others_of_its_worker_as_long_as_it_takes(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    """Dask gives a worker one task more than it has places, and counts that as one that is being done."""
    store = open_store(max_concurrent_builds=4)
    builds = [store.submit(SLEEPY.format(channel=nasty_channel), name=f"e{number}") for number in range(3)]
    store.until(lambda: len([job for job in store.jobs() if job.pid]) == 2 and all(job.handle for job in store.jobs()))
    waiting = next(job for job in store.jobs() if not job.pid)
    seen = store.envstore.scheduler.executor.alive(handle_of(waiting))
    assert (seen.alive, seen.waits, seen.starts) == (True, True, False)
    running_one = next(job for job in store.jobs() if job.pid)
    seen = store.envstore.scheduler.executor.alive(handle_of(running_one))
    assert (seen.alive, seen.waits, seen.starts) == (True, False, True)
    for build in builds:
        if build.id != waiting.build_id:
            store.envstore.builds.cancel(build.id)
    store.until(lambda: any(job.id == waiting.id and job.pid and job.attempt == 1 for job in store.jobs()))
    store.envstore.builds.cancel(waiting.build_id)


def test_a_build_that_waits_or_runs_can_be_canceled(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store()
    first = store.submit(SLEEPY.format(channel=nasty_channel), name="first")
    job = running(store)
    store.envstore.builds.cancel(first.id)
    started = time.monotonic()
    store.until(lambda: store.envstore.builds.show(first.id)["status"] == "CANCELED", 20)
    store.until(lambda: not is_alive(job.pid, job.process_started), 5)  # its heartbeat is refused
    assert time.monotonic() - started < 10
    cluster.workers[0].kill()
    second = store.submit(TEXT.format(channel=nasty_channel), name="second")
    store.until(lambda: any(job.build_id == second.id and job.handle for job in store.jobs()))
    store.envstore.builds.cancel(second.id)
    assert store.envstore.builds.show(second.id)["status"] == "CANCELED"
    cluster.add_worker()
    third = store.submit(TEXT.format(channel=nasty_channel), name="third")
    assert store.wait(third.id)["status"] == "COMPLETED"
    assert store.envstore.builds.show(second.id)["status"] == "CANCELED"


def test_a_worker_that_is_killed_with_its_process_is_replaced(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(lease_seconds=3.0)
    reference = store.submit(SLEEPY.format(channel=nasty_channel))
    job = running(store)
    os.killpg(job.pid, signal.SIGKILL)
    cluster.workers[0].kill()
    cluster.add_worker()
    store.until(lambda: store.jobs()[0].attempt == 2)
    assert "tried again" in store.envstore.logs.read(reference.id)
    store.envstore.builds.cancel(reference.id)


def test_a_process_waits_ready_beside_the_worker_and_ends_with_it(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(worker_wait_seconds=60.0)
    reference = store.submit(SLEEPY.format(channel=nasty_channel))
    job = running(store)
    waiting = psutil.Process(job.pid).parent()
    assert waiting is not None
    assert "wait" in waiting.cmdline()
    assert waiting.ppid() == cluster.workers[0].pid
    store.envstore.builds.cancel(reference.id)
    assert store.build(TEXT.format(channel=nasty_channel), name="second")["status"] == "COMPLETED"
    assert waiting.is_running()
    cluster.workers[0].kill()
    waiting.wait(10)


def test_a_process_outlives_the_worker_that_started_it_and_is_alone(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store()
    reference = store.submit(TEXT.format(channel=nasty_channel))
    job = running(store)
    os.kill(job.pid, signal.SIGSTOP)
    cluster.workers[0].kill()
    cluster.add_worker()  # Dask runs the task there once more
    time.sleep(3)
    os.kill(job.pid, signal.SIGCONT)
    view = store.wait(reference.id)
    assert view["status"] == "COMPLETED"
    build = next(job for job in store.jobs() if job.kind == "build")
    assert (build.attempt, build.pid) == (1, job.pid)
    assert store.envstore.logs.read(reference.id).count("Recorded after") == 1


def test_a_machine_that_comes_back_late_writes_nothing(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(lease_seconds=8.0)
    reference = store.submit(TEXT.format(channel=nasty_channel))
    job = running(store)
    os.kill(job.pid, signal.SIGSTOP)
    cluster.workers[0].send_signal(signal.SIGSTOP)
    cluster.add_worker()
    cluster.wait(2)
    view = store.wait(reference.id)
    assert view["status"] == "COMPLETED"
    build = next(job for job in store.jobs() if job.kind == "build")
    assert build.attempt == 2
    log = store.envstore.logs.read(reference.id)
    cluster.workers[0].send_signal(signal.SIGCONT)
    os.kill(job.pid, signal.SIGCONT)
    deadline = time.monotonic() + 10
    while is_alive(job.pid, job.process_started):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert store.envstore.logs.read(reference.id) == log
    assert [job.attempt for job in store.jobs() if job.kind == "build"] == [2]


def test_a_scheduler_that_is_restarted_loses_no_build(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store(lease_seconds=8.0)
    first = store.submit(SLEEPY.format(channel=nasty_channel), name="first")
    running(store)
    cluster.stop_scheduler()
    second = store.submit(TEXT.format(channel=nasty_channel), name="second")
    started = time.monotonic()
    store.until(lambda: time.monotonic() - started > 10)
    assert next(job for job in store.jobs() if job.build_id == second.id).attempt <= 1
    cluster.start_scheduler()
    cluster.add_worker()
    assert store.wait(second.id)["status"] == "COMPLETED"
    assert store.envstore.builds.show(first.id)["status"] in ("BUILDING", "COMPLETED")
    store.envstore.builds.cancel(first.id)


def test_a_worker_that_cannot_do_it_says_why(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_envstore.builds import dask_executor

    monkeypatch.setattr(dask_executor, "__version__", "0.0.1")
    store = open_store()
    view = store.build(TEXT.format(channel=nasty_channel))
    assert view["status"] == "FAILED"
    assert f"has jupyter-envstore {cluster_task.__version__}, and the server 0.0.1; install the same" in view["reason"]
    monkeypatch.undo()
    options = {"address": cluster.address, "worker_root_dir": "$NO_SUCH_VARIABLE"}
    store = open_store(executor_options=options)
    view = store.build(TEXT.format(channel=nasty_channel), name="other")
    assert SECRET not in cluster.log()
    assert "worker_root_dir '$NO_SUCH_VARIABLE' is '$NO_SUCH_VARIABLE' on" in view["reason"]


def test_credentials_can_stay_with_the_workers(open_store: Opened, cluster: DaskCluster, nasty_channel: str) -> None:
    options = {
        "address": cluster.address,
        "worker_root_dir": "$ENVSTORE_WORKER_ROOT",
        "send_credentials": False,
    }
    store = open_store(executor_options=options)
    sent = ClusterOptions.of(store.envstore.config).for_workers(store.envstore.config).to_text()
    assert store.envstore.config.database_url not in sent
    assert store.envstore.config.blob_options["secret"] not in sent
    view = store.build(TEXT.format(channel=nasty_channel))
    assert "has no variable ENVSTORE_DATABASE_URL" in view["reason"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "must name either the address of a Dask scheduler or a cluster_class"),
        ({"address": "tcp://a:1", "cluster_class": "a.B"}, "either the address"),
        ({"adress": "tcp://a:1"}, "executor_options has adress, which is not known; known: address, cluster_class"),
        ({"address": "tcp://a:1", "worker_settings": {"root_dir": "/"}}, "worker_settings'.* has root_dir"),
        ({"address": "tcp://a:1", "worker_root_dir": "/w"}, "need database_url with PostgreSQL, and blob_url"),
    ],
)
def test_options_that_cannot_be_used_are_refused(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        executor_for(StoreConfig(str(tmp_path), executor="dask", executor_options=options))


def test_workers_that_share_the_folder_build_in_place(
    root: Path, cluster: DaskCluster, package_cache: Path, nasty_channel: str
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    options = {"address": cluster.address}
    config = StoreConfig(str(root), executor="dask", executor_options=options, settings={"check_imports": False})
    store = Store(EnvStore.open(config))
    view = store.build(TEXT.format(channel=nasty_channel))
    assert view["status"] == "COMPLETED"
    assert {job.executor for job in store.jobs()} == {"dask"}
    assert {job.kind for job in store.jobs()} == {"build", "finish", "artifact"}
    store.close()


def test_a_cluster_is_made_and_scaled(root: Path, package_cache: Path, nasty_channel: str) -> None:
    (root / "pkgs").symlink_to(package_cache)
    options = {
        "cluster_class": "distributed.LocalCluster",
        "cluster_arguments": {"n_workers": 0, "threads_per_worker": 1, "dashboard_address": None, "processes": False},
        "minimum": 0,
        "maximum": 2,
    }
    config = StoreConfig(str(root), executor="dask", executor_options=options, settings={"check_imports": False})
    store = Store(EnvStore.open(config))
    view = store.build(TEXT.format(channel=nasty_channel))
    assert view["status"] == "COMPLETED"
    assert {job.executor for job in store.jobs()} == {"dask"}
    store.close()


def test_a_cluster_that_cannot_be_made_is_named_and_jobs_wait(root: Path) -> None:
    options = {"cluster_class": "dask_jobqueue.NoSuchCluster"}
    with contextlib.closing(executor_for(StoreConfig(str(root), executor="dask", executor_options=options))) as made:
        assert made.ready().startswith("a cluster of dask_jobqueue.NoSuchCluster cannot be made: module")


def test_the_doctor_and_the_numbers_know_the_cluster(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store()
    build = store.submit(SLEEPY.format(channel=nasty_channel))
    running(store)
    assert store.envstore.changes.statistics(now())[0]["running"] == [("dask", socket.gethostname(), 1)]
    found = {finding.what: finding for finding in examine(store.envstore.config)}
    assert (found["executor"].state, found["executor"].text) == (
        "ok",
        "dask; workers have folders of their own; 1 worker now",
    )
    store.envstore.builds.cancel(build.id)
    away = replace(store.envstore.config, executor_options={"address": "tcp://127.0.0.1:1"})
    found = {finding.what: finding for finding in examine(away)}
    assert found["executor"].state == "error"
    assert "the Dask scheduler tcp://127.0.0.1:1 cannot be reached" in found["executor"].text


def test_two_servers_share_the_work_and_none_is_done_twice(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    first, second = open_store(), open_store()
    builds = [first.submit(TEXT.format(channel=nasty_channel), name=f"e{number}") for number in range(6)]
    stop = threading.Event()
    threads = [threading.Thread(target=store.envstore.scheduler.run, args=(stop, 0.05)) for store in (first, second)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 120
    while any(first.envstore.builds.progress(build.id)["busy"] for build in builds):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    assert all(second.envstore.builds.show(build.id)["status"] == "COMPLETED" for build in builds)
    jobs = first.jobs()
    assert [job.attempt for job in jobs] == [1] * len(jobs)
    assert sorted(job.kind for job in jobs) == sorted(["build", "restore", "finish", *["artifact"] * 3] * 6)
    for build in builds:
        assert first.envstore.logs.read(build.id).count("Recorded after") == 1
