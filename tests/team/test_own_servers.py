"""Own Jupyter servers of people of a JupyterHub, which are clients of the hub's store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import PYTHON
from tests.server.test_kernels import kernel, run, specs
from tests.team.live import Hub, PersonsServer, Terminal
from tests.team.test_hub import text, until


@pytest.fixture(scope="module")
def servers(hub: Hub) -> dict[str, PersonsServer]:
    """The servers of two members of a group, and of somebody who is in none."""
    return {name: hub.own_server(name) for name in ("jo", "kim", "stranger")}


def ask(server: PersonsServer, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
    return server.ask(method, path, token or server.master, check=False, **options)


def test_each_server_shows_what_its_owner_has_at_the_store(
    hub: Hub, servers: dict[str, PersonsServer], channel: str
) -> None:
    for name, server in servers.items():
        answer = ask(server, "GET", "permission/")
        assert answer.ok, answer.text + hub.log.read_text()[-3000:]
        found = answer.json()["data"]
        assert (found["username"], found["primary_namespace"]) == (name, name)
    jo, kim, stranger = servers.values()
    body = {"namespace": "data", "specification": text(channel, "seen", f"python={PYTHON}, ipykernel")}
    build = ask(jo, "POST", "specification/", json=body).json()["data"]["build_id"]
    hub.wait(build)
    assert ask(kim, "GET", f"build/{build}/").json()["data"]["status"] == "COMPLETED"
    assert ask(kim, "GET", "environment/data/seen/").json()["data"]["active"]
    assert ask(stranger, "GET", f"build/{build}/").status_code == 404
    assert ask(stranger, "GET", "environment/").json()["data"] == []
    url = next(i["url"] for i in ask(kim, "GET", f"build/{build}/artifacts/").json()["data"] if i["type"] == "yaml")
    assert url.startswith("/hub-of-tests/user/kim/envstore/api/v1/")


def test_commands_in_the_terminal_of_a_server_work_on_the_store(
    hub: Hub, servers: dict[str, PersonsServer], tmp_path: Path
) -> None:
    own = {"JUPYTERHUB_USER": "kim", "JUPYTERHUB_API_TOKEN": servers["kim"].master}
    kim = Terminal(tmp_path, f"{hub.base}/services/envstore/", "")
    kim.environment = {k: v for k, v in kim.environment.items() if k != "ENVSTORE_REMOTE_TOKEN"} | own
    assert [(row["namespace"], row["name"]) for row in kim.json("list")] == [("data", "seen")]
    assert "as kim" in kim.run("doctor").stdout
    refused = kim.run("list", "--store", "http://127.0.0.1:9", status=6)
    assert "there is no login to the store" in refused.stderr


def test_a_server_lends_its_login_to_nobody_else(hub: Hub, servers: dict[str, PersonsServer]) -> None:
    other = hub.person("boss", "access:servers")  # an admin of the hub may open every server
    refused = ask(servers["jo"], "GET", "permission/", other)
    assert (refused.status_code, "this server has the login of jo" in refused.text) == (403, True)


def test_a_kernel_of_the_group_runs_in_the_others_server(hub: Hub, servers: dict[str, PersonsServer]) -> None:
    kim, name = servers["kim"], "envstore-data--seen"
    until(lambda: name in specs(kim), 15)
    code = "import sys, os, envstore_client as e; print(sys.prefix, e.EnvStore().permissions()['username'])"
    with kernel(kim, name) as started:
        prefix, user = run(kim, started, code).split()
    assert (Path(prefix).is_relative_to(hub.folder / "home" / "kim"), user) == (True, "kim")
    assert name not in specs(servers["stranger"])


def test_who_leaves_the_group_loses_its_environments_within_a_minute(
    hub: Hub, servers: dict[str, PersonsServer]
) -> None:
    kim = servers["kim"]
    hub.hub("DELETE", "groups/data/users", json={"users": ["kim"]})
    try:
        until(lambda: ask(kim, "GET", "environment/data/seen/").status_code == 403)
        begun = time.monotonic()
        until(lambda: "envstore-data--seen" not in specs(kim), 60)
        assert time.monotonic() - begun < 60
    finally:
        hub.hub("POST", "groups/data/users", json={"users": ["kim"]})
