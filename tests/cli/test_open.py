"""A notebook that is opened from the command line, in a server that runs or in a new one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_envstore.cli.jupyter_servers import RunningServer, running_servers
from tests.cli.test_commands import PROGRAM
from tests.conftest import PYTHON
from tests.server.live import MASTER, Server

Json = dict[str, Any]
BUILD_1 = "envstore-team--data--python3--build-1"


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server], channel: str) -> Server:
    """A server with two builds of ``team/data``."""
    server = make_server()
    text = f"name: data\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel"
    for more in ("", ", python-dateutil"):
        assert server.wait(server.submit(f"{text}{more}]"))["status"] == "COMPLETED"
    return server


@pytest.fixture
def first_bond(server: Server) -> Json:
    """What a notebook holds that was written in build 1."""
    environment = server.data("GET", "environment/team/data/")["id"]
    first = min(build["id"] for build in server.data("GET", f"build/?environment_id={environment}"))
    found: Json = server.data("GET", f"build/{first}/bond/")
    return found


def variables(server: Server) -> dict[str, str]:
    """Return the variables of a user whose Jupyter servers a test's server is one of."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "ENVSTORE"))}
    return {
        **outer,
        "JUPYTER_CONFIG_DIR": str(server.folder / "none"),
        "JUPYTER_RUNTIME_DIR": str(server.folder / "runtime"),
        "JUPYTER_DATA_DIR": str(server.folder / "data"),
    }


def write_notebook(server: Server, bond: Json, name: str) -> Path:
    """Write a notebook whose kernel is not here."""
    kernel = {"name": "envstore-gone--data", "display_name": "x", "language": "python"}
    made = new_notebook(cells=[new_code_cell("import sys; sys.prefix")], metadata={"kernelspec": kernel})
    made.metadata["envstore"] = bond
    path = server.notebooks / name
    nbformat.write(made, path)
    return path


def command(server: Server, path: Path | str, *options: str) -> list[str]:
    """Return the command that opens a notebook."""
    return [PROGRAM, "open", "--root", str(server.root), str(path), *options]


def opened(server: Server, path: Path, *options: str, **more: str) -> str:
    """Open a notebook; return what is printed."""
    environment = {**variables(server), **more}
    done = subprocess.run(command(server, path, *options), capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_that_runs_shows_it_in_its_own_build(server: Server, first_bond: Json, tmp_path: Path) -> None:
    path = write_notebook(server, first_bond, "a name.ipynb")
    address = f"{server.origin}/lab/tree/a%20name.ipynb"
    assert opened(server, path, "--no-browser").strip() == address
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == BUILD_1
    answer = requests.get(f"{server.origin}/api/kernelspecs/{BUILD_1}", params={"token": MASTER}, timeout=10)
    assert answer.json()["spec"]["metadata"]["envstore"]["build"] == 1
    # the browser is given the token in a file that is removed later, never in an argument
    before = path.read_bytes()
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {seen}.part\ncat "${{1#file://}}" >> {seen}.part\nmv {seen}.part {seen}\n'
    )
    browser.chmod(0o755)
    opened(server, path, BROWSER=f"{browser} %s")
    deadline = time.monotonic() + 30
    while not seen.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    page, _, content = seen.read_text().partition("\n")
    assert MASTER not in page
    assert f"{address}?token={MASTER}" in content
    assert path.read_bytes() == before  # it names its kernel and build already


def test_a_server_of_another_store_is_not_used(server: Server, make_server: Callable[..., Server]) -> None:
    other = make_server()
    (other.folder / "runtime").rename(other.folder / "own-runtime")
    (other.folder / "runtime").symlink_to(server.folder / "runtime")
    entry = next(path for path in (other.folder / "own-runtime").glob("jpserver-*.json"))
    shown = json.loads(entry.read_text())
    found = RunningServer(shown["url"], shown["token"], Path(shown["root_dir"]))
    assert found.ask("api/status") is not None
    assert RunningServer(found.url, "wrong", found.folder).ask("api/status") is None
    assert found.ask("envstore/api/v1/build/1/bond/") is None  # it has no such build


def test_without_a_server_one_is_started(server: Server, first_bond: Json) -> None:
    path = write_notebook(server, {**first_bond, "namespace": "elsewhere"}, "start.ipynb")
    environment = {**variables(server), "JUPYTER_RUNTIME_DIR": str(server.folder / "no-runtime")}
    starting = command(server, path, "--no-browser")
    process = subprocess.Popen(
        starting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            found = re.fullmatch(r"JupyterLab: (http://localhost:\d+)/lab/tree/start\.ipynb\?token=(\S+)\n", line)
            if found:
                break
        assert found is not None, process.stderr.read() if process.stderr else ""
        origin, token = found.groups()
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = requests.get(f"{origin}/api/kernelspecs/{BUILD_1}", params={"token": token}, timeout=5)
            except requests.ConnectionError:
                answer = None
            if answer is not None and answer.ok:
                break
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.2)
        page = requests.get(f"{origin}/lab/tree/start.ipynb", params={"token": token}, timeout=30)
        assert page.ok
        kept = nbformat.read(path, as_version=4).metadata
        assert (kept.envstore.namespace, kept.kernelspec.name) == ("team", BUILD_1)
        (running,) = _servers(server, path)
        assert running.folder == server.notebooks
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def _servers(server: Server, path: Path) -> list[RunningServer]:
    os.environ["JUPYTER_RUNTIME_DIR"] = str(server.folder / "no-runtime")
    try:
        return list(running_servers(path))
    finally:
        del os.environ["JUPYTER_RUNTIME_DIR"]


def test_what_cannot_be_opened_is_told(server: Server, first_bond: Json, tmp_path: Path) -> None:
    for arguments, words in (
        (("-",), "standard input cannot be opened"),
        (("gone.ipynb",), "gone.ipynb cannot be read"),
        (("x.ipynb", "--app", "notebook"), "Jupyter Notebook is not installed beside jupyter-envstore"),
    ):
        opening, environment = command(server, *arguments), variables(server)
        done = subprocess.run(opening, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr
