"""Reading large files of every kind: ours beside PyYAML's C loader, conda-lock's models and rattler, in one run.

``python benchmarks/parse.py [FILE…]``; without files, one of about a megabyte is made of each kind. The time of the
processor stands beside the time of the clock, which counts what else the machine does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from files import FILES

from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.repair import repair

BAR = 0.3
"""Seconds that a file of one megabyte may take."""


class Taken(NamedTuple):
    """The least seconds of three calls, by the processor's time and by the clock's."""

    processor: float
    clock: float

    def __str__(self) -> str:
        return f"{self.processor:.3f} s ({self.clock:.3f} s by the clock)"


def seconds(call: Callable[[], Any]) -> Taken:
    """Return the least time of three calls."""
    processor, clock = [], []
    for _ in range(3):
        started = time.process_time(), time.perf_counter()
        call()
        processor.append(time.process_time() - started[0])
        clock.append(time.perf_counter() - started[1])
    return Taken(min(processor), min(clock))


def ours(text: str, name: str) -> None:
    """Read a file as the command line does with ``--fix``, and the server for the panel."""
    repaired = repair(text, name)
    read_specification(repaired.text, held=repaired.held)


def compare(text: str, name: str) -> None:
    """Print what reading takes, as seconds and as a ratio to ours."""
    taken = seconds(lambda: ours(text, name))
    size = len(text.encode()) / 2**20
    verdict = "within the bar" if taken.processor < BAR * max(1, size) else f"more than {BAR} s for a megabyte"
    print(f"{name}, {size:.2f} MB: repaired and read in {taken}, {verdict}")
    others: dict[str, Taken] = {}
    if name.endswith((".yml", ".yaml", "pixi.lock")):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        others["PyYAML, C loader"] = seconds(lambda: yaml.load(text, Loader=loader))  # noqa: S506  # a safe loader
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        if name.endswith("pixi.lock"):
            from rattler import LockFile

            others["rattler"] = seconds(lambda: LockFile.from_path(path))
        elif "conda-lock" in name:
            here = sys.path.pop(0)  # a module beside this one is called as a package that conda-lock needs
            from conda_lock.lockfile import parse_conda_lock_file

            sys.path.insert(0, here)

            others["conda-lock"] = seconds(lambda: parse_conda_lock_file(path))
    for other, found in others.items():
        print(f"  {other}: {found}, {found.processor / taken.processor:.2f} times ours")


if __name__ == "__main__":
    if sys.argv[1:]:
        for file in sys.argv[1:]:
            compare(Path(file).read_text(encoding="utf-8"), Path(file).name)
    else:
        for file_name, make in FILES.items():
            compare(make(), file_name)
