"""Run a program of which nothing is known, and read what it says up to a bound."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MOST = 4 << 20
"""Bytes that are read of each stream."""
PIECE = 1 << 16
LOOK_SECONDS = 0.05
"""How often it is looked whether the program has ended, or has to, while it says nothing."""
LINGER_SECONDS = 1.0
"""How long its streams are read once it has ended, where something that it started holds them open."""


@dataclass(frozen=True)
class Said:
    """How a program ended, and what it said; ``is_whole`` is false where it said more than was read."""

    returncode: int
    stdout: bytes
    stderr: bytes
    is_whole: bool


def run_bounded(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None,
    seconds: float | None,
    most: int = MOST,
    told: IO[bytes] | None = None,
) -> Said:
    """Run a program until it ends; one that says more than ``most`` bytes is ended.

    What it has started and left behind is not waited for, and not ended here.

    Parameters
    ----------
    folder : Path or None
        Where it runs; None for where this process does.
    seconds : float or None
        How long it may run; None for no limit.
    told : file or None
        Its input: a file, since a program need not read it.

    Raises
    ------
    subprocess.TimeoutExpired
        It does not end within ``seconds``.
    """
    end = None if seconds is None else time.monotonic() + seconds
    with subprocess.Popen(
        list(command),
        bufsize=0,
        stdin=told or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
    ) as process:
        try:
            found, is_whole = _read(process, most, end, seconds or 0.0)
            code = process.wait(None if end is None else max(0.0, end - time.monotonic()))
        finally:
            process.kill()
    return Said(code, bytes(found[0][:most]), bytes(found[1][:most]), is_whole)


def _read(
    process: subprocess.Popen[bytes], most: int, end: float | None, seconds: float
) -> tuple[list[bytearray], bool]:
    """Read what a program says until it ends, and whether that is all of it; one that says too much is ended.

    What it started may live on and hold its streams open: nobody waits for that.

    Raises
    ------
    subprocess.TimeoutExpired
        It does not end in time.
    """
    assert process.stdout and process.stderr  # noqa: S101 - pipes were asked for
    found = [bytearray(), bytearray()]
    ended_at: float | None = None
    with selectors.DefaultSelector() as streams:
        for stream, into in zip((process.stdout, process.stderr), found, strict=True):
            streams.register(stream, selectors.EVENT_READ, into)
        while streams.get_map():
            now = time.monotonic()
            if process.poll() is not None:
                ended_at = ended_at or now
            if ended_at is not None and now - ended_at > LINGER_SECONDS:
                break
            if ended_at is None and end is not None and now > end:
                raise subprocess.TimeoutExpired(process.args, seconds)
            for key, _ in streams.select(LOOK_SECONDS):
                data = os.read(key.fd, PIECE)
                key.data.extend(data)
                if not data:
                    streams.unregister(key.fileobj)
                if len(key.data) > most:
                    process.kill()
                    return found, False
    return found, True
