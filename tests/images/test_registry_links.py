"""The registry for whoever has a share link: the image of the active build, if it is made, and nothing else."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.errors import ImageError
from jupyter_envstore.images.record_artifact import RECORD
from jupyter_envstore.images.reference import parse_image
from jupyter_envstore.images.registry_client import RegistryClient
from tests.images.conftest import LOGIN, refused, run
from tests.server.live import Server

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BOTH = f"{RECORD}, {MANIFEST}"


@pytest.fixture(scope="module")
def hub(make_server: Callable[[str], Server], base: Path, nasty_channel: str) -> Server:
    """A registry with two builds of ``team/data``, whose images are not made, and another environment."""
    found = make_server(f'c.EnvStoreApp.docker_base_image = "oci:{base}"\n')
    text = f"name: data\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n"
    other = text.replace("data", "secret")
    added = text.replace("[nasty-text]", "[nasty-text, nasty-modes]")
    found.ids = [found.submit(each) for each in (text, other)]  # type: ignore[attr-defined]
    assert all(found.wait(build)["status"] == "COMPLETED" for build in found.ids)  # type: ignore[attr-defined]
    found.build_id = found.submit(added)
    assert found.wait(found.build_id)["status"] == "COMPLETED"
    return found


def test_a_link_pulls_the_image_of_the_active_build_if_it_is_made(hub: Server, clients: None, tmp_path: Path) -> None:
    link = hub.data("POST", "environment/team/data/share/", json={})
    login = ("share", link["token"])

    def ask(path: str, who: Any = login, accept: str = MANIFEST) -> requests.Response:
        return requests.get(f"{hub.origin}/v2/{path}", auth=who, headers={"Accept": accept}, timeout=60)

    old, _ = hub.ids  # type: ignore[attr-defined]
    keys = {number: hub.data("GET", f"build/{number}/")["build_key"] for number in (old, hub.build_id)}
    assert ask("").status_code == 200
    assert ask("_catalog").json() == {"repositories": ["team/data"]}
    assert ask("team/data/tags/list").json()["tags"] == sorted(["latest", keys[hub.build_id]])

    # Nothing is made for a link.
    for tag in ("latest", keys[hub.build_id]):
        answer = ask(f"team/data/manifests/{tag}")
        assert refused(answer) == (404, "MANIFEST_UNKNOWN")
        assert "is not made" in answer.json()["errors"][0]["message"]
    states = {item["type"]: item["state"] for item in hub.data("GET", f"build/{hub.build_id}/artifacts/")}
    assert states["docker"] == "absent"
    assert hub.data("GET", "shared/", link["token"])["image"] is None
    assert refused(ask("conda-store-dynamic/python/manifests/latest")) == (403, "DENIED")

    made = {number: image(hub, keys[number]) for number in keys}
    answer = ask("team/data/manifests/latest")
    assert answer.headers["Docker-Content-Digest"] == made[hub.build_id]
    shown = hub.data("GET", "shared/", link["token"])
    assert shown["image"] == f"127.0.0.1:{hub.port}/team/data:{keys[hub.build_id]}"
    layers = {layer["digest"] for layer in answer.json()["layers"]}
    assert all(ask(f"team/data/blobs/{digest}").status_code == 200 for digest in layers)
    target = f"oci:{tmp_path}/image:latest"
    run("skopeo", "copy", "--src-tls-verify=false", "--src-creds", f"share:{link['token']}",
        f"docker://{shown['image']}", target)  # fmt: skip
    everybody = ("x", hub.token({"team/*": ["viewer"]}))
    record = ask("team/data/manifests/latest", accept=BOTH)
    assert record.json()["artifactType"] == RECORD
    assert len(ask(f"team/data/referrers/{made[hub.build_id]}").json()["manifests"]) == 1

    # The build before, its parts and its record are closed to a link, and open to who may read all builds.
    before = ask(f"team/data/manifests/{made[old]}", everybody).json()
    own = [layer["digest"] for layer in before["layers"] if layer["digest"] not in layers]
    old_record = ask(f"team/data/manifests/{keys[old]}", everybody, BOTH)
    digest = old_record.headers["Docker-Content-Digest"]
    part = old_record.json()["layers"][0]["digest"]
    for path in (
        f"manifests/{keys[old]}", f"manifests/{made[old]}", f"manifests/{digest}", f"blobs/{part}",
        *(f"blobs/{blob}" for blob in own), f"blobs/{before['config']['digest']}",
    ):  # fmt: skip
        assert ask(f"team/data/{path}", everybody).status_code == 200, path
        assert ask(f"team/data/{path}").status_code == 404, path
    assert ask(f"team/data/manifests/{keys[old]}", accept=BOTH).status_code == 404
    assert ask(f"team/data/referrers/{made[old]}").json()["manifests"] == []
    assert refused(ask("team/secret/manifests/latest")) == (403, "DENIED")


def image(hub: Server, key: str) -> str:
    """Have an image made by pulling it; return the digest of its manifest."""
    answer = requests.get(f"{hub.origin}/v2/team/data/manifests/{key}", auth=LOGIN, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.headers["Docker-Content-Digest"]


def test_a_challenge_of_another_host_is_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are fakes: a registry that sends blobs' readers elsewhere, and one there who asks for the login."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.server.server_port} {self.path} {self.headers.get('Authorization', '')}")
            if self.server is registry:
                self.send_response(307)
                self.send_header("Location", f"http://127.0.0.1:{thief.server_port}/v2/a/blobs/x")
            else:
                self.send_response(401)
                self.send_header("WWW-Authenticate", f'Bearer realm="http://127.0.0.1:{thief.server_port}/token"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    registry, thief = servers
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{registry.server_port}"
    login = base64.b64encode(b"jo:secret").decode()
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    with pytest.raises(ImageError, match="refuses"), RegistryClient(parse_image(f"{host}/a:1")).blob("sha256:x"):
        pass
    for server in servers:
        server.shutdown()
        server.server_close()
    assert asked == [
        f"{registry.server_port} /v2/a/blobs/sha256:x ",
        f"{thief.server_port} /v2/a/blobs/x ",
    ]
