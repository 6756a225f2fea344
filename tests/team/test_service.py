"""A store that runs alone: it serves the same paths, nothing of Jupyter's, and only where code of packages is bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from jupyter_envstore.application.configuration import StoreTraits
from jupyter_envstore.application.service import EnvStoreService
from jupyter_envstore.server.routes import routes
from tests.ports import free_port
from tests.server.live import MASTER
from tests.team.conftest import UNSANDBOXED, short_folder
from tests.team.live import RUN, Service

ADMIN = {"Authorization": f"Bearer {MASTER}"}


def test_it_builds_and_hands_out(service: Service, nasty_channel: str) -> None:
    build = service.submit(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert service.wait(build)["status"] == "COMPLETED"
    row = service.data("GET", "environment/team/x/")
    assert (row["kernels"], row["kernel_note"]) == ([], "this server starts no kernels")
    assert service.ask("POST", f"build/{build}/kernel/", json={}).status_code == 409
    lock = requests.get(f"{service.api}build/{build}/lockfile/", headers=ADMIN, timeout=9)
    assert "nasty-text" in lock.text
    assert ("the service runs as root" in service.log.read_text()) is (os.geteuid() == 0)


def test_nobody_is_let_in_without_a_token(service: Service) -> None:
    assert service.ask("GET", "environment/", None).json()["data"] == []
    assert service.ask("POST", "specification/", None, json={"specification": "dependencies: [a]"}).status_code == 401
    for token in ("es_nobody", "wrong"):
        assert service.ask("GET", "environment/", token).status_code == 401
    page = requests.get(f"{service.place}/tokens", timeout=9, allow_redirects=False)
    assert (page.status_code, "an admin of the store gives" in page.text) == (403, True)


@pytest.mark.parametrize(
    "path",
    ["api", "api/kernels", "api/kernelspecs", "api/contents", "api/sessions", "api/terminals", "api/shutdown", "lab",
     "tree", "files/x", "view/x", "static/favicon.ico", "login", "logout", "metrics", "terminals/1"],
)  # fmt: skip
def test_nothing_of_a_jupyter_server_is_there(service: Service, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = requests.request(method, f"{service.origin}/{path}", headers=ADMIN, timeout=9)
        assert answer.status_code == 404, f"{method} {path}: {answer.text}"


def test_all_routes_are_those_of_the_extension(service: Service) -> None:
    assert requests.get(f"{service.origin}/conda-store/api/v1/", timeout=9).ok
    assert len(routes()) > 100
    for path in ("", "envstore", "envstore/"):
        page = requests.get(f"{service.origin}/{path}", timeout=9)
        assert "An admin of the store gives it to you" in page.text
        assert "nonce" in page.headers["Content-Security-Policy"]
    for path in ("envstore/shared", "envstore/metrics", "v2/"):
        assert requests.get(f"{service.origin}/{path}", headers=ADMIN, timeout=9).ok
    metrics = requests.get(f"{service.origin}/envstore/metrics", headers=ADMIN, timeout=9)
    assert "envstore_builds" in metrics.text
    assert requests.get(f"{service.origin}/envstore/metrics", timeout=9).status_code == 401


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / "none")}
    command = [sys.executable, "-c", RUN, "serve", f"--config={folder / 'config.py'}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def test_it_does_not_start_where_nothing_bounds_code_of_packages() -> None:
    with short_folder() as folder:
        Service(folder)
        done = run(folder)
        assert done.returncode == 2
        assert "set c.EnvStoreApp.sandbox = 'bubblewrap'" in done.stderr
        assert not (folder / "s").exists()


def test_what_cannot_be_used_is_told_at_the_start() -> None:
    with short_folder() as folder:
        Service(folder, UNSANDBOXED + "c.EnvStoreApp.role_bindings = {'jo': {'x': ['viewer']}}\n")
        done = run(folder)
        assert (done.returncode, "'x' is not an entity" in done.stderr) == (2, True)
    with short_folder() as folder:
        service = Service(folder, UNSANDBOXED).start()
        done = run(folder, f"--port={service.port}")
        assert done.returncode == 2
        assert f"cannot listen on 127.0.0.1:{service.port}: Address already in use" in done.stderr
        assert service.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "config.py (--config) cannot be read: No such file or directory"),
        ("c = get_config()\nc.EnvStoreApp.root_dir = = 1\n", "config.py, line 2, cannot be used: SyntaxError"),
        ("c = get_config()\n\nraise KeyError('of mine')\n", "config.py, line 3, cannot be used: KeyError: 'of mine'"),
    ],
)
def test_it_does_not_start_with_less_than_what_was_written_for_it(text: str | None, reason: str) -> None:
    with short_folder() as folder:
        Service(folder)
        if text is None:
            (folder / "config.py").unlink()
        else:
            (folder / "config.py").write_text(text)
        done = run(folder, f"--port={free_port()}")
        assert (done.returncode, reason in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


def test_it_does_not_start_with_a_sandbox_that_does_not_work() -> None:
    with short_folder() as folder:
        (folder / "bin").mkdir()
        Service(
            folder, f"c.EnvStoreApp.sandbox = 'bubblewrap'\nimport os; os.environ['PATH'] = {str(folder / 'bin')!r}\n"
        )
        done = run(folder, f"--port={free_port()}")
        assert (done.returncode, "the sandbox needs the program bwrap" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("c.EnvStoreApp.shared = False", "a service is for several people"),
        ("c.EnvStoreService.group_role = 'king'", "role 'king' is not known"),
        ("c.EnvStoreService.hub_login = True", "JUPYTERHUB_API_TOKEN, JUPYTERHUB_API_URL"),
        ("c.EnvStoreService.hub_login = True; c.EnvStoreApp.identity_mapper = str", "no identity_mapper"),
        ("c.EnvStoreService.certfile = '/nowhere/cert.pem'", "there is no file /nowhere/cert.pem"),
        ("c.EnvStoreApp.predefined_tokens = {'short': {}}", "has 5 characters; it must have at least 16"),
        ("c.EnvStoreApp.predefined_tokens = {'x' * 20: {'nam': 'jo'}}", "the unknown key 'nam'; known: name,"),
        ("c.EnvStoreApp.predefined_tokens = {'x' * 20: {'name': 'jo'}}", "token 'jo' has no 'role_bindings'"),
        ("c.EnvStoreApp.sandbox = 'chroot'", "sandbox"),
        ("c.EnvStoreApp.executor = 'dsak'", "executor 'dsak' is not known; known: local, dask"),
    ],
)
def test_a_configuration_that_gives_too_much_or_cannot_work_is_refused(line: str, reason: str) -> None:
    with short_folder() as folder:
        Service(folder, UNSANDBOXED + line + "\n")
        done = run(folder, f"--port={free_port()}")
        assert done.returncode in (1, 2), done.stderr
        assert reason in done.stderr


def test_what_the_configuration_names_may_be_reached() -> None:
    settings = {"conda_default_channels": ["https://mirror.internal:8443/forge", "conda-forge"]}
    traits = {"channel_alias": "http://alias.internal/", "docker_base_image": "docker://images.internal/debian:1"}
    service = EnvStoreService(default_settings=settings, allowed_addresses=["10.1.0.0/16"], **traits)
    config = service.store_config()
    assert config.block_private_addresses
    assert list(config.allowed_addresses) == [
        "10.1.0.0/16", "alias.internal:80", "mirror.internal:8443", "images.internal:443"
    ]  # fmt: skip
    assert not StoreTraits().store_config().block_private_addresses


def test_behind_a_path_the_registry_has_a_port_of_its_own() -> None:
    with short_folder() as folder:
        port = free_port()
        more = f"c.EnvStoreService.base_url = '/team/store'\nc.EnvStoreApp.docker_registry_port = {port}\n"
        service = Service(folder, UNSANDBOXED + more)
        service.place = f"{service.origin}/team/store/envstore"
        service.api = f"{service.place}/api/v1/"
        service.start()
        assert requests.get(f"http://127.0.0.1:{port}/v2/", headers=ADMIN, timeout=9).ok
        assert requests.get(f"http://127.0.0.1:{port}/v2/", timeout=9).status_code == 401
        assert requests.get(f"{service.origin}/v2/", headers=ADMIN, timeout=9).status_code == 404
        assert requests.get(f"{service.origin}/team/store", timeout=9).ok
        assert f"{service.api}environment/" in requests.get(f"{service.place}/", timeout=9).text
        assert service.stop(signal.SIGINT) == 0
