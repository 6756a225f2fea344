"""A Dask cluster that others use, too, that hangs, or whose machines are not what they should be."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.builds import own_cluster
from jupyter_envstore.builds.cluster_options import ClusterOptions
from jupyter_envstore.builds.executors import executor_for
from jupyter_envstore.builds.own_cluster import OwnCluster
from jupyter_envstore.builds.processes import is_alive
from jupyter_envstore.builds.seen import UNKNOWN
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import BUILD, Claim
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.services.doctor import examine
from jupyter_envstore.services.store import EnvStore
from tests.cluster.test_dask import SLEEPY, TEXT, running
from tests.dask_cluster import DaskCluster
from tests.helpers import Store
from tests.object_store import SECRET

Opened = Callable[..., Store]
WITHOUT_THE_PACKAGE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jupyter_envstore":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_worker_without_the_package_says_so_and_nothing_secret(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str, tmp_path: Path
) -> None:
    cluster.workers[0].kill()
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_THE_PACKAGE)
    bare = cluster.add_worker(PYTHONPATH=str(tmp_path))
    store = open_store()
    view = store.build(TEXT.format(channel=nasty_channel))
    assert view["status"] == "FAILED"
    assert "a machine of the cluster does not have jupyter-envstore, or not all that it needs" in view["reason"]
    assert bare.poll() is None
    written = "".join(path.read_text(errors="replace") for path in cluster.folder.glob("*.log"))
    assert "ModuleNotFoundError" in written
    assert SECRET not in written
    assert "database_url" not in written


def test_builds_that_wait_say_for_what_and_no_restart_counts(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store()
    made = store.build(TEXT.format(channel=nasty_channel), name="first")
    cluster.workers[0].kill()
    build = store.submit(TEXT.format(channel=nasty_channel))

    def reason() -> str:
        return store.envstore.builds.show(build.id)["reason"]

    store.until(lambda: reason() == f"waits: the Dask scheduler {cluster.address} has no worker")
    found = {finding.what: finding for finding in examine(store.envstore.config)}
    assert found["executor"].text == "dask: the scheduler has no worker; jobs wait until one comes"
    for _ in range(3):
        cluster.stop_scheduler()
        store.until(lambda: "cannot be reached" in reason())
        remove_tree(Path(made["prefix"]))
        store.envstore.prefixes.restore(made["id"])  # this machine needs no cluster for it
        store.until(lambda: not store.envstore.builds.show(made["id"])["packed_away"])
        cluster.start_scheduler()
        store.until(lambda: "has no worker" in reason())
    cluster.add_worker()
    view = store.wait(build.id)
    assert (view["status"], view["reason"]) == ("COMPLETED", "")


def test_other_stores_and_servers_may_use_the_same_scheduler(open_store: Opened, cluster: DaskCluster) -> None:
    cluster.workers[0].kill()
    config = open_store().envstore.config
    with contextlib.closing(executor_for(config)) as first, contextlib.closing(executor_for(config)) as second:
        claim = Claim(1, 1, BUILD, 1)
        one, two = first.start(claim), second.start(claim)
        assert one.id != two.id
        until(lambda: second.alive(two).waits and second.alive(one).waits)  # whoever started it
        second.stop(two)
        until(lambda: not second.alive(two).alive)
        assert first.alive(one).waits


def test_a_scheduler_that_hangs_holds_up_no_request(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    store = open_store()
    build = store.submit(SLEEPY.format(channel=nasty_channel))
    running(store)
    cluster.signal_scheduler(signal.SIGSTOP)
    started = time.monotonic()
    store.envstore.builds.cancel(build.id)
    assert time.monotonic() - started < 20
    cluster.signal_scheduler(signal.SIGCONT)
    store.until(lambda: store.envstore.builds.show(build.id)["status"] == "CANCELED", 30)
    assert store.build(TEXT.format(channel=nasty_channel), name="next")["status"] == "COMPLETED"


def test_what_accepts_connections_and_never_answers_is_no_scheduler(root: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(20)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        options = {"address": address}
        config = StoreConfig(str(root), executor="dask", executor_options=options)
        with contextlib.closing(executor_for(config)) as made:
            started = time.monotonic()
            assert made.ready() == f"the Dask scheduler {address} cannot be reached: what listens there does not answer"
            assert time.monotonic() - started < 20


def test_a_task_that_is_repeated_on_the_same_machine_leaves_the_first_alone(
    open_store: Opened, cluster: DaskCluster, nasty_channel: str
) -> None:
    cluster.add_worker(ENVSTORE_WORKER_ROOT=str(cluster.root(0)))
    cluster.wait(2)
    store = open_store(executor_options={"address": cluster.address, "worker_root_dir": str(cluster.root(0))})
    build = store.submit(SLEEPY.format(channel=nasty_channel))
    job = running(store)
    worker = psutil.Process(job.pid)
    store.until(lambda: bool(worker.children(recursive=True)))
    programs = worker.children(recursive=True)
    of_dask = {number.pid: number for number in (psutil.Process(found.pid) for found in cluster.workers)}
    starter = next(parent for parent in worker.parents() if parent.pid in of_dask)
    starter.kill()
    time.sleep(5)  # Dask has the other worker begin with the task
    assert all(program.is_running() and program.status() != psutil.STATUS_ZOMBIE for program in programs)
    assert next(job for job in store.jobs() if job.kind == "build").attempt == 1
    store.envstore.builds.cancel(build.id)
    store.until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 20)


OWN = {
    "cluster_class": "distributed.LocalCluster",
    "cluster_arguments": {"n_workers": 0, "threads_per_worker": 1, "dashboard_address": ":0", "processes": False},
}


def test_a_cluster_made_here_is_asked_for_its_own_tasks_alone(root: Path) -> None:
    config = StoreConfig(str(root), executor="dask", executor_options=OWN)
    with contextlib.closing(executor_for(config)) as first, contextlib.closing(executor_for(config)) as second:
        mine = first.start(Claim(1, 1, BUILD, 1))
        until(lambda: first.alive(mine).waits)
        assert second.alive(mine) == UNKNOWN


def test_a_command_that_ends_starts_nothing_in_a_cluster_that_ends_with_it(root: Path, nasty_channel: str) -> None:
    config = StoreConfig(str(root), executor="dask", executor_options={**OWN, "cluster_class": "no.such.Class"})
    store = Store(EnvStore.open(config))
    store.submit(TEXT.format(channel=nasty_channel))
    assert "the cluster of this command ends with it" in store.envstore.scheduler.start_and_leave()
    (job,) = store.jobs()
    assert (job.state, job.attempt, job.given_back) == ("queued", 0, 0)
    store.close()


def test_an_interrupted_command_ends_its_cluster_and_says_so(
    root: Path, package_cache: Path, nasty_channel: str, tmp_path: Path
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    (tmp_path / "environment.yml").write_text(SLEEPY.format(channel=nasty_channel))
    lines = [f"c.EnvStoreApp.root_dir = {str(root)!r}", "c.EnvStoreApp.executor = 'dask'"]
    lines.append(f"c.EnvStoreApp.executor_options = { ({**OWN, 'maximum': 1})!r}")
    (tmp_path / "jupyter_envstore_config.py").write_text("\n".join(lines))
    program = str(Path(sys.executable).with_name("jupyter-envstore"))
    variables = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    building = subprocess.Popen(
        [program, "build", "environment.yml"], cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True
    )
    store = Store(EnvStore.open(StoreConfig(str(root))))  # which only looks: it starts no job itself
    until(lambda: any(job.pid for job in store.jobs()))
    (job,) = store.jobs()
    building.send_signal(signal.SIGINT)
    told = building.communicate(timeout=30)[1]
    assert building.returncode == 130
    assert "does not go on now: the cluster of this command ends with it" in told
    assert "in the background" not in told
    until(lambda: not is_alive(job.pid, job.process_started))
    (job,) = store.jobs()
    assert (job.state, job.given_back) == ("queued", 1)
    assert store.envstore.builds.show(job.build_id)["status"] == "QUEUED"
    store.envstore.builds.cancel(job.build_id)
    store.close()


def test_a_class_is_imported_that_wants_to_handle_signals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As dask-jobqueue does; the scheduler of jobs is a thread, which may not."""
    (tmp_path / "site_cluster.py").write_text(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nclass Cluster:\n    def close(self): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = signal.getsignal(signal.SIGINT)
    own = OwnCluster(ClusterOptions(cluster_class="site_cluster.Cluster"))
    thread = threading.Thread(target=own.made)
    thread.start()
    thread.join()
    assert type(own.cluster).__name__ == "Cluster"
    own.close()
    del sys.modules["site_cluster"]
    OwnCluster(ClusterOptions(cluster_class="site_cluster.Cluster")).made()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_executor_that_is_closed_makes_no_other_cluster(root: Path) -> None:
    config = StoreConfig(str(root), executor="dask", executor_options={**OWN, "previews": True})
    executor = executor_for(config)
    assert executor.ready() == ""
    executor.close()
    assert "is closed" in executor.ready()
    with pytest.raises(ConnectionError, match="is closed"):
        executor.start(Claim(1, 1, BUILD, 1))


def test_a_command_that_leaves_says_why_nothing_was_started(root: Path, nasty_channel: str) -> None:
    config = StoreConfig(str(root), executor="dask", executor_options={"address": "tcp://127.0.0.1:1"})
    store = Store(EnvStore.open(config))
    store.submit(TEXT.format(channel=nasty_channel))
    assert "the Dask scheduler tcp://127.0.0.1:1 cannot be reached" in store.envstore.scheduler.start_and_leave()
    store.close()


class RefusedCluster:
    """A fake: a cluster of a site whose queue refuses each worker, at once."""

    def __init__(self) -> None:
        self.requested = {"w0"}
        self.observed: set[str] = set()
        self.workers = {"w0": types.SimpleNamespace(status=types.SimpleNamespace(name="created"))}
        self.given_up: list[float] = []

    async def scale_down(self, names: list[str]) -> None:
        """It has none."""

    def sync(self, action: object, names: list[str], callback_timeout: float) -> None:
        self.given_up.append(own_cluster.time.monotonic())


def test_a_queue_that_refuses_is_asked_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    own, moment = OwnCluster(ClusterOptions(cluster_class="a.B", maximum=1)), 0.0
    own.cluster = cluster = RefusedCluster()
    monkeypatch.setattr(own_cluster, "time", types.SimpleNamespace(monotonic=lambda: moment))
    while moment < 10_000:
        moment += 1
        own.give_up_lost()
    pauses = [later - before for before, later in itertools.pairwise(cluster.given_up)]
    assert [round(pause, -1) for pause in pauses[:4]] == [20, 40, 80, 160]
    assert 590 < max(pauses) < 610
    assert len(pauses) < 25
    cluster.observed = {"w0"}
    moment += 10
    own.give_up_lost()  # one came: the next that does not is missed soon
    cluster.observed = set()
    begun, count = moment, len(cluster.given_up)
    while len(cluster.given_up) == count:
        moment += 1
        own.give_up_lost()
    assert moment - begun < 20
