"""Two servers of one store behind nginx, which sends each request to the next one: all is done once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.commands import run_command
from tests.nginx import AROUND, NGINX
from tests.object_store import shared_object_store
from tests.ports import free_port
from tests.postgresql import Postgresql
from tests.server.live import MASTER, Server
from tests.team.live import Service

UPSTREAM = """
upstream envstore {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}
server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location / {{
        proxy_pass http://envstore;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_buffering off;
        add_header Served-By $upstream_addr always;
    }}
}}
"""
STORE = """
c.EnvStoreService.allow_unsandboxed = True
c.EnvStoreApp.database_url = {database!r}
c.EnvStoreApp.blob_url = {bucket!r}
c.EnvStoreApp.blob_options = {options!r}
c.EnvStoreApp.docker_base_image = "scratch"
c.EnvStoreApp.collect_hours = 0.0005  # about two seconds
c.EnvStoreApp.default_settings = {{
    "build_artifacts": ["yaml", "lockfile", "docker"],
    "artifacts_at_once": [],
    "check_imports": False,
    "conda_default_channels": [{channel!r}],
    "retention_builds": 1,
}}
"""
LOGIN = ("x", MASTER)
TEXT = "name: {name}\nchannels: [{channel}]\ndependencies: [nasty-text]\n"


class Balanced(Server):
    """The two services, as a client sees them through nginx."""

    def __init__(self, port: int, services: list[Service]) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.api = f"{self.origin}/envstore/api/v1/"
        self.services = services


@pytest.fixture(scope="module")
def balanced(nasty_channel: str) -> Iterator[Balanced]:
    """Two services with folders of their own, on one database and one bucket, behind nginx."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database = Postgresql().start()
        stack.callback(database.remove)
        objects = shared_object_store()
        values = {
            "database": database.make("two"),
            "bucket": objects.make("two"),
            "options": objects.options(),
            "channel": nasty_channel,
        }
        services = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            services.append(Service(folder / name, STORE.format(**values)).start())
            stack.callback(services[-1].stop)
        port, (first, second) = free_port(), (service.port for service in services)
        (folder / "envstore.conf").write_text(UPSTREAM.format(first=first, second=second, port=port))
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
        nginx = subprocess.Popen([NGINX or "nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)])
        stack.callback(nginx.wait)
        stack.callback(nginx.terminate)
        found = Balanced(port, services)
        deadline = time.monotonic() + 30
        seen: set[str] = set()
        while len(seen) < 2:
            with contextlib.suppress(requests.ConnectionError):
                seen.add(requests.get(found.api, timeout=5).headers.get("Served-By", ""))
            assert time.monotonic() < deadline
        yield found


def demand(server: Server, constraints: str) -> requests.Response:
    """Ask for the manifest of an image on demand."""
    return requests.get(
        f"{server.origin}/v2/conda-store-dynamic/{constraints}/manifests/latest", auth=LOGIN, timeout=90
    )


def test_an_image_that_both_are_asked_for_is_made_once(balanced: Balanced) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: demand(balanced, "nasty-text/nasty-modes"), range(12)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert len({answer.headers["Docker-Content-Digest"] for answer in answers}) == 1
    assert len({answer.headers["Served-By"] for answer in answers}) == 2
    (environment,) = balanced.data("GET", "environment/?namespace=conda-store-dynamic")
    (build,) = balanced.data("GET", f"build/?environment_id={environment['id']}")
    layers = answers[0].json()["layers"]
    for _ in range(4):
        address = f"{balanced.origin}/v2/conda-store-dynamic/nasty-text/nasty-modes/blobs/{layers[-1]['digest']}"
        got = requests.get(address, auth=LOGIN, timeout=30)
        assert len(got.content) == layers[-1]["size"]
    log = balanced.ask("GET", f"build/{build['id']}/logs/").text
    assert log.count("Ready after") == 1


def test_a_preview_may_be_asked_of_either(balanced: Balanced, nasty_channel: str) -> None:
    body = {"namespace": "team", "specification": TEXT.format(name="seen", channel=nasty_channel)}
    answers = [balanced.ask("POST", "solve/", json=body) for _ in range(4)]
    assert {answer.headers["Served-By"] for answer in answers} == {
        f"127.0.0.1:{service.port}" for service in balanced.services
    }
    assert len({json.dumps(answer.json()["data"]["packages"], sort_keys=True) for answer in answers}) == 1


def test_who_follows_one_server_hears_what_the_other_does(balanced: Balanced, nasty_channel: str) -> None:
    first, second = balanced.services
    before = first.data("GET", "changes/")["revision"]
    heard: list[dict[str, Any]] = []
    follow = requests.get(
        f"{first.api}changes/?follow=true", headers={"Authorization": f"Bearer {MASTER}"}, stream=True, timeout=60
    )

    def listen() -> None:
        with contextlib.suppress(requests.RequestException, AttributeError):
            heard.extend(json.loads(line) for line in follow.iter_lines() if line.strip().startswith(b"{"))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    build = second.submit(TEXT.format(name="followed", channel=nasty_channel))
    assert second.wait(build)["status"] == "COMPLETED"
    logs = {service.ask("GET", f"build/{build}/logs/").text for service in balanced.services}
    assert len(logs) == 1
    assert logs.pop().count("Ready after") == 1
    time.sleep(1.5)
    follow.close()
    assert str(build) in json.dumps(heard)
    assert first.data("GET", "changes/")["revision"] > before
    states = {service.port: service.data("GET", f"build/{build}/")["packed_away"] for service in balanced.services}
    assert states == {first.port: True, second.port: False}  # it is where it was asked for


def test_what_both_are_asked_to_delete_is_deleted_once(balanced: Balanced, nasty_channel: str) -> None:
    first, second = balanced.services
    build = first.submit(TEXT.format(name="gone", channel=nasty_channel))
    first.wait(build)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda service: service.ask("DELETE", "environment/team/gone/"), (first, second)))
    assert sorted(answer.status_code for answer in answers) == [200, 404]
    audit = [entry for entry in first.data("GET", "audit/?size=100") if entry["verb"] == "environment.delete"]
    assert len([entry for entry in audit if "gone" in entry["subject"]]) == 1
    assert second.ask("POST", "environment/team/gone/undelete/").ok
    assert first.data("GET", "environment/team/gone/")["name"] == "gone"


def test_both_collect_at_once_and_nothing_that_is_wanted_goes(balanced: Balanced, nasty_channel: str) -> None:
    first, second = balanced.services
    numbers = []
    for value in ("1", "2", "3"):
        text = TEXT.format(name="many", channel=nasty_channel) + f"variables: {{A: '{value}'}}\n"
        numbers.append(first.submit(text))
        first.wait(numbers[-1])
    deadline = time.monotonic() + 60
    while not all(first.data("GET", f"build/{number}/")["packed_away"] for number in numbers[:2]):
        assert time.monotonic() < deadline
        time.sleep(0.5)  # retention_builds is 1, and both servers collect all the time
    assert not first.data("GET", f"build/{numbers[2]}/")["packed_away"]
    assert second.data("GET", f"build/{numbers[2]}/")["packed_away"]
    for number in numbers:
        assert "nasty-text" in balanced.ask("GET", f"build/{number}/lockfile/").text
    assert second.ask("POST", f"build/{numbers[0]}/restore/").ok
    second.wait(numbers[0])
    assert not second.data("GET", f"build/{numbers[0]}/")["packed_away"]
    for service in balanced.services:
        log = service.log.read_text()
        assert "Traceback" not in log, log
        assert "could not be freed" not in log


def test_the_commands_of_each_machine_find_the_same_store(balanced: Balanced, nasty_channel: str) -> None:
    first, second = balanced.services
    build = first.submit(TEXT.format(name="shown", channel=nasty_channel))
    first.wait(build)
    folder = second.folder
    config = (folder / "config.py").read_text()
    home = folder / "jupyter"
    home.mkdir()
    (home / "jupyter_server_config.py").write_text(config)
    variables = {**os.environ, "JUPYTER_CONFIG_DIR": str(home), "HOME": str(home)}
    told = run_command(["show", "team/shown"], folder, variables)
    assert f"on {socket.gethostname()}:{first.root}; run and shell bring it here" in told.stdout, told
    ran = run_command(["run", "team/shown", "echo", "here"], folder, variables)
    assert ran.returncode == 0, ran
    assert ran.stdout.strip().splitlines()[-1] == "here", ran
    assert not second.data("GET", f"build/{build}/")["packed_away"]
