"""A Jupyter server that is a client of a store elsewhere: who may use its login, what it hands on, what it tells."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.websocket import WebSocketClosedError

from jupyter_envstore.application.remote_kernels import LOOK_SECONDS
from jupyter_envstore.builds.deletion import prefixes_in_use
from tests.conftest import PYTHON
from tests.helpers import serve
from tests.server.live import MASTER, check_answer
from tests.server.test_access import BODIES, TABLE
from tests.server.test_kernels import kernel, run, specs, until
from tests.server.test_lifecycle import listen
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import Client, Service

JO = "token-of-jo-at-the-store-0123456789"
TOKENS = f"""
c.EnvStoreApp.block_private_addresses = False  # a channel of the tests is on this machine
c.EnvStoreApp.predefined_tokens[{JO!r}] = {{
    "name": "jo", "primary_namespace": "jo", "role_bindings": {{"jo/*": ["admin"], "team/*": ["viewer"]}}
}}
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Service]:
    """A store that runs alone, and that is stopped and started again."""
    with short_folder() as folder:
        found = Service(folder, UNSANDBOXED + TOKENS).start()
        yield found
        found.stop()


@pytest.fixture(scope="module")
def built(store: Service, nasty_channel: str) -> int:
    """``team/x`` of the store."""
    build = store.submit(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    store.wait(build)
    store.make(build, "docker")
    return build


@pytest.fixture(scope="module")
def client(store: Service, built: int) -> Iterator[Client]:
    """The server of jo."""
    with short_folder() as folder:
        found = Client(folder, f"{store.origin}/", JO).start()
        yield found
        found.stop()


def test_the_answers_are_those_that_the_person_has_at_the_store(client: Client, store: Service, built: int) -> None:
    for path in (
        "", "build/?page=1&size=5", f"build/{built}/",
        f"build/{built}/packages/", f"build/{built}/yaml/", f"build/{built}/lockfile/", "openapi.json", "roles/",
        f"build/{built}/logs/", f"build/{built}/docker/",
    ):  # fmt: skip
        ours, theirs = client.ask("GET", path), store.ask("GET", path, JO)
        assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content), path
        assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]
    for path in ("environment/", "environment/?page=1&size=5", "environment/team/x/"):
        ours, theirs = client.ask("GET", path).json(), store.ask("GET", path, JO).json()
        for answer in (ours, theirs):
            for row in answer["data"] if isinstance(answer["data"], list) else [answer["data"]]:
                for own in ("kernel_note", "path", "presence"):  # the store starts no kernels, and this server does
                    del row[own]
        assert ours == theirs
    own, theirs = client.data("GET", "permission/"), store.data("GET", "permission/", JO)
    program, *options = own.pop("command")
    assert (Path(program).name, options, theirs.pop("command")) == ("jupyter-envstore", ["--store", store.place], None)
    assert own == theirs
    assert own["primary_namespace"] == "jo"
    assert client.ask("GET", "").headers["EnvStore-Version"] == store.data("GET", "", JO)["version"]
    assert client.ask("DELETE", "environment/team/x/").status_code == 403
    assert requests.get(f"{client.origin}/conda-store/api/v1/", params={"token": MASTER}, timeout=9).ok
    urls = [item["url"] for item in client.data("GET", f"build/{built}/artifacts/")]
    assert all(url.startswith("/envstore/api/v1/") for url in urls)


@pytest.mark.parametrize("line", TABLE)
def test_who_is_not_logged_in_here_has_nothing_of_the_login(client: Client, built: int, line: str) -> None:
    verb, template = line.split(" ")
    path = path_of(template, built)
    answer = client.ask(verb, path, None, check=False, json=None if verb in ("GET", "HEAD") else BODIES.get(line, {}))
    check_answer(verb, path, answer)
    assert answer.status_code == 401


@pytest.mark.parametrize("line", [line for line in TABLE if line not in ("PUT /build/{build_id}/", "POST /space/")])
def test_who_sends_a_token_of_the_store_has_what_it_gives_and_no_more(
    client: Client, store: Service, built: int, line: str
) -> None:
    verb, template = line.split(" ")
    path, body = path_of(template, built), None if verb == "GET" else BODIES.get(line, {})
    token = store.token({"elsewhere/*": ["admin"]})
    answers = [each.ask(verb, path, token, check=False, json=body).status_code for each in (client, store)]
    assert answers[0] == answers[1]


def path_of(template: str, build: int) -> str:
    values = {"namespace": "team", "name": "x", "build_id": build, "other_id": build, "token_id": 999_999,
              "kind": "nonsense", "package": "x", "module": "x", "digest": "0"}  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template).lstrip("/")


def test_pages_of_other_sites_cannot_use_the_login(client: Client) -> None:
    browser = requests.Session()
    assert browser.get(f"{client.origin}/envstore/tokens?token={MASTER}", timeout=9).ok
    assert browser.get(f"{client.api}permission/", timeout=9).ok
    read = browser.get(f"{client.api}permission/", headers={"Sec-Fetch-Site": "cross-site"}, timeout=9)
    assert (read.status_code, "another site" in read.text) == (403, True)
    written = browser.post(f"{client.api}token/", json={"name": "x"}, timeout=9)
    assert (written.status_code, "_xsrf" in written.text) == (403, True)
    xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
    assert browser.post(f"{client.api}token/kernel/", json={"hours": 1}, headers=xsrf, timeout=9).ok


def test_files_come_in_pieces_and_with_their_headers(client: Client, built: int) -> None:
    whole = client.ask("GET", f"build/{built}/lockfile/")
    part = client.ask("GET", f"build/{built}/lockfile/", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, whole.content[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(whole.content)}"
    same = client.ask("GET", f"build/{built}/lockfile/", headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = client.ask("HEAD", f"build/{built}/lockfile/")
    assert (head.headers["Content-Length"], head.content) == (str(len(whole.content)), b"")
    late = client.ask("GET", f"build/{built}/lockfile/", headers={"Range": "bytes=99999999-"})
    assert late.status_code == 416
    assert "filename" in whole.headers["Content-Disposition"]


def test_a_log_is_followed_to_its_end(client: Client, channel: str) -> None:
    build = client.submit(f"name: logged\nchannels: [{channel}]\ndependencies: [python, numpy, ipykernel]", "jo")
    headers = {"Authorization": f"Bearer {MASTER}"}
    seen: list[bool] = []
    with requests.get(f"{client.api}build/{build}/logs/?follow=true", headers=headers, stream=True, timeout=60) as log:
        text = b""
        for piece in log.iter_content(None):
            text += piece
            seen.append(client.data("GET", f"build/{build}/")["status"] in ("QUEUED", "BUILDING"))
    assert seen[0], "its first piece came when the build had ended"
    assert text == client.ask("GET", f"build/{build}/logs/").content


def test_what_others_change_is_told_within_a_second(client: Client, store: Service) -> None:
    time.sleep(1)  # what was built before is told by now
    event, seconds = listen(
        client,
        lambda: store.data("PUT", "environment/team/x/", json={"description": f"changed at {time.time()}"}),
        "environments",
    )
    assert seconds < 1.0
    assert event["ids"] == [store.data("GET", "environment/team/x/")["id"]]


def test_what_one_may_not_see_is_not_told(client: Client, store: Service, nasty_channel: str) -> None:
    def others_then_seen() -> None:
        text = f"name: secret\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
        store.wait(store.submit(text, "secret"))
        time.sleep(1)
        store.data("PUT", "environment/team/x/", json={"description": f"changed at {time.time()}"})

    event, _ = listen(client, others_then_seen, "environments", 30)
    assert event["ids"] == [store.data("GET", "environment/team/x/")["id"]]


def test_a_kernel_has_a_token_of_its_own_and_the_client(client: Client, store: Service) -> None:
    code = """
import os, json, envstore_client
print(json.dumps([os.environ["ENVSTORE_URL"], os.environ["ENVSTORE_TOKEN"],
    [row["name"] for row in envstore_client.EnvStore().environments(namespace="team")]]))
"""
    with kernel(client, "python3") as started:
        url, token, names = json.loads(run(client, started, code))
    assert (url, "x" in names) == (client.api[:-8], True)
    assert token.startswith("es_")
    assert token != JO
    permissions = store.data("GET", "permission/", token)
    assert permissions["entity_roles"] == {"jo/*": ["developer"], "team/*": ["viewer"]}
    assert permissions["expiration"] is not None


def test_a_store_that_is_away_is_told_and_found_again(client: Client, store: Service, built: int) -> None:
    store.stop(signal.SIGKILL)
    gone = client.ask("GET", "environment/", check=False)
    assert gone.status_code == 503
    assert gone.json()["message"].startswith(f"the store at {store.place} does not answer: ")
    with kernel(client, "python3") as started:
        assert "none" in run(client, started, "import os; print(os.environ.get('ENVSTORE_TOKEN', 'none'))")

    def comes_back() -> None:
        store.start()
        store.data("PUT", "environment/team/x/", json={"description": f"changed at {time.time()}"})

    listen(client, comes_back, "environments", 30)
    assert client.data("GET", f"build/{built}/")["status"] == "COMPLETED"
    assert "answers again" in client.log.read_text()


@pytest.mark.parametrize(
    "path",
    ["/envstore/api/../../hub", "/envstore/api/%2e%2e/%2e%2e/hub", "/envstore/api/..%2f..%2fhub",
     "/envstore/api/%252e%252e/hub", "/envstore/api/v1/a\\..\\..\\b", "/envstore/channel/..;/../x",
     "/envstore/api/./v1"],
)  # fmt: skip
def test_no_path_leads_out_of_the_store(client: Client, path: str) -> None:
    assert raw_status(client, path) == 404


def raw_status(client: Client, path: str) -> int:
    """Return the status that a path has, sent as it is."""
    with socket.create_connection(("127.0.0.1", client.port), 10) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {MASTER}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return int(connection.recv(4096).split(b" ")[1])


class Recorder(http.server.BaseHTTPRequestHandler):
    """Stands in for a store, to see what is sent to it, and answers what no store does: a stand-in, not a real one."""

    seen: list[tuple[str, str, dict[str, str], bytes]]
    answer: tuple[int, dict[str, str], bytes]
    endless = False
    """Whether the changes are one line that does not end."""

    def handle_any(self) -> None:
        """Note the request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "changes/" in self.path and self.endless:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("EnvStore-Version", "0.0.9")
            self.end_headers()
            with contextlib.suppress(OSError):
                while self.endless:
                    self.wfile.write(b"xyz")
            return
        if "changes/" not in self.path and "kernel/" not in self.path:
            self.seen.append((self.command, self.path, dict(self.headers), body))
        status, headers, text = self.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = handle_any  # noqa: N815 - names of the library

    def log_message(self, format: str, *args: object) -> None:
        """Drop it."""


@contextmanager
def recorder() -> Iterator[tuple[str, type[Recorder]]]:
    handler = type("Recorder", (Recorder,), {"seen": [], "answer": (200, {"Content-Type": "application/json"}, b"{}")})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/services/envs/envstore", handler
        server.shutdown()


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[Client, type[Recorder]]]:
    """A client whose store is a stand-in."""
    with recorder() as (url, handler), short_folder() as folder:
        client = Client(folder, url, JO).start()
        yield client, handler
        client.stop()


def test_nothing_of_this_server_reaches_the_store(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    handler.seen.clear()
    browser = requests.Session()
    assert browser.get(f"{client.origin}/envstore/tokens?token={MASTER}", timeout=9).ok
    headers = {"X-XSRFToken": browser.cookies["_xsrf"], "X-Forwarded-For": "1.2.3.4", "Referer": client.origin}
    path = f"{client.api}token/?a=1&token={MASTER}&_xsrf=x&b=%20%26"
    assert browser.post(path, json={"name": "ü"}, headers=headers, timeout=9).ok
    assert requests.get(f"{client.api}x%2520y/", headers={"Authorization": f"token {MASTER}"}, timeout=9).ok
    (verb, place, sent, body), (_, second, _, _) = handler.seen
    assert (verb, place) == ("POST", "/services/envs/envstore/api/v1/token/?a=1&b=%20%26")
    assert second == "/services/envs/envstore/api/v1/x%2520y/"
    assert json.loads(body) == {"name": "ü"}
    assert {name.lower() for name in sent} == {
        "host", "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
        "envstore-api-path", "envstore-version", "user-agent",
    }  # fmt: skip
    assert sent["Authorization"] == f"Bearer {JO}"
    assert MASTER not in str(handler.seen)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((302, {"Location": "https://elsewhere.example/"}, b""), "leads to another place"),
        ((401, {"Content-Type": "application/json"}, b"{}"), "does not take the token in "),
        ((503, {"Content-Type": "text/html"}, b"<script>"), "what stands in front of it says 503 Service Unavailable"),
        ((404, {"Content-Type": "text/html; charset=utf-8"}, b"<script>"), "there is no store"),
        ((200, {"Content-Type": "text/html"}, b"<script>alert(1)</script>"), "there is no store"),
        ((413, {"Content-Type": "text/html"}, b"<h1>Too large</h1>"), "what stands in front of it says 413"),
    ],
)
def test_what_no_store_answers_is_told_in_words(
    watched: tuple[Client, type[Recorder]], answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    client, handler = watched
    handler.answer = answer
    found = client.ask("GET", "environment/", check=False)
    handler.answer = (200, {"Content-Type": "application/json"}, b"{}")
    assert (found.status_code, words in found.json()["message"]) == (503, True), found.text


def test_an_answer_of_the_store_sets_nothing_for_this_server(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    handler.answer = (
        200,
        {"Content-Type": "image/svg+xml", "Set-Cookie": "a=b", "Access-Control-Allow-Origin": "*",
         "Content-Security-Policy": "default-src *", "Service-Worker-Allowed": "/"},
        b"<svg/>",
    )  # fmt: skip
    found = client.ask("GET", "environment/", check=False)
    handler.answer = (200, {"Content-Type": "application/json"}, b"{}")
    assert found.content == b"<svg/>"
    assert "a=b" not in found.headers.get("Set-Cookie", "")
    assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    assert found.headers.get("Access-Control-Allow-Origin") in (None, "")
    assert "Service-Worker-Allowed" not in found.headers


def test_an_answer_that_is_cut_off_is_not_taken_for_whole(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    handler.answer = (200, {"Content-Type": "application/octet-stream", "Content-Length": "1000"}, b"beginning")
    with pytest.raises(requests.exceptions.RequestException):
        client.ask("GET", "build/1/archive/", check=False)
    handler.answer = (200, {"Content-Type": "application/json"}, b"{}")
    assert client.ask("GET", "environment/", check=False).ok


def test_a_server_that_several_people_use_lends_its_login_to_nobody(store: Service, built: int) -> None:
    with short_folder() as folder:
        client = Client(folder, store.place, JO, "c.EnvStoreApp.shared = True\n").start()
        try:
            refused = client.ask("GET", f"build/{built}/")
            assert (refused.status_code, "several people use this server" in refused.text) == (403, True)
            own: Any = store.token({"team/*": ["viewer"]})
            assert client.data("GET", f"build/{built}/", own)["id"] == built
        finally:
            client.stop()


def test_an_address_that_is_none_is_told_to_whoever_is_logged_in() -> None:
    with short_folder() as folder:
        client = Client(folder, "127.0.0.1:8899", JO).start()
        try:
            told = client.ask("GET", "environment/", check=False)
            assert (told.status_code, "127.0.0.1:8899" in told.json()["message"]) == (503, True)
            assert client.ask("POST", "specification/", check=False, json={}).status_code == 503
            assert client.ask("GET", "environment/", None, check=False).status_code == 401
        finally:
            assert client.stop() == 0
        log = client.log.read_text()
        assert "Traceback" not in log
        assert "127.0.0.1:8899" in log


def test_what_one_logs_in_with_elsewhere_is_not_handed_on(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    handler.seen.clear()
    basic = base64.b64encode(b"jo:password of the proxy").decode()
    jupyters = base64.b64encode(f"jo:{MASTER}".encode()).decode()
    for header in (
        f"Basic {basic}", f"Basic {jupyters}", f"token {MASTER},token {MASTER}", "Bearer of-another-server",
        "Bearer es_x", f"Bearer es_0123456789,{MASTER}", "Bearer es_012345678é".encode().decode("latin-1"),
    ):  # fmt: skip
        answer = requests.get(f"{client.api}permission/", headers={"Authorization": header}, timeout=9)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), header
    assert handler.seen == []
    own = {"Authorization": f"token {MASTER}"}
    assert requests.get(f"{client.api}x/?%74oken={MASTER}&a=1", timeout=9).ok
    assert handler.seen[-1][1].endswith("/x/?a=1")
    form = requests.post(f"{client.api}token/", data={"token": MASTER}, headers=own, timeout=9)
    assert (form.status_code, "a form is not handed on" in form.text) == (400, True)
    odd = {"User-Agent": "café".encode().decode("latin-1"), "If-None-Match": '"é"'.encode().decode("latin-1")}
    assert requests.get(f"{client.api}roles/", headers={**own, **odd}, timeout=9).ok
    assert MASTER not in str(handler.seen)


def test_a_store_that_says_nonsense_stops_nothing(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    as_json = {"Content-Type": "application/json"}
    for answer in (
        (200, as_json, b"[" * 200_000),
        (200, as_json, b'{"data": [{"id": "x"}]}'),
        (200, {**as_json, "ETag": '"\x01a"'}, b"{}"),
        (799, as_json, b"{}"),
        (200, {"Content-Type": "application/json, text/html"}, b"<script>"),
        (200, {"Content-Type": "multipart/x-mixed-replace"}, b"<script>"),
    ):
        handler.answer = answer
        for path in ("environment/", "roles/"):
            found = client.ask("GET", path, check=False)
            assert found.status_code in (200, 503), found.text
            assert found.headers["Content-Type"].partition(";")[0] in ("application/json", "application/octet-stream")
            assert "sandbox" in found.headers["Content-Security-Policy"]
        with kernel(client, "python3") as started:
            assert run(client, started, "print(6 * 7)").strip() == "42"
    handler.answer = (200, as_json, b"{}")


def test_a_line_that_does_not_end_holds_nobody(watched: tuple[Client, type[Recorder]]) -> None:
    client, handler = watched
    handler.endless = True
    try:
        time.sleep(6)  # it asks again by then
        for _ in range(20):
            begun = time.monotonic()
            assert client.ask("GET", "roles/", check=False).ok
            assert time.monotonic() - begun < 1.0
            time.sleep(0.1)
        assert "is version 0.0.9, this is" in client.log.read_text()
    finally:
        handler.endless = False


# -- kernels ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_kernel(store: Service, channel: str) -> dict[str, Any]:
    """``team/k`` of the store, which has a kernel."""
    build = store.submit(f"name: k\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel, numpy]")
    assert store.wait(build)["status"] == "COMPLETED"
    row: dict[str, Any] = store.data("GET", "environment/team/k/")
    return row


def test_a_kernel_brings_its_environment_when_it_is_started(client: Client, with_kernel: dict[str, Any]) -> None:
    name = "envstore-team--k"
    until(lambda: name in specs(client))
    assert specs(client)[name]["spec"]["display_name"] == "Python (team/k, not here yet)"
    assert client.data("GET", "environment/team/k/")["kernels"] == [name]
    listed = {row["name"]: row for row in client.ask("GET", "environment/?page=1&size=50").json()["data"]}
    assert (listed["k"]["kernels"], listed["k"]["languages"]) == ([name], ["Python"])
    assert listed["x"]["kernel_note"].startswith("no package in it is known to bring a kernel")
    code = "import sys, numpy, envstore_client; print(sys.prefix, len(envstore_client.EnvStore().environments()) > 1)"
    with kernel(client, name) as started:
        prefix, sees = run(client, started, code).split()
    assert (prefix.startswith(str(client.folder)), sees) == (True, "True")
    assert "team/k:1 is not here yet; bringing it" in client.log.read_text()
    theirs = client.data("GET", f"build/{with_kernel['current_build_id']}/packages/?size=100")
    ours = {path.stem for path in (Path(prefix) / "conda-meta").glob("*.json")}
    assert {f"{p['name']}-{p['version']}-{p['build']}" for p in theirs} == ours
    until(lambda: specs(client)[name]["spec"]["display_name"] == "Python (team/k)")
    begun = time.monotonic()
    with kernel(client, name) as started:
        assert run(client, started, "import sys; print(sys.prefix)").strip() == prefix
    assert time.monotonic() - begun < 10


def test_a_build_that_is_not_active_gets_a_kernel_of_its_own(store: Service, client: Client, channel: str) -> None:
    text = f"name: old\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel"
    first = store.submit(f"{text}]")
    store.wait(first)
    second = store.submit(f"{text}, numpy]")
    store.wait(second)
    until(lambda: "envstore-team--old" in specs(client))
    told = client.data("POST", f"build/{first}/kernel/", json={})
    assert told == {"kernels": ["envstore-team--old--python3--build-1"]}
    shown = specs(client)["envstore-team--old--python3--build-1"]["spec"]["display_name"]
    assert shown == "Python (team/old, build 1, not here yet)"
    with kernel(client, told["kernels"][0]) as started:
        code = "import importlib.util, sys; print(sys.prefix, importlib.util.find_spec('numpy'))"
        prefix, numpy = run(client, started, code).split()
    assert (prefix.startswith(str(client.folder)), numpy) == (True, "None")
    name = "envstore-team--old--python3--build-1"
    until(lambda: specs(client)[name]["spec"]["display_name"] == "Python (team/old, build 1)")
    refused = client.ask("POST", f"build/{second}/kernel/", check=False, json={})
    assert refused.status_code == 409
    assert client.ask("POST", "build/999999/kernel/", check=False, json={}).status_code == 409
    client.stop()
    client.start()
    until(lambda: name in specs(client), 30)  # it stays offered


def test_two_kernels_that_start_at_once_bring_it_once(store: Service, with_kernel: dict[str, Any]) -> None:
    assert with_kernel
    with short_folder() as folder:
        client = Client(folder, store.place, JO).start()
        try:
            until(lambda: "envstore-team--k" in specs(client))
            with kernel(client, "envstore-team--k") as first, kernel(client, "envstore-team--k") as second:
                prefixes = {run(client, each, "import sys; print(sys.prefix)").strip() for each in (first, second)}
            assert len(prefixes) == 1
            (root,) = (folder / "data").glob("envstore-*")
            assert [path.name for path in (root / "builds").iterdir() if not path.name.startswith(".")] == [
                Path(prefixes.pop()).name
            ]
            assert root.stat().st_mode & 0o777 == 0o700
        finally:
            client.stop()


def test_where_the_files_of_the_store_are_mounted_they_are_used_in_place(
    channel: str,
) -> None:
    with short_folder() as folder, short_folder() as other:
        shared = Service(other, UNSANDBOXED + TOKENS + "c.EnvStoreApp.share_prefixes = True\n").start()
        client = Client(folder, shared.place, JO).start()
        try:
            shared.wait(shared.submit(f"name: k\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]"))
            until(lambda: "envstore-team--k" in specs(client), 20)
            with kernel(client, "envstore-team--k") as started:
                prefix = run(client, started, "import sys; print(sys.prefix)").strip()
            assert prefix.startswith(str(shared.root / "builds"))
            (root,) = (folder / "data").glob("envstore-*")
            assert not (root / "builds").exists()
            assert not (root / "envstore.sqlite").exists()
        finally:
            client.stop()
            shared.stop()


def test_what_is_not_used_goes_to_make_room_but_never_what_runs(
    store: Service, with_kernel: dict[str, Any], channel: str
) -> None:
    assert with_kernel
    store.wait(store.submit(f"name: k2\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]"))
    with short_folder() as folder:
        client = Client(folder, store.place, JO, "c.EnvStoreApp.remote_cache_gigabytes = 0.001\n").start()
        try:
            until(lambda: {"envstore-team--k", "envstore-team--k2"} <= specs(client).keys())
            (root,) = (folder / "data").glob("envstore-*")
            prefix = "import sys; print(sys.prefix)"
            with kernel(client, "envstore-team--k") as first:
                place = Path(run(client, first, prefix).strip())
                with kernel(client, "envstore-team--k2") as second:
                    assert run(client, second, prefix).strip() != str(place)
                assert run(client, first, "import numpy; print(numpy.ones(2).sum())").strip() == "2.0"
                assert place.is_dir()
            until(lambda: not prefixes_in_use(root / "builds"), 30)
            store.wait(store.submit(f"name: k3\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]"))
            until(lambda: "envstore-team--k3" in specs(client))
            with kernel(client, "envstore-team--k3") as third:
                assert run(client, third, "print(1)").strip() == "1"
            assert not place.exists()
            assert len([path for path in (root / "builds").iterdir() if not path.name.startswith(".")]) == 1
            until(lambda: "not here yet" in specs(client)["envstore-team--k"]["spec"]["display_name"])
        finally:
            client.stop()


def test_one_is_offered_what_one_may_read_alone(client: Client, store: Service, with_kernel: dict[str, Any]) -> None:
    told = store.data("GET", "kernel/", JO)
    assert {row["namespace"] for row in told} == {"team", "jo"}
    (row,) = store.data("GET", f"kernel/?environment_id={with_kernel['id']}&environment_id=99999", JO)
    assert (row["environment"], row["prefix"], row["kernels"][0]["name"]) == ("k", None, "python3")
    assert store.data("GET", f"kernel/?environment_id={with_kernel['id']}", store.token({"x/*": ["admin"]})) == []
    assert not any("secret" in name for name in specs(client))


def test_who_does_not_reach_the_channel_has_the_packages_from_the_store(store: Service, channel: str) -> None:
    with short_folder() as folder:
        with serve(str(Path(channel.removeprefix("file://")))) as place:
            for name, more in (("kept", ""), ("kept-too", ", click")):
                packages = f"[python={PYTHON}, ipykernel{more}]"
                build = store.submit(f"name: {name}\nchannels: [http://{place}]\ndependencies: {packages}")
                assert store.wait(build)["status"] == "COMPLETED"
                store.data("PUT", f"build/{build}/keep/", json={"packages": True})
                store.wait(build)
        client = Client(folder, store.place, JO).start()
        try:
            until(lambda: "envstore-team--kept" in specs(client))
            with kernel(client, "envstore-team--kept") as started:
                assert run(client, started, "print(6 * 7)").strip() == "42"
            assert re.search(r"(\d+) of \1 packages come from the store", client.log.read_text())
            (cache,) = (folder / "data").glob("envstore-*/pkgs/conda")
            (damaged,) = cache.glob("ipykernel-*/site-packages/ipykernel/kernelapp.py")
            damaged.write_text("raise SystemExit\n")
            until(lambda: "envstore-team--kept-too" in specs(client))
            with kernel(client, "envstore-team--kept-too") as started:
                try:
                    printed = run(client, started, "print(6 * 7)")
                except WebSocketClosedError:
                    pytest.fail(f"the kernel was lost: {client.log.read_text()}")
            assert printed.strip() == "42"
            told = client.log.read_text().partition("kept-too")[2]
            assert told.count("1 of 1 packages come from the store") == 2  # what is new, and what was damaged here
        finally:
            client.stop()


def test_an_environment_is_brought_ahead_and_tells_how_far_it_is(
    client: Client, store: Service, with_kernel: dict[str, Any], channel: str
) -> None:
    assert with_kernel
    store.wait(store.submit(f"name: ahead\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel, pip]"))
    until(lambda: "envstore-team--ahead" in specs(client))

    def presence() -> dict[str, Any]:
        found: dict[str, Any] = client.data("GET", "environment/team/ahead/")["presence"]
        return found

    assert presence()["state"] == "away"
    assert client.data("GET", "environment/team/ahead/")["path"] is None
    nobody = client.ask("POST", "environment/team/ahead/bring/", None)
    others = client.ask("POST", "environment/team/ahead/bring/", store.token({"team/*": ["viewer"]}))
    assert (nobody.status_code, others.status_code) == (401, 409)
    assert client.ask("POST", "environment/team/nothing/bring/").status_code == 404
    assert client.ask("POST", "environment/team/ahead/bring/").status_code == 202
    seen: list[dict[str, Any]] = []
    until(lambda: seen.append(presence()) or seen[-1]["state"] == "here", 60)
    assert "coming" in {each["state"] for each in seen}
    assert "is not here yet" not in specs(client)["envstore-team--ahead"]["spec"]["display_name"]
    assert not re.search(r" 404 GET \S*/channel/", store.log.read_text())  # only what is kept is asked for
    again = client.ask("POST", "environment/team/ahead/bring/")
    assert (again.status_code, "already" in again.text) == (409, True)


def test_two_logins_of_one_account_have_kernels_of_their_own(store: Service, with_kernel: dict[str, Any]) -> None:
    assert with_kernel
    with short_folder() as cache, short_folder() as first, short_folder() as second:
        extra = f"c.EnvStoreApp.remote_cache_dir = {str(cache)!r}\n"
        here = Client(first, store.place, JO, extra).start()
        try:
            until(lambda: "envstore-team--k" in specs(here))
            there = Client(second, store.place, store.token({"elsewhere/*": ["viewer"]}), extra).start()
            try:
                time.sleep(4)
                assert "envstore-team--k" in specs(here)
                assert not any(name.startswith("envstore-") for name in specs(there))
                with kernel(here, "envstore-team--k") as started:
                    assert str(cache) in run(here, started, "import sys; print(sys.prefix)")
            finally:
                there.stop()
        finally:
            here.stop()


def test_a_kernel_that_is_here_starts_while_the_store_is_away(
    client: Client, store: Service, with_kernel: dict[str, Any]
) -> None:
    assert with_kernel
    name = "envstore-team--k"
    until(lambda: name in specs(client))
    with kernel(client, name) as started:
        place = run(client, started, "import sys; print(sys.prefix)")
    store.stop(signal.SIGKILL)
    try:
        assert client.ask("GET", "environment/team/k/", check=False).status_code == 503
        with kernel(client, name) as started:
            assert run(client, started, "import sys; print(sys.prefix)") == place
        client.stop()
        client.start()
        time.sleep(3 * LOOK_SECONDS)
        with kernel(client, name) as started:  # also in a server that has not heard of the store yet
            assert run(client, started, "import sys; print(sys.prefix)") == place
    finally:
        store.start()
