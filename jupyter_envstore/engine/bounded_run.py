"""Run a program of which nothing is known, and read what it says up to a bound."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MOST = 4 << 20
"""Bytes that are read of each stream."""
PIECE = 1 << 16


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
    with subprocess.Popen(
        list(command),
        stdin=told or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
    ) as process:
        assert process.stdout and process.stderr  # noqa: S101 - pipes were asked for
        found: list[bytearray] = [bytearray(), bytearray()]
        full = threading.Event()

        def read(stream: IO[bytes], into: bytearray) -> None:
            while data := stream.read1(PIECE):  # type: ignore[attr-defined]  # of a pipe, there is such a method
                into += data
                if len(into) > most:
                    full.set()
                    process.kill()
                    return

        streams = zip((process.stdout, process.stderr), found, strict=True)
        readers = [threading.Thread(target=read, args=pair, daemon=True) for pair in streams]
        for reader in readers:
            reader.start()
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
            for reader in readers:
                reader.join(5)
    return Said(code, bytes(found[0][:most]), bytes(found[1][:most]), not full.is_set())
