"""Commands that tests run, forked from a process that has loaded them (:mod:`tests.command_process`)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO


class Loaded:
    """The process that has loaded everything; it ends with this one."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.command_process"], stdin=theirs.fileno(), cwd=Path(__file__).parent.parent
            )

    def run(
        self, words: Sequence[str], folder: Path, variables: Mapping[str, str], text: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command until it ends; return what it said, and its exit code.

        Parameters
        ----------
        words : sequence of str
            Its arguments.
        folder : Path
            Where it runs.
        variables : mapping
            Its environment.
        text : str or None
            Its input; None for none.
        seconds : float
            How long it may take; then it is killed.
        """
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            given.write((text or "").encode())
            given.seek(0)
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    asked = {"words": list(words), "variables": dict(variables), "folder": str(folder)}
                    files = [theirs.fileno(), given.fileno(), out.fileno(), errors.fileno()]
                    socket.send_fds(self._control, [json.dumps(asked).encode()], files)
                code = _ended(ours, list(words), seconds)
            return subprocess.CompletedProcess(list(words), code, _text(out), _text(errors))


def _ended(told: socket.socket, words: Sequence[str], seconds: float) -> int:
    """Return the exit code of a command, once it ends."""
    end, heard = time.monotonic() + seconds, b""
    while heard.count(b"\n") < 2:
        told.settimeout(max(0.1, end - time.monotonic()))
        try:
            piece = told.recv(100)
        except TimeoutError:
            os.kill(int(heard.partition(b"\n")[0]), 9)
            raise subprocess.TimeoutExpired(list(words), seconds) from None
        assert piece, "the process of the commands has ended"
        heard += piece
    return int(heard.split(b"\n")[1])


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _loaded() -> Loaded:
    return Loaded()


def run_command(
    words: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    text: str | None = None,
    seconds: float = 300.0,
) -> subprocess.CompletedProcess[str]:
    """Run ``jupyter envstore`` with some arguments; return what it said, and its exit code."""
    return _loaded().run(words, folder, os.environ if variables is None else variables, text, seconds)
