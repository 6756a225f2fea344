"""What ``scripts/release`` makes: its checks find what is missing; the demo runs from the wheel, without Node.js."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.engine.prefix import remove_tree
from tests.conftest import end_workers

ROOT = Path(__file__).parent.parent.parent
SECONDS = 600
VERSION = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))["version"]

pytestmark = pytest.mark.timeout(SECONDS + 60)


@dataclass(frozen=True)
class Release:
    """What a rehearsal of a release left."""

    folder: Path
    printed: str

    @property
    def wheel(self) -> Path:
        """The wheel."""
        (found,) = self.folder.glob("dist/*.whl")
        return found

    def jupyter(self, *arguments: str) -> list[str]:
        """Return a command of the virtual environment into which the wheel was installed."""
        return [str(self.folder / "venv" / "bin" / "jupyter"), *arguments]

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of somebody who has the virtual environment, the system's shell and no Node.js."""
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for name in ("bash", "sh", "env", "uname", "ldd"):
                if found := shutil.which(name):
                    (tools / name).symlink_to(found)
        path = f"{self.folder / 'venv' / 'bin'}{os.pathsep}{tools}"
        assert shutil.which("node", path=path) is None
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return kept | {"PATH": path, "HOME": str(home)}


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    """The files of a release, and a virtual environment with the wheel and JupyterLab."""
    folder = Path(tempfile.mkdtemp(prefix="es-release-"))
    command = [ROOT / "scripts" / "release", "--rehearse", "--to", folder / "dist", "--venv", folder / "venv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    yield Release(folder, done.stdout)
    end_workers(folder / "store")
    remove_tree(folder)


def test_a_rehearsal_makes_both_files_and_uploads_nothing(release: Release) -> None:
    made = {path.name for path in (release.folder / "dist").iterdir()}
    assert made == {f"jupyter_envstore-{VERSION}-py3-none-any.whl", f"jupyter_envstore-{VERSION}.tar.gz"}
    assert "all checks passed" in release.printed
    assert "Nothing was uploaded." in release.printed


def without(name: str) -> Callable[[str, bytes], bytes | None]:
    """Leave out the files whose path ends so."""
    return lambda path, data: None if path.endswith(name) else data


def of_another_version(path: str, data: bytes) -> bytes:
    """Write another version into the metadata."""
    return data.replace(f"Version: {VERSION}".encode(), b"Version: 9.9") if path.endswith("/METADATA") else data


def without_build(path: str, data: bytes) -> bytes | None:
    """Leave out the built JupyterLab extension."""
    return None if "/labextensions/" in path and "/static/" in path else data


FAULTS = {
    "licence": (without("/licenses/LICENSE"), "licenses/LICENSE is missing"),
    "OpenAPI document": (without("/openapi.yaml"), "jupyter_envstore/server/openapi.yaml is missing"),
    "extension": (without_build, "static/style.js is missing"),
    "extension's description": (
        without("labextensions/jupyter-envstore/package.json"), "the JupyterLab extension was not built",
    ),
    "version": (of_another_version, f"the version is 9.9, not {VERSION}"),
    "module": (without("jupyter_envstore/errors.py"), "jupyter_envstore/errors.py is missing"),
    "entry points": (without("/entry_points.txt"), "entry_points.txt is missing"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_checks_refuse_a_wheel_with_a_fault(release: Release, tmp_path: Path, fault: str) -> None:
    change, expected = FAULTS[fault]
    spoiled = tmp_path / release.wheel.name
    with zipfile.ZipFile(release.wheel) as source, zipfile.ZipFile(spoiled, "w") as target:
        for name in source.namelist():
            data = change(name, source.read(name))
            if data is not None:
                target.writestr(name, data)
    assert expected in check(spoiled, tmp_path / "source")


def test_the_checks_refuse_a_wheel_with_a_file_that_does_not_belong_there(release: Release, tmp_path: Path) -> None:
    spoiled = tmp_path / release.wheel.name
    shutil.copy(release.wheel, spoiled)
    with zipfile.ZipFile(spoiled, "a") as target:
        target.writestr("tests/test_it.py", "")
    assert "tests/test_it.py does not belong there" in check(spoiled, tmp_path / "source")


def check(file: Path, source: Path) -> str:
    """Return what the checks say of a file that has faults."""
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    command = [sys.executable, ROOT / "scripts" / "check_distribution.py", source, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_the_demo_runs_from_the_wheel_without_node(release: Release) -> None:
    store = release.folder / "store"
    for run in ("first", "second"):
        done = subprocess.run(
            release.jupyter("envstore", "demo", "--root", str(store), "--json"), env=release.variables,
            capture_output=True, text=True, check=False, timeout=SECONDS, cwd=release.folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{run} run: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        view = json.loads(done.stdout)
        assert view["status"] == "COMPLETED", (run, view)
        assert {artifact["state"] for artifact in view["artifacts"]} == {"ready"}, (run, view)
        assert {"yaml", "lockfile", "archive"} <= {artifact["type"] for artifact in view["artifacts"]}, (run, view)
    with (release.folder / "lab.txt").open("wb") as output:
        lab = subprocess.Popen(
            release.jupyter("envstore", "demo", "--root", str(store), "--no-browser"), env=release.variables,
            stdout=output, stderr=subprocess.STDOUT, cwd=release.folder,
        )  # fmt: skip
    try:
        address, token = address_of_lab(lab, release.folder / "lab.txt")
        assert b"jupyter-envstore" in ask(f"{address}/lab", token)
        wait_for_kernels(address, token)
    finally:
        lab.terminate()
        lab.wait(30)


def address_of_lab(lab: subprocess.Popen[Any], printed: Path) -> tuple[str, str]:
    """Wait until the demo has printed where JupyterLab is, and JupyterLab answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and lab.poll() is None:
        found = re.search(r"JupyterLab: (http://\S+)/lab\?\S*token=(\S+)", printed.read_text(encoding="utf-8"))
        if found:
            try:
                ask(f"{found[1]}/api/status", found[2])
            except OSError:
                pass
            else:
                return found[1], found[2]
        time.sleep(0.2)
    pytest.fail(printed.read_text(encoding="utf-8"))


def wait_for_kernels(address: str, token: str) -> None:
    """Wait until the server, which has just started, offers the kernels of the example."""
    deadline = time.monotonic() + 60
    while True:
        shown = json.loads(ask(f"{address}/envstore/api/v1/environment/default/example/", token))["data"]
        kernels = json.loads(ask(f"{address}/api/kernelspecs", token))["kernelspecs"]
        if shown["active"] and shown["kernels"] and set(shown["kernels"]) <= set(kernels):
            return
        assert time.monotonic() < deadline, (shown, kernels)
        time.sleep(0.2)


def ask(address: str, token: str) -> bytes:
    """Return what a server answers."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())
