"""The examples that the tests can run, and those that they can read."""

from __future__ import annotations

import configparser
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from tests.conftest import PYTHON
from tests.nginx import AROUND, NGINX
from tests.ports import free_port
from tests.server.live import MASTER
from tests.server.test_kernels import kernel, run, specs, until
from tests.server.test_lifecycle import listen
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import REPOSITORY, Client, Service

EXAMPLES = REPOSITORY / "examples"


class Proxied:
    """A store behind the nginx of the example."""

    def __init__(self, service: Service, address: str, certificate: Path) -> None:
        self.service = service
        self.address = address
        self.certificate = certificate

    def get(self, path: str, token: str | None = MASTER, **options: object) -> requests.Response:
        """Ask through the proxy."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.address}/{path}", headers=headers, verify=self.certificate, timeout=30, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    if NGINX is None:
        pytest.skip("needs nginx")
    with short_folder() as folder:
        place = Path(folder)
        service = Service(place, UNSANDBOXED).start()
        port = free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", place / "key.pem", "-out", place / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        text = (EXAMPLES / "reverse-proxy" / "envstore.conf").read_text()
        changes = {
            "127.0.0.1:8890": f"127.0.0.1:{service.port}",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/envs.example.pem": str(place / "cert.pem"),
            "/etc/ssl/envs.example.key": str(place / "key.pem"),
            "server_name envs.example": "server_name localhost",
        }
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (place / "envstore.conf").write_text(text)
        (place / "nginx.conf").write_text(AROUND.format(folder=folder))
        command = [NGINX, "-e", place / "error.log", "-p", place, "-c", place / "nginx.conf"]
        nginx = subprocess.Popen(command, start_new_session=True)
        found = Proxied(service, f"https://localhost:{port}", place / "cert.pem")
        deadline = time.monotonic() + 20
        while True:
            try:
                found.get("envstore/api/v1/")
                break
            except requests.ConnectionError:
                assert nginx.poll() is None, (place / "error.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield found
        nginx.send_signal(signal.SIGTERM)
        nginx.wait(20)
        service.stop()


def test_api_pages_downloads_and_registry_pass_the_reverse_proxy(
    proxied: Proxied, nasty_channel: str, tmp_path: Path
) -> None:
    service = proxied.service
    build = service.submit(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert service.wait(build)["status"] == "COMPLETED"
    assert proxied.get("envstore/api/v1/environment/team/x/").json()["data"]["active"]
    assert proxied.get("envstore/api/v1/environment/team/x/", None).status_code == 401
    assert "nasty-text" in proxied.get(f"envstore/api/v1/build/{build}/lockfile/").text
    page = proxied.get("envstore/", None).text
    assert f"{proxied.address}/envstore/api/v1/environment/" in page  # https, and the name that the client used
    assert proxied.get("v2/").json() == {}
    login = ["skopeo", "login", "--cert-dir", tmp_path, "--authfile", tmp_path / "auth.json", "-u", "any", "-p", MASTER]
    shutil.copy(proxied.certificate, tmp_path / "ca.crt")
    host = proxied.address.removeprefix("https://")
    done = subprocess.run([*login, host], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_log_passes_the_reverse_proxy_as_it_is_written(proxied: Proxied) -> None:
    text = "name: slow\nchannels: ['http://127.0.0.1:9/none']\ndependencies: [a]"
    build = proxied.service.submit(text)
    with proxied.get(f"envstore/api/v1/build/{build}/logs/?follow=true", stream=True) as answer:
        first = next(answer.iter_content(64))
    assert first
    assert "X-Accel-Buffering" in answer.headers or answer.headers.get("Transfer-Encoding") == "chunked"


def test_the_other_examples_can_be_read() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((EXAMPLES / "systemd" / "envstore.service").read_text())
    assert unit["Service"]["ExecStart"].split()[1:3] == ["serve", "--config"]
    assert "RestrictNamespaces" not in unit["Service"]
    values = yaml.safe_load((EXAMPLES / "containers" / "zero-to-jupyterhub.yaml").read_text())
    roles = values["hub"]["loadRoles"]
    assert roles["envstore"] == {"scopes": ["read:users"], "services": ["envstore"]}
    hub = (EXAMPLES / "jupyterhub" / "jupyterhub_config.py").read_text()
    for scope in {scope for role in roles.values() for scope in role["scopes"]} - {"self"}:
        assert scope in hub, scope
    for path in EXAMPLES.rglob("*_config.py"):
        compile(path.read_text(), str(path), "exec")


def test_a_server_of_ones_own_is_a_client_through_the_proxy(proxied: Proxied, channel: str) -> None:
    service = proxied.service
    build = service.submit(f"name: behind\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]")
    assert service.wait(build)["status"] == "COMPLETED"
    with short_folder() as folder:
        stranger = Client(folder, f"{proxied.address}/", MASTER).start()
        try:
            refused = stranger.ask("GET", "permission/", check=False)
            assert (refused.status_code, "its certificate is not known" in refused.text) == (503, True)
        finally:
            stranger.stop()
    with short_folder() as folder:
        known = f"c.EnvStoreApp.remote_ca_file = {str(proxied.certificate)!r}\n"
        client = Client(folder, f"{proxied.address}/", MASTER, known).start()
        try:
            until(lambda: "envstore-team--behind" in specs(client))
            event, seconds = listen(
                client,
                lambda: service.data("PUT", "environment/team/behind/", json={"description": f"at {time.time()}"}),
                "environments",
            )
            assert seconds < 1.0
            assert event["ids"] == [service.data("GET", "environment/team/behind/")["id"]]
            with kernel(client, "envstore-team--behind") as started:
                assert run(client, started, "print(6 * 7)").strip() == "42"
        finally:
            client.stop()
