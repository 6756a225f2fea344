"""The registry: what real clients pull, who may, and what is refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.client import EnvStore, EnvStoreClientError
from jupyter_envstore.engine.prefix import remove_tree
from tests.conftest import PYTHON
from tests.images.conftest import LOGIN, Podman, refused, run
from tests.ports import free_port
from tests.server.live import MASTER, Server

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PLAIN = "--tls-verify=false"


@pytest.fixture(scope="module")
def own_port() -> int:
    """A port for the registry alone."""
    return free_port()


@pytest.fixture(scope="module")
def hub(make_server: Callable[[str], Server], base: Path, channel: str, nasty_channel: str, own_port: int) -> Server:
    """A server that is a registry, at its root and on a port of its own, with ``team/data`` and ``Other/R_4``."""
    found = make_server(
        f"""
c.EnvStoreApp.docker_base_image = "oci:{base}"
c.EnvStoreApp.docker_registry_port = {own_port}
c.EnvStoreApp.predefined_tokens = {{
    "a-token-for-pulling-team": {{"primary_namespace": "team", "role_bindings": {{"team/*": ["viewer"]}}}},
}}
"""
    )
    found.build_id = found.submit(
        f"""
name: data
channels: ['{channel}', '{nasty_channel}']
dependencies: [python={PYTHON}, numpy, nasty-activation, {{pip: [cowsay]}}]
variables: {{GREETING: hello you}}
"""
    )
    assert found.wait(found.build_id)["status"] == "COMPLETED"
    other = found.data(
        "POST",
        "specification/",
        json={
            "namespace": "Other",
            "specification": f"name: R_4\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n",
        },
    )["build_id"]
    assert found.wait(other)["status"] == "COMPLETED"
    return found


def ask(hub: Server, path: str, login: Any = LOGIN, method: str = "GET", **more: Any) -> requests.Response:
    """Ask the registry."""
    return requests.request(method, f"{hub.origin}/v2/{path}", auth=login, timeout=60, **more)


def test_podman_logs_in_pulls_and_runs_python(hub: Server, podman: Podman, own_port: int) -> None:
    place = f"localhost:{own_port}"
    podman("login", PLAIN, "-u", "anything", "--password-stdin", place, text="wrong", code=125)
    podman("login", PLAIN, "-u", "anything", "--password-stdin", place, text=MASTER)
    podman("pull", PLAIN, f"{place}/team/data")
    code = "import cowsay, numpy, os, sys; print(sys.prefix, numpy.__version__[:1], os.environ['GREETING'])"
    assert podman.start(f"{place}/team/data", "python", "-c", code) == "/opt/conda 2 hello you\n"
    activated = podman.start(f"{place}/team/data", "sh", "-c", "env")
    assert "CONDA_PREFIX=/opt/conda" in activated
    assert "NASTY=/opt/conda/nasty" in activated  # by a script of a package
    code = "import numpy, tempfile; tempfile.gettempdir(); print('fine')"
    somebody = podman.start(f"{place}/team/data", "python", "-c", code, options=("--user", "1234"))
    assert somebody == "fine\n"
    listed = json.loads(podman.start(f"{place}/team/data", "cat", "/opt/conda/conda-meta/state"))
    assert listed["env_vars"] == {"GREETING": "hello you"}


def test_skopeo_inspects_lists_copies_and_syncs(hub: Server, clients: None, tmp_path: Path) -> None:
    place = f"docker://127.0.0.1:{hub.port}"
    login = ["--creds", f"x:{MASTER}", PLAIN]
    key = hub.data("GET", f"build/{hub.build_id}/")["build_key"]
    tags = json.loads(run("skopeo", "list-tags", *login, f"{place}/team/data").stdout)["Tags"]
    assert tags == sorted([key, "latest"])
    found = json.loads(run("skopeo", "inspect", *login, f"{place}/team/data:{key}").stdout)
    started = time.monotonic()
    source = ["--src-creds", f"x:{MASTER}", "--src-tls-verify=false"]
    run("skopeo", "copy", *source, f"{place}/team/data@{found['Digest']}", f"oci:{tmp_path}/layout:1")
    assert time.monotonic() - started < 8  # TLS, which clients try first, is refused at once
    copied = json.loads(run("skopeo", "inspect", f"oci:{tmp_path}/layout:1").stdout)
    assert (copied["Digest"], copied["Layers"]) == (found["Digest"], found["Layers"])
    run("skopeo", "sync", *source, "--src", "docker", "--dest", "dir", f"127.0.0.1:{hub.port}/team/data", str(tmp_path))
    refusal = run("skopeo", "copy", "--dest-creds", f"x:{MASTER}", "--dest-tls-verify=false",
                  f"oci:{tmp_path}/layout:1", f"{place}/team/data:mine", code=1)  # fmt: skip
    assert "405" in refusal.stderr or "unsupported" in refusal.stderr.lower()


def test_containerd_pulls_and_unpacks(hub: Server, clients: None, own_port: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="es-cd-"))
    address = str(folder / "socket")
    (folder / "config.toml").write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{address}"\n'
    )
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(["containerd", "-c", str(folder / "config.toml")], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while subprocess.run(["ctr", "-a", address, "version"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        image = f"localhost:{own_port}/team/data:latest"
        run("ctr", "-a", address, "images", "pull", "--plain-http", "--user", f"x:{MASTER}", image)
        checked = run("ctr", "-a", address, "images", "check", f"name=={image}").stdout
        assert "complete" in checked
        assert ask(hub, "team/data/manifests/latest").headers["Docker-Content-Digest"] in checked
    finally:
        daemon.terminate()
        daemon.wait(20)
        remove_tree(folder)


def test_names_are_spelled_as_clients_can_write_them(hub: Server) -> None:
    assert ask(hub, "_catalog").json() == {"repositories": ["o.uther/r.u_4", "team/data"]}
    assert ask(hub, "o.uther/r.u_4/manifests/latest").status_code == 200
    assert ask(hub, "other/r_4/manifests/latest").status_code == 404


def test_an_environment_whose_builds_all_failed_says_why(hub: Server) -> None:
    build_id = hub.submit("name: broken\nchannels: ['file:///nowhere']\ndependencies: [a]", "team")
    assert hub.wait(build_id)["status"] == "FAILED"
    told = ask(hub, "team/broken/manifests/latest")
    assert refused(told) == (404, "MANIFEST_UNKNOWN")
    message = told.json()["errors"][0]["message"]
    assert message.startswith("team/broken has no completed build, and so no image; build 1, the last, is FAILED: ")
    assert "nowhere" in message
    hub.data("DELETE", "environment/team/broken/")
    other = ask(hub, "team/data/manifests/nothing").json()["errors"][0]["message"]
    assert other == "team/data has no build 'nothing'; there are its builds' keys, and latest"


def test_a_manifest_has_what_clients_check(hub: Server) -> None:
    many = [("Accept", "application/json"), ("Accept", MANIFEST)]
    request = requests.Request("GET", f"{hub.origin}/v2/team/data/manifests/latest", auth=LOGIN).prepare()
    request.headers["Accept"] = ", ".join(value for _, value in many)
    answer = requests.Session().send(request, timeout=60)
    digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Content-Type"] == MANIFEST
    assert answer.headers["ETag"] == f'"{digest.removeprefix("sha256:")}"'
    assert "Set-Cookie" not in answer.headers
    head = ask(hub, f"team/data/manifests/{digest}", method="HEAD")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(answer.content)), b"")
    same = ask(hub, f"team/data/manifests/{digest}", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    layer = answer.json()["layers"][-1]
    blob = ask(hub, f"team/data/blobs/{layer['digest']}")
    assert (len(blob.content), blob.headers["Docker-Content-Digest"]) == (layer["size"], layer["digest"])
    part = ask(hub, f"team/data/blobs/{layer['digest']}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, blob.content[10:20])
    past = ask(hub, f"team/data/blobs/{layer['digest']}", headers={"Range": "bytes=999999999-"})
    assert refused(past) == (416, "RANGE_INVALID")


def test_pages_of_listings(hub: Server) -> None:
    first = ask(hub, "_catalog?n=1")
    assert first.json() == {"repositories": ["o.uther/r.u_4"]}
    address = first.headers["Link"].partition(">")[0].lstrip("<")
    second = ask(hub, address.removeprefix("/v2/"))
    assert second.json() == {"repositories": ["team/data"]}
    assert "Link" not in second.headers
    assert ask(hub, "team/data/tags/list?n=0").json() == {"name": "team/data", "tags": []}
    assert refused(ask(hub, "_catalog?n=many")) == (400, "PAGINATION_NUMBER_INVALID")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("team/Data/manifests/latest", (400, "NAME_INVALID")),
        ("team/%2e%2e/manifests/latest", (400, "NAME_INVALID")),
        ("team//data/manifests/latest", (400, "NAME_INVALID")),
        ("team/" + "a" * 300 + "/manifests/latest", (400, "NAME_INVALID")),
        ("team/data/more/manifests/latest", (404, "NAME_UNKNOWN")),
        ("data/manifests/latest", (404, "NAME_UNKNOWN")),
        ("team/nothing/manifests/latest", (404, "NAME_UNKNOWN")),
        ("team/data/manifests/nothing", (404, "MANIFEST_UNKNOWN")),
        ("team/data/manifests/sha256:12", (400, "DIGEST_INVALID")),
        ("team/data/manifests/sha256:" + "0" * 64, (404, "MANIFEST_UNKNOWN")),
        ("team/data/manifests/" + "a" * 200, (400, "TAG_INVALID")),
        ("team/data/blobs/sha256:" + "0" * 64, (404, "BLOB_UNKNOWN")),
        ("team/data/blobs/md5:1", (400, "DIGEST_INVALID")),
        ("nothing/at/all", (404, "NAME_UNKNOWN")),
    ],
)
def test_what_is_not_there_is_told_in_the_registrys_words(hub: Server, path: str, expected: tuple[int, str]) -> None:
    assert refused(ask(hub, path)) == expected


def test_a_blob_of_another_repository_is_not_there(hub: Server) -> None:
    other = ask(hub, "o.uther/r.u_4/manifests/latest").json()
    mine = {layer["digest"] for layer in ask(hub, "team/data/manifests/latest").json()["layers"]}
    digest = next(layer["digest"] for layer in other["layers"] if layer["digest"] not in mine)
    assert ask(hub, f"o.uther/r.u_4/blobs/{digest}").status_code == 200
    assert refused(ask(hub, f"team/data/blobs/{digest}")) == (404, "BLOB_UNKNOWN")
    manifest = ask(hub, "o.uther/r.u_4/manifests/latest").headers["Docker-Content-Digest"]
    assert refused(ask(hub, f"team/data/manifests/{manifest}")) == (404, "MANIFEST_UNKNOWN")


def test_who_may_pull_what(hub: Server) -> None:
    narrow = hub.data("POST", "token/", json={"name": "narrow", "role_bindings": {"Other/R_4": ["viewer"]}})["token"]
    for login, team, other in (
        (LOGIN, 200, 200),
        (("x", "a-token-for-pulling-team"), 200, 403),
        (("x", narrow), 403, 200),
        (("x", "wrong"), 401, 401),
        (None, 401, 401),
    ):
        for repository, status in (("team/data", team), ("o.uther/r.u_4", other)):
            for below in ("manifests/latest", "tags/list"):
                answer = ask(hub, f"{repository}/{below}", login)
                assert answer.status_code == status, (login, repository, below, answer.text)
                if status == 401:
                    assert answer.headers["WWW-Authenticate"] == 'Basic realm="jupyter-envstore"'
    assert ask(hub, "_catalog", ("x", narrow)).json() == {"repositories": ["o.uther/r.u_4"]}
    # there or not, it tells nothing
    assert refused(ask(hub, "team/nothing/tags/list", ("x", narrow))) == (403, "DENIED")


def test_nothing_but_the_header_says_who_asks(hub: Server) -> None:
    session = requests.Session()
    session.get(f"{hub.origin}/api/status?token={MASTER}", timeout=10)
    session.get(f"{hub.origin}/tree?token={MASTER}", timeout=10)
    assert session.cookies
    assert session.get(f"{hub.origin}/v2/", timeout=10).status_code == 401
    assert ask(hub, f"?token={MASTER}", None).status_code == 401
    for header in (
        "Basic !!!",
        "Basic " + base64.b64encode(b"no-colon").decode(),
        "Basic",
        "Digest x",
        f"Bearer x{MASTER}",
    ):
        answer = requests.get(f"{hub.origin}/v2/", headers={"Authorization": header}, timeout=10)
        assert refused(answer) == (401, "UNAUTHORIZED"), header
    assert (
        requests.get(f"{hub.origin}/v2/", headers={"Authorization": f"Bearer {MASTER}"}, timeout=10).status_code == 200
    )


def test_nothing_is_pushed(hub: Server) -> None:
    for method, path in (
        ("POST", "team/data/blobs/uploads/"),
        ("PATCH", "team/data/blobs/uploads/1"),
        ("PUT", "team/data/manifests/mine"),
        ("DELETE", "team/data/manifests/latest"),
    ):
        assert refused(ask(hub, path, method=method)) == (405, "UNSUPPORTED"), (method, path)
    assert refused(ask(hub, "team/data/blobs/uploads/", None, method="POST")) == (401, "UNAUTHORIZED")


def test_who_takes_no_oci_manifest_is_told(hub: Server) -> None:
    answer = ask(hub, "team/data/manifests/latest", headers={"Accept": "text/html"})
    assert refused(answer) == (404, "MANIFEST_UNKNOWN")
    never = {"Accept": f"text/html, {MANIFEST};q=0"}
    assert refused(ask(hub, "team/data/manifests/latest", headers=never)) == (404, "MANIFEST_UNKNOWN")
    for accepted in ("*/*", f"{MANIFEST};q=0.5", ""):
        answer = ask(hub, "team/data/manifests/latest", headers={"Accept": accepted})
        assert answer.status_code == 200, accepted


def test_the_port_of_its_own_serves_nothing_else(hub: Server, own_port: int) -> None:
    place = f"http://127.0.0.1:{own_port}"
    assert requests.get(f"{place}/v2/", auth=LOGIN, timeout=10).status_code == 200
    for path in ("/api/status", "/envstore/api/v1/environment/", "/static/favicon.ico", "/login", "/"):
        assert refused(requests.get(place + path, auth=LOGIN, timeout=10)) == (404, "NAME_UNKNOWN"), path


def test_a_client_that_begins_with_tls_is_let_go_at_once(hub: Server, own_port: int) -> None:
    for port in (hub.port, own_port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            with contextlib.suppress(ConnectionResetError):  # what was sent was not read
                assert client.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"G")
            time.sleep(0.2)
            client.sendall(b"ET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 401"


def test_addresses_and_the_image_as_a_file(hub: Server, own_port: int, tmp_path: Path, clients: None) -> None:
    key = hub.data("GET", f"build/{hub.build_id}/")["build_key"]
    address = hub.ask("GET", f"build/{hub.build_id}/docker/")
    assert address.text == f"127.0.0.1:{own_port}/team/data:{key}"
    whole = hub.ask("GET", f"build/{hub.build_id}/docker/?download=true")
    assert whole.headers["Content-Disposition"] == 'attachment; filename="data.oci.tar"'
    assert len(whole.content) == int(whole.headers["Content-Length"])
    (tmp_path / "data.oci.tar").write_bytes(whole.content)
    found = json.loads(run("skopeo", "inspect", f"oci-archive:{tmp_path}/data.oci.tar").stdout)
    assert found["Digest"] == ask(hub, "team/data/manifests/latest").headers["Docker-Content-Digest"]


def test_a_notebook_downloads_an_image_as_one_file(
    hub: Server, tmp_path: Path, clients: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = EnvStore(f"{hub.origin}/envstore", MASTER)
    path = store.download("team/data", "docker", build=hub.build_id)
    served = hub.ask("GET", f"build/{hub.build_id}/docker/?download=true")
    assert Path(path).read_bytes() == served.content
    run("skopeo", "inspect", f"oci-archive:{path}")
    with pytest.raises(EnvStoreClientError, match="is there already; give path"):
        store.download("team/data", "docker", build=hub.build_id)
    assert store.download("team/data", "docker", build=hub.build_id, overwrite=True) == path


def test_an_image_that_nobody_made_is_made_once_by_many_pulls(hub: Server, nasty_channel: str) -> None:
    build = hub.submit(f"name: many\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text, nasty-links]\n")
    assert hub.wait(build)["status"] == "COMPLETED"

    def pull(_: int) -> str:
        answer = ask(hub, "team/many/manifests/latest")
        assert answer.status_code == 200, answer.text
        for layer in answer.json()["layers"]:
            data = ask(hub, f"team/many/blobs/{layer['digest']}").content
            assert f"sha256:{hashlib.sha256(data).hexdigest()}" == layer["digest"]
        return str(answer.headers["Docker-Content-Digest"])

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(pull, range(20)))) == 1
    steps = [step for step in hub.data("GET", f"build/{build}/progress/")["steps"] if step["name"] == "artifact-docker"]
    assert len(steps) == 1


def test_an_image_that_cannot_be_made_says_why_at_once(
    make_server: Callable[[str], Server], nasty_channel: str
) -> None:
    server = make_server('c.EnvStoreApp.docker_base_image = "oci:/no/such/base"')
    build = server.submit(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    assert server.wait(build)["status"] == "COMPLETED"
    started = time.monotonic()
    answer = requests.get(f"{server.origin}/v2/team/e/manifests/latest", auth=LOGIN, timeout=60)
    assert refused(answer) == (404, "MANIFEST_UNKNOWN")
    assert "oci:/no/such/base" in answer.json()["errors"][0]["message"]
    assert time.monotonic() - started < 20


def test_a_server_behind_a_path_says_how_to_get_a_registry(
    make_server: Callable[[str], Server], nasty_channel: str
) -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    server = make_server(
        f'c.ServerApp.base_url = "/user/jo/"\nc.EnvStoreApp.docker_registry_port = {taken.getsockname()[1]}'
    )
    api = f"{server.origin}/user/jo/envstore/api/v1/"
    headers = {"Authorization": f"token {MASTER}"}
    text = f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n"
    made = requests.post(f"{api}specification/", headers=headers, json={"specification": text}, timeout=30).json()
    number = made["data"]["build_id"]
    deadline = time.monotonic() + 60
    while requests.get(f"{api}build/{number}/", headers=headers, timeout=10).json()["data"]["status"] != "COMPLETED":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    answer = requests.get(f"{api}build/{number}/docker/", headers=headers, timeout=10)
    assert (answer.status_code, "cannot listen on" in answer.json()["message"]) == (404, True)
    assert requests.get(f"{server.origin}/v2/", auth=LOGIN, timeout=10, allow_redirects=False).status_code == 302
    taken.close()


def test_an_image_that_lost_a_layer_is_made_again_by_the_next_pull(hub: Server) -> None:
    before = ask(hub, "o.uther/r.u_4/manifests/latest")
    digest = before.json()["layers"][-1]["digest"]
    place = hub.root / "blobs" / "sha256" / digest.partition(":")[2][:2] / digest.partition(":")[2]
    place.unlink()
    assert refused(ask(hub, f"o.uther/r.u_4/blobs/{digest}")) == (404, "BLOB_UNKNOWN")
    again = ask(hub, "o.uther/r.u_4/manifests/latest")
    assert again.content == before.content
    assert ask(hub, f"o.uther/r.u_4/blobs/{digest}").status_code == 200
    place.unlink()
    mine = before.headers["Docker-Content-Digest"]
    assert ask(hub, f"o.uther/r.u_4/manifests/{mine}").content == before.content
    assert ask(hub, f"o.uther/r.u_4/blobs/{digest}").status_code == 200
