"""Downloads that are asked for before the artifact is ready: held until it is, within a limit, for those who may."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.server.live import MASTER, Server

NOTHING_AT_ONCE = {"artifacts_at_once": [], "build_artifacts": ["yaml", "lockfile", "explicit", "archive"]}


@pytest.fixture(scope="module")
def single(make_server: Callable[[str], Server], nasty_channel: str) -> Server:
    """A server with one worker, and one build that has no artifacts."""
    found = make_server(
        f"c.EnvStoreApp.max_concurrent_builds = 1\nc.EnvStoreApp.artifact_wait_seconds = 300\n"
        f"c.EnvStoreApp.default_settings = {NOTHING_AT_ONCE!r}\n"
    )
    found.build_id = found.submit(text(nasty_channel, "plain", "nasty-text"))
    assert found.wait(found.build_id)["status"] == "COMPLETED"
    return found


def text(channel: str, name: str, package: str) -> str:
    return f"name: {name}\nchannels: [{channel}]\ndependencies: [{package}]"


@contextmanager
def all_workers_busy(server: Server, channel: str) -> Iterator[int]:
    """Let a build sleep in the only worker; it is stopped at the end."""
    build_id = server.submit(text(channel, "sleeper", "nasty-sleepy"))
    deadline = time.monotonic() + 60
    while "activate" not in {step["name"] for step in server.data("GET", f"build/{build_id}/progress/")["steps"]}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    try:
        yield build_id
    finally:
        server.ask("PUT", f"build/{build_id}/cancel/")


def get(server: Server, path: str, token: str = MASTER, method: str = "GET") -> requests.Response:
    return requests.request(method, server.api + path, headers={"Authorization": f"Bearer {token}"}, timeout=320)


def state(server: Server, build_id: int, kind: str) -> str:
    listed: list[dict[str, Any]] = server.data("GET", f"build/{build_id}/artifacts/")
    return next(str(item["state"]) for item in listed if item["type"] == kind and not item["variant"])


def test_many_downloads_wait_while_everything_else_is_answered(single: Server, nasty_channel: str) -> None:
    path = f"build/{single.build_id}"
    assert get(single, f"{path}/archive/", method="HEAD").status_code == 404  # a look makes nothing
    places = [f"{path}/archive/", f"{path}/conda-lock.yml", f"{path}/lockfile/", "environment/team/plain/lockfile/"]
    with ThreadPoolExecutor(60) as pool:
        with all_workers_busy(single, nasty_channel):
            held = [pool.submit(get, single, place) for place in places for _ in range(15)]
            deadline = time.monotonic() + 60
            while {state(single, single.build_id, kind) for kind in ("archive", "lockfile")} != {"pending"}:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            started = time.monotonic()
            head = get(single, f"{path}/archive/", method="HEAD")
            assert (head.status_code, head.headers["Retry-After"]) == (409, "5")
            assert get(single, "permission/").ok
            assert time.monotonic() - started < 5
            assert not any(one.done() for one in held)
        answers = [one.result() for one in held]
    assert {answer.status_code for answer in answers} == {200}
    assert {len({answer.content for answer in answers[place : place + 15]}) for place in (0, 15, 30, 45)} == {1}
    requested = single.data("GET", "audit/?verb=artifact.request&size=1000")
    assert len([row for row in requested if row["subject"].startswith(f"build:{single.build_id}:")]) == 2


def test_a_download_waits_for_its_build_too(single: Server, nasty_channel: str) -> None:
    build_id = single.submit(text(nasty_channel, "early", "nasty-text"))
    told = single.ask("HEAD", f"build/{build_id}/yaml/", check=False)
    assert (told.status_code, "Retry-After" in told.headers) == (409, True)
    answer = get(single, f"build/{build_id}/yaml/")
    assert answer.ok, answer.text
    assert "nasty-text=" in answer.text


def test_a_build_that_fails_lets_its_downloads_go_with_the_state(single: Server, nasty_channel: str) -> None:
    build_id = single.submit(text(nasty_channel, "broken", "no-such-package"))
    answer = get(single, f"build/{build_id}/yaml/")
    assert (answer.status_code, "FAILED" in answer.json()["message"]) == (404, True)


def test_who_may_only_look_is_told_at_once_that_it_is_not_made(single: Server) -> None:
    viewer = single.token({"team/*": ["viewer"]})
    started = time.monotonic()
    answer = get(single, f"build/{single.build_id}/explicit/", viewer)
    assert (answer.status_code, time.monotonic() - started < 5) == (404, True)
    assert "has no explicit yet; POST" in answer.json()["message"]
    assert state(single, single.build_id, "explicit") == "absent"


def test_what_may_not_be_made_here_is_refused_in_words(single: Server) -> None:
    answer = get(single, f"build/{single.build_id}/installer/")
    assert (answer.status_code, answer.json()["code"]) == (400, "policy")
    assert "allowed: yaml, lockfile, explicit, archive" in answer.json()["message"]


def test_what_cannot_be_made_tells_why(single: Server) -> None:
    answer = get(single, f"build/{single.build_id}/yaml/?variant=win-64")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "locked for linux-64, not for win-64" in answer.json()["message"]


def test_what_was_dropped_is_made_again(single: Server, nasty_channel: str) -> None:
    first = single.submit(text(nasty_channel, "packed", "nasty-text"))
    before = get(single, f"build/{first}/archive/").content
    second = single.submit(text(nasty_channel, "packed", "nasty-text"))
    single.wait(second)
    single.data("POST", f"build/{first}/pack-away/")
    assert state(single, first, "archive") == "dropped"
    answer = get(single, f"build/{first}/archive/")
    assert (answer.status_code, answer.content) == (200, before)


def test_a_client_that_goes_away_is_not_waited_with(single: Server, nasty_channel: str) -> None:
    build_id = single.submit(text(nasty_channel, "left", "nasty-text"))
    single.wait(build_id)
    with all_workers_busy(single, nasty_channel):
        with socket.create_connection(("127.0.0.1", single.port)) as connection:
            path = f"/envstore/api/v1/build/{build_id}/archive/"
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {MASTER}\r\n\r\n"
            connection.sendall(head.encode())
            deadline = time.monotonic() + 60
            while state(single, build_id, "archive") != "pending":
                assert time.monotonic() < deadline
                time.sleep(0.1)
        while f"499 GET {path}" not in single.log.read_text():
            assert time.monotonic() < deadline, single.log.read_text()[-2000:]
            time.sleep(0.1)


def test_behind_the_limit_one_is_told_to_ask_again(make_server: Callable[[str], Server], nasty_channel: str) -> None:
    server = make_server(
        f"c.EnvStoreApp.max_concurrent_builds = 1\nc.EnvStoreApp.artifact_wait_seconds = 0.5\n"
        f"c.EnvStoreApp.default_settings = {NOTHING_AT_ONCE!r}\n"
    )
    build_id = server.submit(text(nasty_channel, "plain", "nasty-text"))
    server.wait(build_id)
    with all_workers_busy(server, nasty_channel) as sleeping:
        answer = server.ask("GET", f"build/{build_id}/archive/")
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (409, "5", "not_ready")
        assert "is being made; ask again" in answer.json()["message"]
        answer = server.ask("GET", f"build/{sleeping}/archive/")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
        assert f"build {sleeping} is BUILDING" in answer.json()["message"]
    server.wait(build_id)
    assert server.ask("GET", f"build/{build_id}/archive/").ok
