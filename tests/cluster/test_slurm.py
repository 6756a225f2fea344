"""Builds by jobs of Slurm: the cluster is made by the store, and its workers come and go with what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.builds import own_cluster
from jupyter_envstore.builds.processes import is_alive
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.models import Job
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.services.store import EnvStore
from tests.cluster.test_dask import SLEEPY, TEXT, running
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES, Store
from tests.object_store import ObjectStore
from tests.postgresql import Postgresql
from tests.slurm import Slurm

pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
Opened = Callable[..., Store]


def _job(store: Store, build_id: int) -> Job:
    return next(job for job in store.jobs() if job.build_id == build_id)


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    """A Slurm of this machine."""
    made = Slurm()
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture
def own(root: Path, package_cache: Path) -> Iterator[Path]:
    """A folder that a worker has on its machine, with packages that are unpacked already."""
    folder = root.with_name(f"{root.name}w")
    folder.mkdir()
    (folder / "pkgs").symlink_to(package_cache)
    yield folder
    remove_tree(folder)


@pytest.fixture
def open_store(
    root: Path, slurm: Slurm, package_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Store]]:
    """Open a store whose cluster is made of jobs of Slurm; more for their script, options and values may be given."""
    found: list[Store] = []
    monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))  # the store runs sbatch and scancel
    (root / "pkgs").symlink_to(package_cache)

    def open_one(prologue: tuple[str, ...] = (), options: dict[str, Any] | None = None, **values: Any) -> Store:
        arguments = {
            "cores": 1,
            "processes": 1,
            "memory": "500MB",
            "walltime": "01:00:00",
            "interface": "lo",
            "scheduler_options": {"dashboard": False, "dashboard_address": ":0"},
            "log_directory": str(root / "slurm"),
            "local_directory": str(root / "dask"),
            "job_script_prologue": list(prologue),
        }
        made = {"cluster_class": "dask_jobqueue.SLURMCluster", "cluster_arguments": arguments, "maximum": 1}
        config = StoreConfig(
            str(root),
            executor="dask",
            executor_options={**made, **(options or {})},
            lease_seconds=LEASE_SECONDS,
            settings=dict(WITHOUT_ARCHIVES),
            **values,
        )
        found.append(Store(EnvStore.open(config)))
        return found[-1]

    yield open_one
    for store in found:
        store.end_workers()
        store.close()
    slurm.wait(0)


def test_jobs_of_slurm_build_in_the_shared_folder_and_go(open_store: Opened, slurm: Slurm, nasty_channel: str) -> None:
    store = open_store()
    assert slurm.jobs() == []
    build = store.submit(TEXT.format(channel=nasty_channel))
    store.until(lambda: len(slurm.jobs("RUNNING")) == 1)
    assert store.wait(build.id)["status"] == "COMPLETED"
    assert [(job.executor, job.attempt) for job in store.jobs()] == [("dask", 1)] * len(store.jobs())
    store.until(lambda: not slurm.jobs())  # nothing is left to do


def test_a_job_of_slurm_that_is_lost_is_replaced_and_none_outlives_the_store(
    own: Path, open_store: Opened, slurm: Slurm, server: Postgresql, bucket: ObjectStore, nasty_channel: str
) -> None:
    store = open_store(
        (f"export ENVSTORE_WORKER_ROOT={own}",),
        {"worker_root_dir": "$ENVSTORE_WORKER_ROOT"},
        database_url=server.make("slurm"),
        blob_url=bucket.make("slurm"),
        blob_options=bucket.options(),
    )
    view = store.build(TEXT.format(channel=nasty_channel), name="first")
    assert view["status"] == "COMPLETED"
    assert Path(view["prefix"]).is_relative_to(store.root)
    assert {job.kind: job.executor for job in store.jobs()}["build"] == "dask"
    assert list((own / "staging").iterdir()) == list((own / "builds").iterdir()) == []
    canceled = store.submit(SLEEPY.format(channel=nasty_channel), name="second")
    first = running(store)
    store.envstore.builds.cancel(canceled.id)
    store.until(lambda: not is_alive(first.pid, first.process_started), 10)
    lost = store.submit(SLEEPY.format(channel=nasty_channel), name="third")
    second = running(store)
    slurm.cancel(*slurm.jobs())
    store.until(lambda: any(job.build_id == lost.id and job.attempt == 2 and job.pid for job in store.jobs()))
    assert "it is tried again" in store.envstore.logs.read(lost.id)
    assert [path.name for path in (own / "staging").glob("job-*")] == [f"job-{_job(store, lost.id).id}-2"]
    assert not is_alive(second.pid, second.process_started)
    third = running(store)
    store.close()
    slurm.wait(0)
    assert not is_alive(third.pid, third.process_started)


def test_a_job_that_is_lost_before_its_worker_reports_is_submitted_again(
    open_store: Opened, slurm: Slurm, nasty_channel: str
) -> None:
    store = open_store(options={"place_seconds": 4.0})
    slurm.run("scontrol", "update", "PartitionName=tests", "State=DOWN")
    try:
        build = store.submit(TEXT.format(channel=nasty_channel))
        store.until(lambda: len(slurm.jobs("PENDING")) == 1)
        lost = slurm.jobs()
        slurm.cancel(*lost)
    finally:
        slurm.run("scontrol", "update", "PartitionName=tests", "State=UP")
    store.until(lambda: bool(set(slurm.jobs()) - set(lost)), 20)
    assert store.wait(build.id)["status"] == "COMPLETED"


def test_a_job_that_slurm_did_not_take_is_submitted_again(
    open_store: Opened, slurm: Slurm, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_cluster, "CREATED_SECONDS", 2.0)
    store = open_store()
    slurm.run("scontrol", "update", "PartitionName=tests", "State=INACTIVE")  # so that sbatch fails
    try:
        build = store.submit(TEXT.format(channel=nasty_channel))
        store.until(lambda: "come yet: sbatch: error: " in store.envstore.builds.show(build.id)["reason"], 30)
        assert slurm.jobs() == []
    finally:
        slurm.run("scontrol", "update", "PartitionName=tests", "State=UP")
    assert store.wait(build.id)["status"] == "COMPLETED"


def test_builds_go_on_when_the_server_that_made_the_cluster_comes_back(
    open_store: Opened, slurm: Slurm, nasty_channel: str
) -> None:
    store = open_store()
    build = store.submit(TEXT.format(channel=nasty_channel))
    for _ in range(3):  # more often than a job is tried
        running(store)
        store.close()
        slurm.wait(0)
        store = open_store()
        assert "its cluster with it; it is tried again" in store.envstore.logs.read(build.id)
        assert store.envstore.builds.get(build.id)["status"] == "QUEUED"
    assert store.wait(build.id)["status"] == "COMPLETED"
    assert store.envstore.logs.read(build.id).count("Ready after") == 1
