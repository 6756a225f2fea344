"""A cluster that loses workers, its database and its bucket for moments: does every build settle, and none twice?

PostgreSQL, Ceph's gateway, a Dask scheduler and workers with folders of their own run on this machine. Builds are of
small real packages. One in a hundred jobs has its process or its Dask worker killed; in the middle the database is
restarted and the bucket goes away. Arguments: number of builds (1,000), number of workers (10).
With ``throughput`` nothing is lost, and 1, 2 and 4 workers are compared; ``overhead`` compares Dask with the server's
own executor; ``queries`` counts what the server asks its database for a build while 100, 1,000 and 10,000 wait.
"""

from __future__ import annotations

import collections
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import CACHE, report
from sqlalchemy import event, select

from jupyter_envstore.blobs.staging import is_whole
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import BUILD
from jupyter_envstore.database.models import Artifact, Build, Job, Step
from jupyter_envstore.database.states import COMPLETED, JOB_RUNNING, READY, UNSETTLED
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import DatabaseAwayError
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import read_specification
from tests.dask_cluster import DaskCluster
from tests.object_store import ObjectStore
from tests.postgresql import Postgresql

NAMES = ("click", "packaging", "pygments", "traitlets", "tzdata", "typing-extensions")
KILLED = 0.01
OUTAGE_SECONDS = 30.0
WAIT_SECONDS = 300.0
"""As a server has it: a process waits ready for the next job."""
BUILDS_COUNTED = 20


class Chaos:
    """Kills one in a hundred jobs' processes, now and then with the Dask worker that started it."""

    def __init__(self, store: EnvStore, cluster: DaskCluster, seed: int) -> None:
        self._store, self._cluster = store, cluster
        self._random = random.Random(seed)  # noqa: S311
        self._seen: set[tuple[int, int]] = set()
        self.killed = self.workers = 0

    def tick(self) -> None:
        """Look at the jobs that run, and kill some."""
        with self._store.database.read() as session:
            running = list(session.scalars(select(Job).where(Job.state == JOB_RUNNING, Job.pid != 0)))
        for job in running:
            if (job.id, job.attempt) in self._seen or job.attempt > 1:
                continue  # the second attempt is the last one
            self._seen.add((job.id, job.attempt))
            if self._random.random() < KILLED:
                self.killed += 1
                try:
                    os.killpg(job.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                if job.executor == "dask" and self._random.random() < 0.3:
                    worker = self._random.choice(self._cluster.workers)
                    worker.kill()
                    worker.wait()
                    self._cluster.workers.remove(worker)
                    self._cluster.add_worker()
                    self.workers += 1


def run(builds: int, workers: int, calm: bool = False) -> float:
    """Run it, and print what came of it; return builds a minute. In a ``calm`` run, nothing is killed or goes away."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    bucket, server = ObjectStore().start(), Postgresql().start()
    cluster = DaskCluster(folder)
    try:
        channel = (CACHE / "channel").as_uri()
        cluster.start(workers)
        config = StoreConfig(
            str(folder / "s"),
            database_url=server.make("cluster"),
            blob_url=bucket.make("cluster"),
            blob_options=bucket.options(),
            executor="dask",
            executor_options={"address": cluster.address, "worker_root_dir": "$ENVSTORE_WORKER_ROOT"},
            max_concurrent_builds=workers,
            lease_seconds=10.0,
            worker_wait_seconds=WAIT_SECONDS,
            settings={"check_imports": False, "artifacts_at_once": ["yaml", "lockfile", "explicit"]},
        )
        store = EnvStore.open(config)
        queries = collections.Counter[str]()
        event.listen(store.database.engine, "before_cursor_execute", lambda *_: queries.update(["all"]))
        _submit(store, channel, builds)
        submitted = queries["all"]
        chaos = Chaos(store, cluster, 1)
        started = time.monotonic()
        restarted = bucket_gone = False
        while (left := _left(store)) or _busy(store):
            done = builds - left
            if done >= builds * 0.3 and not (restarted or calm):
                restarted = True
                server.stop(signal.SIGQUIT)
                threading.Timer(3.0, server.start).start()
            if done >= builds * 0.6 and not (bucket_gone or calm):
                bucket_gone = True
                bucket.stop_gateway()
                threading.Timer(OUTAGE_SECONDS, bucket.start_gateway).start()
            try:
                store.scheduler.tick()
                if not calm:
                    chaos.tick()
            except DatabaseAwayError:
                time.sleep(1.0)
            time.sleep(0.1)
        taken = time.monotonic() - started
        _judge(store, builds, chaos)
        report(f"{builds} builds, {workers} workers", builds / taken * 60, "a minute")
        report("queries of the server for each build", (queries["all"] - submitted) / builds, "queries")
        store.close()
        return builds / taken * 60
    finally:
        cluster.remove()
        server.remove()
        bucket.remove()
        remove_tree(folder)


def _submit(store: EnvStore, channel: str, builds: int) -> None:
    for number in range(builds):
        chosen = [NAMES[place] for place in range(len(NAMES)) if number >> place & 1] or ["click"]
        text = f"channels: ['{channel}']\ndependencies: [{', '.join(chosen)}]\nvariables: {{NUMBER: '{number}'}}"
        store.builds.submit(read_specification(text), f"team{number % 10}", f"e{number}", "bench")


def _left(store: EnvStore) -> int:
    while True:
        try:
            with store.database.read() as session:
                return session.query(Build).where(Build.status.in_(UNSETTLED)).count()
        except DatabaseAwayError:
            time.sleep(0.5)


def _busy(store: EnvStore) -> bool:
    with store.database.read() as session:
        return session.query(Job).where(Job.ended_on.is_(None)).count() > 0


def _judge(store: EnvStore, builds: int, chaos: Chaos) -> None:
    """Look at everything: states, files, and whether any job ran to its end twice."""
    with store.database.read() as session:
        found = session.query(Build).all()
        jobs = session.query(Job).all()
        artifacts = session.query(Artifact).all()
        ends = collections.Counter(
            session.scalars(select(Step.job_id).where(Step.name == "activate", Step.state == "done"))
        )
    states = collections.Counter(build.status for build in found)
    print(f"builds: {dict(states)}; jobs: {dict(collections.Counter((job.kind, job.state) for job in jobs))}")
    print(
        f"killed: {chaos.killed} processes of workers, {chaos.workers} Dask workers; attempts: "
        f"{dict(collections.Counter(job.attempt for job in jobs))}"
    )
    for job in jobs:
        if job.state == "failed":
            print(f"  {job.kind} of build {job.build_id} failed: {job.reason[:200]}")
    waits = sorted((build.started_on - build.scheduled_on).total_seconds() for build in found if build.started_on)
    report("wait for a place, p50", statistics.median(waits), "s")
    report("wait for a place, p95", waits[int(len(waits) * 0.95)], "s")
    damaged = [artifact for artifact in artifacts if artifact.state == READY and not _is_whole(store, artifact)]
    print(f"artifacts: {dict(collections.Counter((a.type, a.state) for a in artifacts))}, damaged: {len(damaged)}")
    twice = [job.id for job in jobs if job.kind == BUILD and ends[job.id] > job.attempt]
    prefixes = [
        build for build in found if build.status == COMPLETED and not (store.config.builds / build.directory).is_dir()
    ]
    print(f"jobs with more ends than attempts: {len(twice)}; completed builds without a prefix: {len(prefixes)}")
    assert states == {COMPLETED: builds}, states
    assert not damaged
    assert not twice
    assert not prefixes
    assert len(artifacts) == builds * 3


def _is_whole(store: EnvStore, artifact: Artifact) -> bool:
    return is_whole(store.blobs.local_file(artifact.digest or ""), artifact.digest or "")


def throughput(builds: int) -> None:
    """Print how many builds 1, 2 and 4 workers do in a minute, beside as many times those of one worker."""
    one = 0.0
    for workers in (1, 2, 4):
        found = run(builds, workers, calm=True)
        one = one or found
        report(f"{workers} workers on {os.cpu_count()} processors", found, "a minute", "ideal", one * workers)


def overhead() -> None:
    """Print what a warm build takes on a Dask worker with the server's folder, beside one by a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    cluster = DaskCluster(folder).start(1)
    taken = {}
    try:
        for executor, options in (("local", {}), ("dask", {"address": cluster.address})):
            settings = {"check_imports": False, "artifacts_at_once": []}
            config = StoreConfig(
                str(folder / executor),
                executor=executor,
                executor_options=options,
                worker_wait_seconds=WAIT_SECONDS,
                settings=settings,
            )
            store = EnvStore.open(config)
            text = f"channels: ['{(CACHE / 'channel').as_uri()}']\ndependencies: [click]\nvariables: {{N: '%d'}}"
            found = []
            for number in range(12):
                began = time.perf_counter()
                reference = store.builds.submit(read_specification(text % number), "team", "e", "bench")
                while store.builds.get(reference.id)["status"] in UNSETTLED:
                    store.scheduler.tick()
                    time.sleep(0.005)
                found.append(time.perf_counter() - began)
                while store.builds.progress(reference.id)["busy"]:
                    store.scheduler.tick()
                    time.sleep(0.02)
            taken[executor] = statistics.median(found[2:])
            store.close()
    finally:
        cluster.remove()
        remove_tree(folder)
    report("warm build by Dask, to COMPLETED", taken["dask"], "s", "local", taken["local"], "(bar: 0.15 s more)")


def queries() -> None:
    """Print the queries of a server for each build, and how long its scheduler's look takes, while others wait."""
    server = Postgresql().start()
    try:
        for waiting in (100, 1000, 10_000):
            folder = Path(tempfile.mkdtemp(prefix="es-"))
            settings = {"check_imports": False, "artifacts_at_once": []}
            config = StoreConfig(
                str(folder),
                database_url=server.make(f"queries{waiting}"),
                worker_wait_seconds=WAIT_SECONDS,
                settings=settings,
            )
            store = EnvStore.open(config)
            _submit(store, (CACHE / "channel").as_uri(), waiting)
            counted = collections.Counter[str]()
            event.listen(store.database.engine, "before_cursor_execute", lambda *_, c=counted: c.update(["all"]))
            looks, looked = [], 0
            while (done := waiting - _left(store)) < BUILDS_COUNTED:
                before, began = counted["all"], time.perf_counter()
                store.scheduler.tick()
                looks.append((time.perf_counter() - began) * 1000)
                looked += counted["all"] - before
                time.sleep(0.1)
            report(f"{waiting:,} builds wait: queries for each", looked / done, "queries")
            report(f"{waiting:,} builds wait: a look of the scheduler, p50", statistics.median(looks), "ms")
            for number in [job.build_id for job in _running(store)]:
                store.scheduler.cancel(number, everything=True)
            store.close()
            remove_tree(folder)
    finally:
        server.remove()


def _running(store: EnvStore) -> list[Job]:
    with store.database.read() as session:
        return list(session.scalars(select(Job).where(Job.state == JOB_RUNNING)))


if __name__ == "__main__":
    if sys.argv[1:] == ["throughput"]:
        throughput(12)
        sys.exit()
    if sys.argv[1:] == ["overhead"]:
        overhead()
        sys.exit()
    if sys.argv[1:] == ["queries"]:
        queries()
        sys.exit()
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 10)
