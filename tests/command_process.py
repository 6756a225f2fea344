"""Runs commands for tests: a process that has loaded everything, and forks for each, as a server's workers are forked.

A command of its own loads for most of a second; one that is forked has it. It is given its arguments, variables, folder
and the ends of its input and output, and ends as a command does. Over the socket that is its input, this process gets a
message for each: JSON, and four file descriptors. Over the first of these it tells the number of the command's process,
and how it ended.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from typing import NoReturn

import jupyter_envstore.cli

LARGEST = 1 << 18
PRELOADED = ("httpx", "jupyter_envstore.remote_store.store", "rattler", "sqlalchemy.dialects.sqlite", "yaml")
STARTERS = ("become_kernel", "late_kernel", "remote_kernel")
"""Modules that are programs of their own."""


def main() -> None:
    """Load everything; then fork for each message, until there are no more."""
    for module in pkgutil.iter_modules(jupyter_envstore.cli.__path__):
        if module.name not in STARTERS:
            importlib.import_module(f"jupyter_envstore.cli.{module.name}")
    for name in PRELOADED:
        importlib.import_module(name)
    control = socket.socket(fileno=0)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 4)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            watch(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def watch(message: bytes, descriptors: list[int]) -> NoReturn:
    """Start the command, tell its number, wait for it, and tell how it ended."""
    told = socket.socket(fileno=descriptors[0])
    child = os.fork()
    if child == 0:
        told.close()
        become(json.loads(message), descriptors[1:])
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    told.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def become(asked: dict[str, object], descriptors: list[int]) -> NoReturn:
    """Be the command."""
    from jupyter_envstore.cli.main import run

    words, variables, folder = asked["words"], asked["variables"], asked["folder"]
    assert isinstance(words, list) and isinstance(variables, dict)
    code = 1
    try:
        for place, descriptor in enumerate(descriptors):
            os.dup2(descriptor, place)
            os.close(descriptor)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(variables)
        time.tzset()
        tempfile.tempdir = None
        os.chdir(str(folder))
        sys.argv = ["jupyter-envstore", *words]
        run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
