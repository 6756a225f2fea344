"""Run a program whose only network is the checked one of a worker: ``python network_relay.py SOCKET -- COMMAND``.

In a sandbox with a network of its own, this listens where proxies do and passes on what comes to the worker's proxy
(:mod:`jupyter_envstore.engine.checked_network`), whose socket is a file in a folder that the sandbox shows. So the
program reaches no port of the machine, and no socket of its programs that has a name without a file (unix(7)).

It is a program of its own, of the standard library alone: in the sandbox, this package need not be importable.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
PIECE = 1 << 16
IDLE_SECONDS = 600.0
SEPARATOR = "--"


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what both ends say, until one of them ends or both are silent."""
    with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):  # select(2) knows 1024 files alone
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while ready := selector.select(IDLE_SECONDS):
            for key, _ in ready:
                source, target = (one, other) if key.data is other else (other, one)
                data = source.recv(PIECE)
                if not data:
                    return
                target.sendall(data)


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a path of a socket that is short enough for one (``sun_path`` has 108 bytes), however deep its folder is."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def proxies(port: int) -> dict[str, str]:
    """Return the variables that lead programs to a proxy of this machine."""
    url = f"http://127.0.0.1:{port}"
    return {name: url for kind in VARIABLES for name in (kind, kind.upper())}


class Relay(socketserver.ThreadingTCPServer):
    """Listens on loopback, and passes on what comes.

    Parameters
    ----------
    path : Path
        Where it passes it on to.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(("127.0.0.1", 0), _Passing)


class _Passing(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Pass one connection on."""
        with socket.socket(socket.AF_UNIX) as other, contextlib.suppress(OSError):
            with short_path(self.server.path) as path:
                other.connect(path)
            relay(self.request, other)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code, as shells tell it."""
    path, separator, *command = arguments
    if separator != SEPARATOR or not command:
        print("network_relay.py SOCKET -- COMMAND", file=sys.stderr)
        return 2
    server = Relay(Path(path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    code = subprocess.run(command, env=kept | proxies(server.server_address[1]), check=False).returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
