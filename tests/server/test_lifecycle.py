"""Servers that stop, die, start again, and share a store; events; what tells Jupyter that builds run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests
from tornado.websocket import websocket_connect

from jupyter_envstore.application.app import EnvStoreApp
from jupyter_envstore.application.change_events import SCHEMAS
from jupyter_envstore.services.root_folder import check_root
from jupyter_envstore.services.store import EnvStore
from tests import postgresql
from tests.helpers import WITH_ARCHIVES, store_config
from tests.server.live import MASTER, Server, end


@pytest.fixture(scope="module")
def other(make_server: Callable[[str], Server]) -> Server:
    """A server of its own, which the tests here stop and start."""
    return make_server(f"c.EnvStoreApp.default_settings = {WITH_ARCHIVES!r}\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_in_mid_build_loses_nothing(other: Server, channel: str, how: int) -> None:
    build_id = other.submit(f"name: long\nchannels: [{channel}]\ndependencies: [python, numpy, pandas, flask]")
    deadline = time.monotonic() + 30
    while other.data("GET", f"build/{build_id}/")["status"] != "BUILDING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    other.stop(how)
    other.start()
    build = other.wait(build_id)
    assert build["status"] == "COMPLETED", build["status_info"]
    states = {item["type"]: item["state"] for item in other.data("GET", f"build/{build_id}/artifacts/")}
    made = dict.fromkeys(("yaml", "lockfile", "explicit", "archive"), "ready")
    assert states == made | dict.fromkeys(("docker", "installer", "pixi", "sbom"), "absent")
    steps = other.data("GET", f"build/{build_id}/progress/")["steps"]
    assert {step["attempt"] for step in steps} == {1}, "the worker went on by itself"
    other.data("DELETE", "environment/team/long/")


def test_a_build_that_waited_while_no_server_ran_is_built_at_the_next_start(other: Server, nasty_channel: str) -> None:
    other.stop()
    store = EnvStore.open(store_config(other.root))
    from jupyter_envstore.spec import read_specification

    text = f"name: waited\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    build_id = store.builds.submit(read_specification(text), "team", None, "tester").id
    store.close()
    other.start()
    assert other.wait(build_id)["status"] == "COMPLETED"
    other.data("DELETE", "environment/team/waited/")


def test_two_servers_on_one_store_build_each_thing_once(
    other: Server, make_server: Callable[[str], Server], nasty_channel: str
) -> None:
    url = postgresql.database_url(str(other.root))
    same = f"c.EnvStoreApp.root_dir = {str(other.root)!r}\nc.EnvStoreApp.database_url = {url!r}\n"
    second = make_server(same)
    ids = [
        (other, second)[number % 2].submit(
            f"name: shared-{number}\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
        )
        for number in range(6)
    ]
    for number, build_id in enumerate(ids):
        assert (second, other)[number % 2].wait(build_id)["status"] == "COMPLETED"
        steps = other.data("GET", f"build/{build_id}/progress/")["steps"]
        assert [step["name"] for step in steps].count("solve") == 1
    for number in range(6):
        second.data("DELETE", f"environment/team/shared-{number}/")
    second.stop()


def listen(server: Server, do: Callable[[], Any], wanted: str, limit: float = 10.0) -> tuple[dict[str, Any], float]:
    """Subscribe to Jupyter's events, do something, and return the event that follows and how long it took."""

    async def run() -> tuple[dict[str, Any], float]:
        url = f"{server.origin.replace('http', 'ws')}/api/events/subscribe?token={MASTER}"
        events = await websocket_connect(url)
        try:
            await asyncio.sleep(0.5)
            started = time.monotonic()
            await asyncio.to_thread(do)
            while True:
                message = await asyncio.wait_for(events.read_message(), limit)
                event = json.loads(message or "{}")
                if event["schema_id"] == f"{SCHEMAS}{wanted}/v1":
                    return event, time.monotonic() - started
        finally:
            await end(events)

    return asyncio.run(run())


def test_a_change_by_the_command_line_is_told_within_a_second_by_ids_alone(server: Server) -> None:
    store = EnvStore.open(store_config(server.root))
    event, seconds = listen(
        server,
        lambda: store.environments.describe("team", "data", f"changed at {time.time()}", "tester"),
        "environments",
    )
    store.close()
    assert seconds < 1.0
    assert event["ids"] == [server.data("GET", "environment/team/data/")["id"]]
    assert {key for key in event if not key.startswith("__")} == {
        "schema_id",
        "schema_version",
        "metadata",
        "revision",
        "ids",
    } - ({"schema_id", "schema_version", "metadata"} - event.keys())


def test_builds_and_their_progress_are_told(server: Server, channel: str) -> None:
    # its build takes longer than the time between two looks at the store, so that progress is seen
    text = f"name: told\nchannels: [{channel}]\ndependencies: [python, numpy]"
    event, _ = listen(server, lambda: server.submit(text), "builds")
    build_id = event["ids"][0]
    server.wait(build_id)
    event, _ = listen(server, lambda: server.data("PUT", f"build/{build_id}/"), "progress")
    server.wait(event["ids"][0])
    server.data("DELETE", "environment/team/told/")


def test_jupyter_is_told_that_builds_run(server: Server, channel: str) -> None:
    assert EnvStoreApp.current_activity(SimpleNamespace(changes=SimpleNamespace(working=2))) == {"jobs": 2}  # type: ignore[arg-type]
    assert not EnvStoreApp.current_activity(SimpleNamespace(changes=SimpleNamespace(working=0)))  # type: ignore[arg-type]
    build_id = server.submit(f"name: active\nchannels: [{channel}]\ndependencies: [python, numpy]")
    headers = {"Authorization": f"Bearer {MASTER}"}
    lags = []
    while server.data("GET", f"build/{build_id}/progress/")["busy"]:
        time.sleep(0.7)
        status = requests.get(f"{server.origin}/api/status", headers=headers, timeout=10).json()
        last = datetime.fromisoformat(status["last_activity"].replace("Z", "+00:00"))
        lags.append((datetime.now(timezone.utc) - last).total_seconds())
    assert lags
    assert min(lags) < 1.5
    server.data("DELETE", "environment/team/active/")


def test_a_store_that_cannot_be_opened_says_why_and_the_server_goes_on(make_server: Callable[[str], Server]) -> None:
    server = make_server('c.EnvStoreApp.root_dir = "/tmp/with a space"')
    answer = server.ask("GET", "environment/", check=False)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert "has a space in it" in answer.json()["message"]
    assert "space" not in server.ask("GET", "environment/", None, check=False).text
    assert requests.get(f"{server.origin}/api/status", headers={"Authorization": f"Bearer {MASTER}"}, timeout=10).ok


@pytest.mark.skipif(postgresql.WANTED, reason="it is about a file of SQLite")
def test_a_store_that_was_locked_at_the_start_is_opened_once_it_is_free(other: Server) -> None:
    assert other.stop() == 0
    with contextlib.closing(sqlite3.connect(other.root / "envstore.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("BEGIN EXCLUSIVE")
        other.start()
        answer = other.ask("GET", "environment/", check=False)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        database.execute("ROLLBACK")
    deadline = time.monotonic() + 30
    while other.ask("GET", "environment/", check=False).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_server_that_is_stopped_ends_well(other: Server, nasty_channel: str) -> None:
    other.wait(other.submit(f"name: end\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"))
    for _ in range(3):
        assert other.stop() == 0
        other.start()


def test_a_server_ends_while_somebody_waits_for_a_solve(other: Server) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"{other.api}specification/?channel=http://127.0.0.1:{silent.getsockname()[1]}/x&conda=python"
        waiting = threading.Thread(target=lambda: _try(url))
        waiting.start()
        asked, _ = silent.accept()  # the solve wants the channel's index
        started = time.monotonic()
        assert other.stop() == 0
        assert time.monotonic() - started < 15
        waiting.join()
        asked.close()
    other.start()


def _try(url: str) -> None:
    with contextlib.suppress(requests.RequestException):
        requests.get(url, headers={"Authorization": f"Bearer {MASTER}"}, timeout=60)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def test_a_solve_ends_when_its_client_goes_away(other: Server) -> None:
    def asking() -> list[int]:
        server = psutil.Process(other.process.pid if other.process else 0)
        return [child.pid for child in server.children() if "jupyter_envstore.engine.question_process" in _words(child)]

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"{other.api}specification/?channel=http://127.0.0.1:{silent.getsockname()[1]}/x&conda=python"
        with pytest.raises(requests.Timeout):
            requests.get(url, headers={"Authorization": f"Bearer {MASTER}"}, timeout=3)
        deadline = time.monotonic() + 5
        while asking():
            assert time.monotonic() < deadline, "the solve goes on though nobody waits"
            time.sleep(0.05)


def test_what_a_server_makes_is_closed_to_other_accounts_from_the_start(server: Server) -> None:
    assert {"builds", "kernels", "shims"} <= {path.name for path in server.root.iterdir()}
    assert check_root(store_config(server.root)) == []
