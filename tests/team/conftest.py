"""Stores that run alone, and one in a JupyterHub."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

from jupyter_envstore.engine.prefix import remove_tree
from tests.helpers import python_beside
from tests.lab.conftest import FLAGS, PROGRAM
from tests.ports import free_port
from tests.team.live import PROXY, Hub, Service

UNSANDBOXED = "c.EnvStoreService.allow_unsandboxed = True\n"


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    yield folder
    for _ in range(20):  # a kernel that ends may write into it still
        with contextlib.suppress(OSError):
            remove_tree(folder)
            return
        time.sleep(0.2)
    remove_tree(folder)


@contextmanager
def browsers_of(names: Iterable[str]) -> Iterator[dict[str, Browser]]:
    """Give each of several people a browser."""
    with sync_playwright() as playwright:
        found = {name: playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS) for name in names}
        yield found
        for browser in found.values():
            browser.close()


@pytest.fixture(scope="package")
def service() -> Iterator[Service]:
    """A store that runs alone, and that nobody logs in to."""
    with short_folder() as folder:
        found = Service(folder, UNSANDBOXED).start()
        yield found
        found.stop()


@pytest.fixture(scope="package")
def hub_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has jupyterhub beside what the tests have."""
    return python_beside(tmp_path_factory.mktemp("hub") / "python", "jupyterhub")


@contextmanager
def running_hub(python: Path, extra: str = "", registry: str = "", with_lab: bool = False) -> Iterator[Hub]:
    """Run a JupyterHub with the store as its service, whose code of packages runs in a sandbox."""
    assert PROXY.exists(), "run npm ci in labextension/checks: it brings configurable-http-proxy"
    sandbox = "c.EnvStoreApp.sandbox = 'bubblewrap'\n" if shutil.which("bwrap") else UNSANDBOXED
    with short_folder() as folder:
        found = Hub(folder, python, sandbox + extra, with_lab)
        found.registry = registry
        found.start()
        assert found.process is not None
        started = psutil.Process(found.process.pid).children(recursive=True)
        yield found
        if found.process.poll() is None:
            found.stop()
        for process in started:  # the proxy and the service outlive a hub that is killed
            with contextlib.suppress(psutil.Error):
                process.kill()


@pytest.fixture(scope="module")
def hub(hub_python: Path, base: Path) -> Iterator[Hub]:
    """A JupyterHub with the store as its service, which is a registry of images too."""
    port = free_port()
    images = f"c.EnvStoreApp.docker_base_image = 'oci:{base}'\nc.EnvStoreApp.docker_registry_port = {port}\n"
    with running_hub(hub_python, images, f"127.0.0.1:{port}") as found:
        yield found
