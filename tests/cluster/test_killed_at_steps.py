"""The process of a worker is killed at each step of a build, and with it, now and then, Dask's own worker."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from jupyter_envstore.database.models import Job, Step
from jupyter_envstore.engine.prefix import tree_size
from tests.dask_cluster import DaskCluster
from tests.helpers import Store

TEXT = "name: e\nchannels: [{channel}]\ndependencies: [nasty-text, nasty-links, nasty-modes]"
Opened = Callable[..., Store]


@contextlib.contextmanager
def killing(store: Store, step: str) -> Iterator[list[int]]:
    """Kill the first process that is seen at a step; give the list that its job comes into."""
    stop = threading.Event()
    killed: list[int] = []
    killer = threading.Thread(target=kill_at, args=(store, step, stop, killed))
    killer.start()
    try:
        yield killed
    finally:
        stop.set()
        killer.join()


def kill_at(store: Store, step: str, stop: threading.Event, killed: list[int]) -> None:
    """Kill the first process that is seen at a step."""
    query = select(Job.pid, Job.id).join(Step, Step.job_id == Job.id).where(Step.name == step, Step.attempt == 1)
    while not stop.is_set():
        with store.envstore.database.read() as session:
            found = session.execute(query.where(Job.state == "running", Job.pid != 0)).first()
        if found is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(found.pid, signal.SIGKILL)
                killed.append(found.id)
            return


@pytest.mark.parametrize(
    ("step", "with_worker"),
    [
        ("solve", False),
        ("fetch", True),
        ("record", False),
        ("link", False),
        ("activate", True),
        ("artifact-archive", False),
        ("compile", False),
    ],
)
def test_a_build_whose_process_is_killed_at_a_step_completes_once(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str, step: str, with_worker: bool
) -> None:
    seconds = 12.0 if with_worker else 6.0  # a new worker of Dask loads everything
    settings = {"check_imports": False, "artifacts_at_once": ["archive", "yaml"]}
    store = open_store(lease_seconds=seconds, settings=settings)
    with killing(store, step) as killed:
        reference = store.submit(TEXT.format(channel=nasty_channel))
        store.until(lambda: bool(killed), 120.0)
    if with_worker:
        cluster.workers[0].kill()
        cluster.add_worker()
    view = store.wait(reference.id)
    assert view["status"] == "COMPLETED", (view["reason"], store.envstore.logs.read(reference.id))
    assert [job.attempt for job in store.jobs() if job.id == killed[0]] == [2]
    assert {job.state for job in store.jobs()} == {"done"}
    assert {artifact["type"]: artifact["state"] for artifact in view["artifacts"] if artifact["state"] != "absent"} == {
        "archive": "ready",
        "yaml": "ready",
    }
    assert tree_size(Path(view["prefix"]))[0] > 0
    log = store.envstore.logs.read(reference.id)
    assert log.count("Recorded after") == 1
    assert "it is tried again" in log
    assert [path.name for path in store.root.glob("staging/job-*")] == []
