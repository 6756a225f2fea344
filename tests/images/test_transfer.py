"""Images between registries: bases that are pulled, images that are pushed."""

from __future__ import annotations

import base64
import email.message
import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.errors import ImageError, RegistryUnreachableError
from jupyter_envstore.images.push import push_image
from jupyter_envstore.images.reference import parse_image
from jupyter_envstore.images.registry_client import Part, RegistryClient
from tests.helpers import Store
from tests.images.conftest import image_of, manifest_of, run
from tests.ports import free_port
from tests.server.live import MASTER, Server

PROGRAM = str(Path(sys.executable).with_name("jupyter-envstore"))


def text(channel: str, *packages: str) -> str:
    return f"name: e\nchannels: ['{channel}']\ndependencies: [{', '.join(packages)}]\n"


def test_an_image_is_pushed_and_the_second_sends_only_what_is_new(
    store_on: Callable[..., Store], nasty_channel: str, registry: str, tmp_path: Path
) -> None:
    store = store_on()
    views = [
        store.build(text(nasty_channel, *packages), name=name)
        for name, packages in (("a", ["nasty-text"]), ("b", ["nasty-text", "nasty-links"]))
    ]
    sent = []
    for view in views:
        state = image_of(store, view)
        told: list[tuple[str, int, bool]] = []
        target = parse_image(f"{registry}/team/{view['name']}:1")
        sent.append(
            push_image(store.envstore.blobs, state["sha256"], target, lambda *part, told=told: told.append(part))
        )
        assert sum(size for _, size, was_sent in told if was_sent) == sent[-1]
        found = json.loads(
            run("skopeo", "inspect", "--tls-verify=false", f"docker://{registry}/team/{view['name']}:1").stdout
        )
        assert found["Digest"] == f"sha256:{state['sha256']}"
    again = push_image(store.envstore.blobs, state["sha256"], target, lambda *_: None)
    assert again == 0
    run("skopeo", "copy", "--src-tls-verify=false", f"docker://{registry}/team/b:1", f"oci:{tmp_path}/layout:1")


def test_the_command_line_makes_a_base_and_pushes(
    nasty_channel: str, registry: str, tmp_path: Path, root: Path, package_cache: Path
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}

    def command(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return run(PROGRAM, *arguments, code=code, env=environment)

    assert "Use it" in command("base-image", str(tmp_path / "base")).stdout
    assert "is there already" in command("base-image", str(tmp_path / "base"), code=4).stderr
    config = f"c.EnvStoreApp.docker_base_image = 'oci:{tmp_path}/base'\n"
    (tmp_path / "jupyter_envstore_config.py").write_text(config)
    (tmp_path / "e.yml").write_text(text(nasty_channel, "nasty-text"))
    command("build", str(tmp_path / "e.yml"), "--root", str(root))
    told = json.loads(command("push", "default/e", f"{registry}/there/e", "--root", str(root), "--json").stdout)
    assert told["sent"] > 0
    assert told["image"].startswith(f"{registry}/there/e:")
    found = run("skopeo", "inspect", "--tls-verify=false", f"docker://{told['image']}")
    assert json.loads(found.stdout)["Digest"] == told["digest"]
    refused = command("push", "default/e", "hub.example/UPPER", "--root", str(root), code=2)
    assert "names no image" in refused.stderr
    away = command("push", "default/e", f"127.0.0.1:{free_port()}/e", "--root", str(root), code=5)
    assert "cannot be reached" in away.stderr


def test_a_base_is_pulled_once_and_by_its_digest_without_a_registry(
    store_on: Callable[..., Store], nasty_channel: str, registry: str, base: Path
) -> None:
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{base}", f"docker://{registry}/base:1")
    store = store_on(f"docker://{registry}/base:1")
    view = store.build(text(nasty_channel, "nasty-text"))
    manifest = manifest_of(store, view)
    digest = manifest["annotations"]["org.opencontainers.image.base.digest"]
    assert manifest["annotations"]["org.opencontainers.image.base.name"] == f"{registry}/base:1"
    assert store.envstore.artifacts.get(store.envstore.artifacts.request(view["id"], "docker"))["tools"][
        "base image"
    ] == (f"{registry}/base:1@{digest}")
    pinned = store_on(f"docker://{registry}/base@{digest}")
    (pinned.root / "blobs").symlink_to(store.root / "blobs")
    requests.delete(f"http://{registry}/v2/base/manifests/{digest}", timeout=10)
    again = manifest_of(pinned, pinned.build(text(nasty_channel, "nasty-text")))
    assert again["layers"] == manifest["layers"]


def test_a_registry_elsewhere_that_speaks_plain_http_is_asked_so_where_it_is_named(
    store_on: Callable[..., Store], nasty_channel: str, registry: str, base: Path
) -> None:
    addresses = run("hostname", "-I").stdout.split()
    if not addresses:
        pytest.skip("needs an address beside the loopback's")
    elsewhere = f"{addresses[0]}:{registry.rpartition(':')[2]}"
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{base}", f"docker://{registry}/base:1")
    refused = store_on(f"docker://{elsewhere}/base:1")
    state = image_of(refused, refused.build(text(nasty_channel, "nasty-text")))
    assert "docker_insecure_registries" in state["reason"]
    store = store_on(f"docker://{elsewhere}/base:1", docker_insecure_registries=[elsewhere])
    state = image_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert state["state"] == "ready", state["reason"]
    target = parse_image(f"{elsewhere}/team/e:1")
    sent = push_image(store.envstore.blobs, state["sha256"], target, lambda *_: None, [elsewhere])
    assert sent > 0
    found = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{registry}/team/e:1").stdout)
    assert found["Digest"] == f"sha256:{state['sha256']}"


def test_a_base_whose_layers_are_not_what_its_configuration_says_is_refused(
    store_on: Callable[..., Store], nasty_channel: str, base: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "base"
    shutil.copytree(base, wrong)

    def put(value: Any) -> str:
        data = json.dumps(value).encode()
        digest = hashlib.sha256(data).hexdigest()
        (wrong / "blobs" / "sha256" / digest).write_bytes(data)
        return f"sha256:{digest}"

    def get(digest: str) -> Any:
        return json.loads((wrong / "blobs" / "sha256" / digest.partition(":")[2]).read_bytes())

    index = json.loads((wrong / "index.json").read_bytes())
    manifest = get(index["manifests"][0]["digest"])
    config = get(manifest["config"]["digest"])
    config["rootfs"]["diff_ids"][0] = f"sha256:{'0' * 64}"
    manifest["config"]["digest"] = put(config)
    index["manifests"][0]["digest"] = put(manifest)
    (wrong / "index.json").write_text(json.dumps(index))
    store = store_on(f"oci:{wrong}")
    state = image_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert (state["state"], "its configuration says" in state["reason"]) == ("failed", True), state["reason"]
    layer = manifest["layers"][0]["digest"]
    damaged = gzip.compress(b"no tar")[:-6]
    digest = hashlib.sha256(damaged).hexdigest()
    (wrong / "blobs" / "sha256" / digest).write_bytes(damaged)
    manifest["layers"][0] |= {"digest": f"sha256:{digest}", "size": len(damaged)}
    index["manifests"][0]["digest"] = put(manifest)
    (wrong / "index.json").write_text(json.dumps(index))
    state = image_of(store, store.build(text(nasty_channel, "nasty-text"), name="other"))
    assert layer != f"sha256:{digest}"
    assert "cannot be unpacked" in state["reason"]


def test_a_base_that_wants_a_login_is_pulled_with_the_one_of_docker(
    store_on: Callable[..., Store],
    make_server: Callable[[str], Server],
    nasty_channel: str,
    tmp_path: Path,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = make_server(f'c.EnvStoreApp.docker_base_image = "oci:{base}"')
    build = server.submit(text(nasty_channel, "nasty-links"))
    assert server.wait(build)["status"] == "COMPLETED"
    reference = f"docker://127.0.0.1:{server.port}/team/e:latest"
    monkeypatch.setenv("HOME", str(tmp_path))
    refused = store_on(reference)
    state = image_of(refused, refused.build(text(nasty_channel, "nasty-text")))
    assert "docker login" in state["reason"]
    assert MASTER not in state["reason"]
    (tmp_path / ".docker").mkdir()
    auth = base64.b64encode(f"x:{MASTER}".encode()).decode()
    (tmp_path / ".docker" / "config.json").write_text(
        json.dumps({"auths": {f"127.0.0.1:{server.port}": {"auth": auth}}})
    )
    store = store_on(reference)
    manifest = manifest_of(store, store.build(text(nasty_channel, "nasty-text")))
    assert len(manifest["layers"]) > 3


def test_a_bearer_token_is_fetched_where_the_challenge_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is a fake: it only wants what the one who hands out tokens gives."""
    asked: list[str] = []
    manifest = json.dumps({"schemaVersion": 2}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
            if self.path.startswith("/token"):
                self.answer(200, b'{"token": "t0ken"}')
            elif self.headers.get("Authorization") == "Bearer t0ken":
                self.answer(200, manifest)
            else:
                realm = f"http://127.0.0.1:{self.server.server_address[1]}/token"
                self.answer(401, b"{}", ("WWW-Authenticate", f'Bearer realm="{realm}",service="hub",scope="x"'))

        def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HOME", str(tmp_path))
    data, _, digest = RegistryClient(parse_image(f"127.0.0.1:{server.server_address[1]}/a/b:1")).manifest()
    server.shutdown()
    server.server_close()
    assert (data, digest) == (manifest, f"sha256:{hashlib.sha256(manifest).hexdigest()}")
    assert asked == [
        "/v2/a/b/manifests/1 ",
        "/token?service=hub&scope=repository%3Aa%2Fb%3Apull ",
        "/v2/a/b/manifests/1 Bearer t0ken",
    ]


def test_an_upload_that_is_sent_elsewhere_is_sent_whole(tmp_path: Path) -> None:
    """The registry is a fake: it sends uploads to another address, as those in front of an object store do."""
    received: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.answer(202, ("Location", "/v2/a/uploads/1"))

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if "/uploads/" in self.path:
                self.answer(307, ("Location", "/store/1?signed"))
            else:
                received.append(data)
                self.answer(201)

        def answer(self, status: int, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", "0")):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    blob = tmp_path / "blob"
    blob.write_bytes(b"layer" * 1000)
    client = RegistryClient(parse_image(f"127.0.0.1:{server.server_address[1]}/a:1"))
    data = blob.read_bytes()
    client.push_blob(Part(hashlib.sha256(data).hexdigest(), len(data), partial(blob.open, "rb")))
    server.shutdown()
    server.server_close()
    assert received == [blob.read_bytes()]


def test_a_token_server_that_is_away_is_named(tmp_path: Path) -> None:
    """The registry is a fake: whoever should hand out tokens for it is away."""
    away = free_port()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Bearer realm="http://127.0.0.1:{away}/token"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    reference = parse_image(f"127.0.0.1:{server.server_address[1]}/a:1")
    with pytest.raises(RegistryUnreachableError, match=f"127.0.0.1:{away}, which registry .* gives tokens at"):
        RegistryClient(reference).manifest()
    server.shutdown()
    server.server_close()


def test_a_password_does_not_follow_to_another_host_or_to_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    client = RegistryClient(parse_image("hub.example/a:1"))
    client._authorization = "Basic c2VjcmV0"
    for place, expected in (
        ("https://hub.example/v2/b", [True, True]),
        ("http://hub.example/v2/b", [True, False]),
        ("https://other.example/v2/b", [True, False]),
    ):
        sent: list[bool] = []

        def answer(request: urllib.request.Request, place: str = place, sent: list[bool] = sent, **_: Any) -> Any:
            sent.append(request.has_header("Authorization"))
            if len(sent) == 1:
                headers = email.message.Message()
                headers["Location"] = place
                raise urllib.error.HTTPError(request.full_url, 302, "Found", headers, None)
            return io.BytesIO(b"{}")

        monkeypatch.setattr(client._opener, "open", answer)
        client._open("GET", "https://hub.example/v2/a", {}, None)
        assert sent == expected, place


def test_what_a_registry_says_is_told(registry: str) -> None:
    with pytest.raises(ImageError, match=r"has no .*nothing:1: MANIFEST_UNKNOWN"):
        RegistryClient(parse_image(f"{registry}/nothing:1")).manifest()
    with pytest.raises(RegistryUnreachableError, match="cannot be reached"):
        RegistryClient(parse_image(f"127.0.0.1:{free_port()}/nothing:1")).manifest()
