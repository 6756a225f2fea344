"""Previews and searches that workers of a cluster answer; the server's machine does where they cannot."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.builds import cluster_task
from jupyter_envstore.engine.question_process import RunQuestion, ask
from jupyter_envstore.engine.questions import SolveQuestion
from jupyter_envstore.errors import ClientGoneError, EnvStoreError
from tests.cluster.test_dask import SLEEPY
from tests.dask_cluster import DaskCluster
from tests.helpers import Store

Opened = Callable[..., Store]


def question(channel: str, cache: Path, *specs: str) -> SolveQuestion:
    return {
        "do": "solve",
        "specs": list(specs or ("nasty-text",)),
        "timeout": 30.0,
        "kept_only": False,
        "exclude_newer": "",
        "system_requirements": {},
        "any_channel": False,
        "channels": [channel],
        "platforms": [],
        "alias": "",
        "defaults": "",
        "default_channels": [],
        "cache": str(cache),
    }


@pytest.fixture
def store(open_store: Opened, cluster: DaskCluster) -> Store:
    """A store whose previews are solved by the workers of its cluster."""
    options = {"address": cluster.address, "worker_root_dir": "$ENVSTORE_WORKER_ROOT", "previews": True}
    return open_store(executor_options=options)


def test_a_worker_answers_with_its_own_indexes(store: Store, nasty_channel: str, tmp_path: Path) -> None:
    run = store.envstore.channels.run_question
    assert run is not None
    for number in range(5):  # a worker that has done nothing yet may take longer to begin than anybody waits
        cache = tmp_path / f"here{number}"
        answer = ask(question(nasty_channel, cache), 30.0, run=run)
        if not cache.exists():
            break
    assert [package["name"] for package in answer["packages"]] == ["nasty-text"]
    assert not cache.exists()
    with pytest.raises(EnvStoreError, match="no-such-package"):
        ask(question(nasty_channel, cache, "no-such-package"), 30.0, run=run)
    assert not cache.exists()
    assert ask(question(nasty_channel, cache), 30.0)["packages"] == answer["packages"]
    assert cache.exists()  # by this machine


def test_nobody_waits_for_a_worker_that_is_not_free(
    store: Store, cluster: DaskCluster, nasty_channel: str, tmp_path: Path
) -> None:
    run = store.envstore.channels.run_question
    builds = [store.submit(SLEEPY.format(channel=nasty_channel), name=f"e{number}") for number in range(2)]
    store.until(lambda: len([job for job in store.jobs() if job.kind == "build" and job.pid]) == 2)  # both places
    began = time.monotonic()
    assert ask(question(nasty_channel, tmp_path / "first"), 30.0, run=run)["packages"]
    assert time.monotonic() - began < 15
    assert (tmp_path / "first").exists()
    for build in builds:
        store.envstore.builds.cancel(build.id)
    cluster.workers[0].kill()
    assert ask(question(nasty_channel, tmp_path / "second"), 30.0, run=run)["packages"]
    cluster.stop_scheduler()
    assert ask(question(nasty_channel, tmp_path / "third"), 30.0, run=run)["packages"]
    assert (tmp_path / "third").exists()


def test_a_question_that_nobody_waits_for_ends(store: Store, nasty_channel: str, tmp_path: Path) -> None:
    gone = threading.Event()
    gone.set()
    with pytest.raises(ClientGoneError):
        ask(question(nasty_channel, tmp_path), 30.0, gone, run=store.envstore.channels.run_question)


def test_a_worker_of_another_version_is_not_asked(
    store: Store, nasty_channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from jupyter_envstore.builds import cluster_questions

    monkeypatch.setattr(cluster_questions, "__version__", "0.0.1")
    cache = tmp_path / "here"
    assert ask(question(nasty_channel, cache), 30.0, run=store.envstore.channels.run_question)["packages"]
    assert cache.exists()
    assert f"has jupyter-envstore {cluster_task.__version__}, and the server 0.0.1" in caplog.text


def test_without_the_option_the_server_solves(open_store: Opened) -> None:
    assert open_store().envstore.channels.run_question is None


def test_a_worker_ends_what_nobody_waits_for_any_more(store: Store, cluster: DaskCluster, tmp_path: Path) -> None:
    run = store.envstore.channels.run_question
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a channel that takes connections and says nothing
        channel = f"http://127.0.0.1:{silent.getsockname()[1]}/channel"
        worker = psutil.Process(cluster.workers[0].pid)

        def asked() -> list[psutil.Process]:
            return [
                child for child in worker.children() if "jupyter_envstore.engine.question_process" in child.cmdline()
            ]

        stop = threading.Event()
        threads = [threading.Thread(target=ask_in_vain, args=(channel, tmp_path, stop, run)) for _ in range(2)]
        for thread in threads:
            thread.start()
        store.until(lambda: len(asked()) == 2)
        stop.set()
        for thread in threads:
            thread.join()
        store.until(lambda: not asked(), 5)


def ask_in_vain(channel: str, cache: Path, stop: threading.Event, run: RunQuestion | None) -> None:
    """Ask, until nobody waits any more."""
    with pytest.raises(ClientGoneError):
        ask(question(channel, cache), 60.0, stop, run=run)
