"""Live servers for the tests of the API."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_envstore.engine.prefix import remove_tree
from tests.handlers.live import Server

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def end_workers(root: Path) -> None:
    """Kill the workers of a store that still run."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "jupyter_envstore.builds.worker" in command and process.environ().get("TMPDIR", "").startswith(str(root)):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def make_server(package_cache: Path) -> Iterator[Callable[[str], Server]]:
    """Start servers, each with a store of its own and more configuration."""
    started: list[Server] = []

    def make(extra: str = "") -> Server:
        server = Server(Path(tempfile.mkdtemp(prefix="es-")), extra)
        server.root.mkdir()
        (server.root / "pkgs").symlink_to(package_cache)
        started.append(server)
        return server.start()

    yield make
    for server in started:
        server.stop(signal.SIGKILL)
        end_workers(server.root)
        text = server.log.read_text()
        remove_tree(server.folder)
        assert "Traceback" not in text, text[-5000:]
        assert "STOOD STILL" not in text, text[-5000:]


@pytest.fixture(scope="session")
def server(make_server: Callable[[str], Server], channel: str) -> Server:
    """A server with one built environment, ``team/data``, and all its artifacts. Tests add others."""
    found = make_server("")
    found.build_id = found.submit(
        f"""
name: data
description: For tests, to look at
channels: [{channel}]
dependencies: [python={PYTHON}, ipykernel, numpy, pip]
variables: {{GREETING: 'hello $HOME'}}
"""
    )
    build = found.wait(found.build_id)
    assert build["status"] == "COMPLETED", build["status_info"]
    return found
