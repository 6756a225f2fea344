"""A notebook whose build is in a store elsewhere: found there by its hash, and brought from there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_envstore.remote.logins import Login, Logins
from tests.helpers import QuietHandler, serve
from tests.images.conftest import run
from tests.server.live import MASTER, Server

Json = dict[str, Any]
PROGRAM = str(Path(sys.executable).with_name("jupyter-envstore"))


@pytest.fixture
def asked(server: Server) -> Json:
    """The metadata of a notebook that was written in ``team/data`` of the first server, without its lock."""
    found: Json = server.data("GET", f"build/{server.build_id}/bond/")
    return found


@pytest.fixture(scope="module")
def other(make_server: Callable[[str], Server]) -> Server:
    """A server with an empty store."""
    return make_server("")


@pytest.fixture
def logins(other: Server) -> Iterator[Logins]:
    """The logins of the account that the second server runs under: none."""
    file = other.folder / "none" / "envstore_logins.json"
    yield Logins(file)
    file.unlink(missing_ok=True)


def elsewhere(server: Server, bond: Json, token: str | None = MASTER) -> Json:
    found: Json = server.data("POST", "notebook/elsewhere/", token, json={"envstore": bond})
    return found


def test_builds_are_found_by_their_record_by_those_who_may_see_them(server: Server, asked: Json) -> None:
    digest = asked["record"].removeprefix("sha256:")
    found = server.data("GET", f"record/{digest}/")
    assert (found["builds"][0]["build_id"], found["lock"]) == (server.build_id, None)
    assert server.data("GET", f"record/{digest}/?lock=true")["lock"]["encoding"] == "xz+base64"
    stranger = server.token({"elsewhere/*": ["admin"]})
    hidden = server.ask("GET", f"record/{digest}/?lock=true", stranger)
    assert hidden.status_code == 404
    assert hidden.json()["message"] == server.ask("GET", f"record/{digest}/", stranger).json()["message"]
    for nothing in ("0" * 64, "x", "..%2f"):
        assert server.ask("GET", f"record/{nothing}/", check=False).status_code == 404


def test_the_build_is_brought_from_the_store_that_one_is_logged_in_to(
    server: Server, other: Server, asked: Json, logins: Logins
) -> None:
    assert elsewhere(other, asked) == {"found": None, "failed": []}
    store = f"{server.origin}/envstore"
    body = {"envstore": asked, "namespace": "brought", "name": "back", "store": store}
    refused = other.ask("POST", "notebook/build/", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert "is not logged in to" in refused.json()["message"]

    logins.note(Login("http://127.0.0.1:9/envstore", "es_nobody"))
    logins.note(Login(store, server.token({"team/*": ["viewer"]})))
    state = elsewhere(other, asked)
    assert [(fault["store"], "cannot be reached" in fault["reason"]) for fault in state["failed"]] == [
        ("http://127.0.0.1:9/envstore", True)
    ]
    found = state["found"]
    place = (found["store"], found["namespace"], found["environment"], found["number"])
    assert place == (store, "team", "data", asked["build"])
    assert found["lock"]["fits"]
    assert found["lock"]["packages"] > 10
    strange = other.ask("POST", "notebook/build/", json=body)
    assert (strange.status_code, strange.json()["code"]) == (409, "unknown_places")
    assert strange.json()["places"] == found["lock"]["places"]
    made = other.data("POST", "notebook/build/", json={**body, "accept": found["lock"]["places"]})["build_id"]
    assert other.wait(made)["status"] == "COMPLETED"
    assert other.data("GET", f"build/{made}/bond/")["record"] == asked["record"]
    other.ask("DELETE", "environment/brought/back/")


def test_the_store_where_the_notebook_was_written_comes_first(
    server: Server, other: Server, asked: Json, logins: Logins
) -> None:
    token = server.token({"team/*": ["viewer"]})
    for host in ("localhost", "127.0.0.1"):
        logins.note(Login(f"http://{host}:{server.port}/envstore", token))
    assert elsewhere(other, asked)["found"]["store"] == f"http://localhost:{server.port}/envstore"
    written = {**asked, "store": f"{server.origin}/"}
    assert elsewhere(other, written)["found"]["store"] == f"{server.origin}/envstore"


def test_a_store_that_a_notebook_names_is_not_asked_without_a_login(other: Server, asked: Json, logins: Logins) -> None:
    seen: list[str] = []

    class Listener(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802
            seen.append(self.path)
            self.send_error(404)

    with serve(str(other.folder), Listener) as host:
        bond = {**asked, "store": f"http://{host}"}
        assert elsewhere(other, bond) == {"found": None, "failed": []}
        assert other.ask("POST", "notebook/", json={"envstore": bond}).status_code == 200
    assert seen == []
    assert logins.all() == []


def test_the_logins_of_the_account_serve_its_owner_alone(
    server: Server, other: Server, asked: Json, logins: Logins, make_server: Callable[[str], Server]
) -> None:
    login = Login(f"{server.origin}/envstore", server.token({"team/*": ["viewer"]}))
    logins.note(login)
    everything = other.token({"*/*": ["admin"]})
    assert elsewhere(other, asked, everything) == {"found": None, "failed": []}
    body = {"envstore": asked, "namespace": "brought", "name": "too", "store": login.url}
    assert other.ask("POST", "notebook/build/", everything, json=body).status_code == 404
    shared = make_server("c.EnvStoreApp.shared = True\nc.EnvStoreApp.admins = {'*'}")
    Logins(shared.folder / "none" / "envstore_logins.json").note(login)
    assert elsewhere(shared, asked) == {"found": None, "failed": []}
    off = make_server("c.EnvStoreApp.ask_other_stores = False")
    Logins(off.folder / "none" / "envstore_logins.json").note(login)
    assert elsewhere(off, asked) == {"found": None, "failed": []}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>log in</html>", "does not answer like a store"),
        (b'{"data": {"builds": [], "lock": null}}', "does not answer like a store"),
        (b'{"data": {"builds": [7], "lock": null}}', "does not answer like a store"),
        (b'{"data": [1]}', "does not answer like a store"),
        (
            b'{"data": {"builds": [{"namespace": "a", "environment": "b", "number": 1}], '
            b'"lock": {"encoding": "xz+base64", "size": 4, "data": "AAAA"}}}',
            "is not the build record of the notebook",
        ),
        (
            b'{"data": {"builds": [{"namespace": "a", "environment": "b", "number": 1}], "lock": [1]}}',
            "is not the build record of the notebook",
        ),
        (
            b'{"data": {"builds": [{"namespace": "a\\u001b[2J", "environment": "b", "number": 1}], "lock": {}}}',
            "does not answer like a store",
        ),
        (
            b'{"data": {"builds": [{"namespace": "a", "environment": {"x": 1}, "number": 1}], "lock": {}}}',
            "does not answer like a store",
        ),
        (
            b'{"data": {"builds": [{"namespace": "a", "environment": "b", "number": 1e999}], "lock": {}}}',
            "does not answer like a store",
        ),
        (b"[" * 200_000, "does not answer like a store"),
        (b" " * (17 << 20), "does not answer like a store"),
    ],
)
def test_a_store_that_sends_something_else_is_told(
    other: Server, asked: Json, logins: Logins, answer: bytes, reason: str
) -> None:
    class Liar(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

    with serve(str(other.folder), Liar) as host:
        logins.note(Login(f"http://{host}/envstore", "es_x"))
        state = elsewhere(other, asked)
        assert state["found"] is None
        assert reason in state["failed"][0]["reason"]
        body = {"envstore": asked, "namespace": "x", "name": "y", "store": f"http://{host}/envstore"}
        refused = other.ask("POST", "notebook/build/", json=body)
        assert (refused.status_code, refused.json()["code"]) == (502, "other_store")


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (500, {}, b'{"message": "no\\u001b[2J\\r\\nerror: faked Bearer es_x"}', "no\\x1b[2J error: faked Bearer ***"),
        (500, {}, b"[1]", "500 Internal Server Error"),
        (503, {"Content-Length": "9" * 12}, b"x" * 100_000, "503 Service Unavailable"),
        (302, {"Location": "http://localhost:9/envstore/api/v1/x"}, b"", "it leads to http://localhost:9"),
        (302, {"Location": "ftp://127.0.0.1/x"}, b"", "it leads to ftp://127.0.0.1"),
        (307, {"Location": "http://[bad/"}, b"", "cannot be reached"),
        (200, {"Content-Length": "50"}, b'{"data":', "does not answer like a store"),
        (200, {"Transfer-Encoding": "chunked"}, b"zz\r\n", "cannot be reached"),
    ],
)
def test_a_store_that_fails_is_told_and_followed_nowhere(
    other: Server, asked: Json, logins: Logins, status: int, headers: dict[str, str], body: bytes, reason: str
) -> None:
    class Failing(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with serve(str(other.folder), Failing) as host:
        logins.note(Login(f"http://{host}/envstore", "es_x"))
        told = elsewhere(other, asked)["failed"][0]["reason"]
    assert reason in told
    assert "\n" not in told


def test_one_that_never_ends_is_waited_for_a_while_and_holds_up_none_that_answers(
    server: Server, other: Server, asked: Json, logins: Logins
) -> None:
    class Slow(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(40):
                    self.wfile.write(b" ")
                    time.sleep(0.5)

    with serve(str(other.folder), Slow) as host:
        logins.note(Login(f"http://{host}/envstore", "es_x"))
        begun = time.monotonic()
        assert elsewhere(other, asked)["failed"][0]["reason"] == "it does not answer within 10 s"
        assert time.monotonic() - begun < 18
        logins.note(Login("http://127.0.0.1:9/envstore", "es_nobody"))
        logins.note(Login(f"{server.origin}/envstore", server.token({"team/*": ["viewer"]})))
        logins.forget(f"http://{host}/envstore")
        logins.note(Login(f"http://{host}/envstore", "es_x"))
        begun = time.monotonic()
        assert elsewhere(other, asked)["found"]["store"] == f"{server.origin}/envstore"
        assert time.monotonic() - begun < 8


def test_a_login_that_has_ended_and_damaged_logins_are_told(
    server: Server, other: Server, asked: Json, logins: Logins
) -> None:
    store = f"{server.origin}/envstore"
    logins.note(Login(store, "es_revoked"))
    assert elsewhere(other, asked)["failed"] == [
        {"store": store, "reason": f"the login has ended: jupyter envstore login {store}"}
    ]
    (other.folder / "none" / "envstore_logins.json").write_text("{")
    answer = other.ask("POST", "notebook/elsewhere/", json={"envstore": asked})
    assert answer.status_code == 507
    assert "log in again" in answer.json()["message"]
    assert other.ask("POST", "notebook/", json={"envstore": asked}).status_code == 200


def test_the_command_line_logs_in_and_runs_a_notebook_from_another_store(
    server: Server, asked: Json, root: Path, package_cache: Path, tmp_path: Path, channel: str
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    (tmp_path / "jupyter_envstore_config.py").write_text(
        f"c.EnvStoreApp.default_settings = {{'check_imports': False, 'artifacts_at_once': [], "
        f"'conda_default_channels': [{channel!r}]}}\n"
    )
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}

    def command(*arguments: str, code: int = 0, **more: Any) -> Any:
        return run(PROGRAM, *arguments, "--root", str(root), code=code, env=environment, **more)

    assert "you are logged in to no other store" in command("login").stdout
    assert "characters that no token has" in command("login", server.origin, code=2, input="").stderr
    refused = command("login", server.origin, code=1, input="es_wrong\n")
    assert f"make one on {server.origin}/envstore/tokens" in refused.stderr
    assert "cannot be reached" in command("login", "http://127.0.0.1:9", code=6, input="es_x\n").stderr
    lost = command("login", f"{server.origin}/nowhere", code=3, input="es_x\n")
    assert f"there is no store at {server.origin}/nowhere/envstore" in lost.stderr
    assert "you are logged in to no other store" in command("login").stdout
    token = server.token({"team/*": ["viewer"]}, name="laptop")
    told = command("login", f"{server.origin}/envstore/tokens", "--token-stdin", "--json", input=f"{token}\n")
    user = server.data("GET", "permission/")["username"]
    assert json.loads(told.stdout) == {"store": f"{server.origin}/envstore", "user": user}
    assert command("login").stdout == f"{server.origin}/envstore  as {user}\n"

    path = tmp_path / "analysis.ipynb"
    metadata = {"kernelspec": {"name": "envstore-team--data", "display_name": "x", "language": "python"}}
    made = new_notebook(metadata={**metadata, "envstore": asked}, cells=[new_code_cell("import numpy; print(6 * 7)")])
    nbformat.write(made, path)
    done = command("run-notebook", str(path), "--exact", "-o", "-")
    assert f"found in {server.origin}/envstore as team/data:{asked['build']}" in done.stderr
    assert json.load(io.StringIO(done.stdout))["cells"][0]["outputs"][0]["text"] == ["42\n"]
    again = command("run-notebook", str(path), "--exact")
    assert "found in" not in again.stderr
    assert "its token works until it is revoked" in command("logout", server.origin).stdout
    assert command("logout", server.origin, code=3).stderr.startswith("error: you are not logged in to")
    answer = requests.get(f"{server.api}permission/", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200
