"""A base image of this machine, and the clients that pull images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.engine.prefix import remove_tree
from tests.helpers import Store, opened_stores
from tests.ports import free_port
from tests.server.live import MASTER

LOGIN = ("anything", MASTER)
NEEDED = ("skopeo", "podman", "runc", "umoci", "docker-registry", "containerd")


@pytest.fixture(scope="session")
def clients() -> None:
    """Skip where the clients are not installed."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture
def store_on(base: Path, package_cache: Path) -> Iterator[Callable[..., Store]]:
    """Make stores whose images stand on the base, or on another one."""
    with opened_stores(package_cache) as make:
        yield lambda reference="", **more: make(docker_base_image=reference or f"oci:{base}", **more)


def image_of(store: Store, view: dict[str, Any]) -> dict[str, Any]:
    """Have the image of a build made; return the artifact's state."""
    artifact = store.envstore.artifacts.request(view["id"], "docker")
    store.wait(view["id"])
    return store.envstore.artifacts.get(artifact)


def manifest_of(store: Store, view: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of a build's image."""
    state = image_of(store, view)
    assert state["state"] == "ready", state["reason"]
    found: dict[str, Any] = json.loads(store.envstore.blobs.read(state["sha256"]))
    return found


def blob_of(store: Store, digest: str) -> Path:
    """Return the file of ``sha256:…``."""
    return store.envstore.blobs.local_file(digest.removeprefix("sha256:"))


def refused(answer: requests.Response) -> tuple[int, str]:
    """Return status and code of a refusal, which has the registry's form."""
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, error["code"]


def run(*command: str, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a client and check its exit code."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **more)
    assert done.returncode == code, done.stdout + done.stderr
    return done


class Podman:
    """podman with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self.options = ["--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "overlay"]
        self.environment = {**os.environ, "REGISTRY_AUTH_FILE": str(folder / "auth.json")}

    def __call__(self, *arguments: str, code: int = 0, text: str | None = None) -> str:
        """Run a command; return what it prints."""
        return run(
            "podman", *self.options, "--runtime", "runc", *arguments, code=code, env=self.environment, input=text
        ).stdout

    def start(self, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Run something in a container."""
        limits = ("--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
        return self("run", "--rm", *limits, *options, image, *command)


@pytest.fixture
def registry(clients: None) -> Iterator[str]:
    """Debian's registry, empty; its host and port."""
    folder = Path(tempfile.mkdtemp(prefix="es-registry-"))
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '0.0.0.0:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    deadline = time.monotonic() + 20
    while True:
        try:
            requests.get(f"http://127.0.0.1:{port}/v2/", timeout=1)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()
    remove_tree(folder)


@pytest.fixture
def podman(clients: None) -> Iterator[Podman]:
    """podman with an empty storage."""
    folder = Path(tempfile.mkdtemp(prefix="es-pod-"))
    yield Podman(folder)
    subprocess.run(["umount", str(folder / "root" / "overlay")], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)
