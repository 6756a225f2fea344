"""Jupyter servers of this user: those that run, and one that this process becomes."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jupyter_envstore.remote.credentials import TOKEN_VARIABLE, given_token

FIRST_PORT = 8888
ANSWER_SECONDS = 5
KERNEL_SECONDS = 15
"""How long a server may take to offer the kernel of a new environment."""
OPENER = """
import html, os, pathlib, sys, tempfile, time, urllib.error, urllib.request, webbrowser
address, page = sys.stdin.read(), pathlib.Path(tempfile.mkdtemp(prefix="es-open-")) / "open.html"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    for _ in range(240):
        try:
            opener.open(address, timeout=5)
            break
        except urllib.error.HTTPError:  # it answers; what, the browser shows
            break
        except OSError:
            time.sleep(0.5)
    with open(os.open(page, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        file.write(f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">')
    webbrowser.open(page.as_uri())
    time.sleep(60)
finally:
    page.unlink(missing_ok=True)
    page.parent.rmdir()
"""
"""Opens the page once the server answers. The address holds a token: it comes at the input and goes to the browser in a
file that only its owner can read, as everybody sees the arguments of processes."""


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks servers of this user without a proxy, which would see their tokens."""


@dataclass(frozen=True)
class RunningServer:
    """A Jupyter server of this user that runs.

    Parameters
    ----------
    url : str
        Its address, with a slash at the end.
    token : str
        What it is asked with; empty where it wants none, or a password.
    folder : Path
        The folder that its file browser shows.
    """

    url: str
    token: str
    folder: Path

    def ask(self, path: str, method: str = "GET") -> object:
        """Return what the server answers, read as JSON; None where it refuses or does not answer."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310 - an http address of ours
        if self.token:
            request.add_header("Authorization", f"token {self.token}")
        try:
            with DIRECT.open(request, timeout=ANSWER_SECONDS) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def has_kernel(self, name: str) -> bool:
        """Whether the server knows a kernel, which it may take some seconds to learn of."""
        until = time.monotonic() + KERNEL_SECONDS
        while time.monotonic() < until:
            if isinstance(self.ask(f"api/kernelspecs/{quote(name)}"), dict):
                return True
            time.sleep(0.3)
        return False


def running_servers(file: Path) -> Iterator[RunningServer]:
    """Yield the servers of this user that show a file, those first whose folder is nearest to it."""
    from jupyter_server.serverapp import list_running_servers

    found = []
    for entry in list_running_servers(log=None):
        folder = Path(str(entry.get("root_dir") or entry.get("notebook_dir") or "")).resolve()
        url = str(entry.get("url") or "")
        if url.startswith(("http://", "https://")) and folder in file.parents:
            found.append(RunningServer(url, str(entry.get("token") or ""), folder))
    yield from sorted(found, key=lambda server: -len(server.folder.parts))


def show(address: str) -> None:
    """Open an address in the user's browser, once somebody answers there; this process does not wait for it."""
    command = [sys.executable, "-I", "-c", OPENER]
    opener = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert opener.stdin is not None  # noqa: S101 - for the type checker
    opener.stdin.write(address.encode())
    opener.stdin.close()


def become_server(
    module: str, path: str, folder: Path, options: Sequence[str], wanted_port: int = 0, browser: bool = True
) -> None:
    """Become a Jupyter server, in place of this process, and show a page of it.

    Parameters
    ----------
    module : str
        What ``python -m`` starts: ``jupyterlab`` or ``notebook``.
    path : str
        Path and query of the page, quoted; a token is added.
    folder : Path
        What its file browser shows.
    wanted_port : int
        Its port; 0 stands for the first free one from 8888 on.
    """
    port, token = wanted_port or free_port(FIRST_PORT), secrets.token_urlsafe(24)
    command = [sys.executable, "-m", module, f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--ServerApp.answer_yes=True"]  # one Ctrl-C is enough
    command += [f"--ServerApp.root_dir={folder}", "--no-browser", *options]
    command += ["--ServerApp.log_level=WARN"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    address = f"http://localhost:{port}/{path}{'&' if '?' in path else '?'}token={token}"
    print(f"\nJupyter{'Lab' if module == 'jupyterlab' else ' Notebook'}: {address}\nCtrl-C ends it.", flush=True)
    if browser:
        show(address)
    os.chdir(folder)
    given = {TOKEN_VARIABLE: given_token()} if given_token() else {}
    os.execve(sys.executable, command, {**os.environ, **given, "JUPYTER_TOKEN": token})  # noqa: S606 - arguments made here


def free_port(first: int) -> int:
    """Return the first port of this host from ``first`` on that nobody listens at."""
    for port in range(first, first + 100):
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0
