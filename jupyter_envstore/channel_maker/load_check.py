"""Load every shared object of the packages in a channel: what cannot be loaded is of no use to anybody."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.channel_maker.python_package import is_elf
from jupyter_envstore.engine.last_output import shown, with_last_words
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.package_modules import installed_packages
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.spec.lock_entries import CondaEntry

TIME_LIMIT = 300.0
"""Seconds for all objects of a channel; the standard library's and pandas' some 150 take one."""

LOADER = """
import ctypes, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for line in sys.stdin:
    path = line.rstrip("\\n")
    print("loading", flush=True)
    try:
        ctypes.CDLL(path, mode=os.RTLD_LAZY)
    except OSError as error:
        print("failed", str(error).replace("\\n", " "), flush=True)
    else:
        print("loaded", flush=True)
"""
"""Loads the objects that it is told of as Python's import does, without running any module's code."""


@dataclass(frozen=True)
class Unloadable:
    """A shared object that cannot be loaded: its package, its path in a prefix, and what the loader says."""

    package: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.package}: {self.path} cannot be loaded: {self.reason}"


def find_unloadable(channel: Path, subdir: str, packages: Sequence[Path]) -> list[Unloadable]:
    """Install packages of an indexed channel together, and load each shared object with their Python.

    Parameters
    ----------
    channel : Path
        The channel's folder.
    subdir : str
        The platform, for example ``linux-64``.
    packages : sequence of Path
        Files in the channel that fit together; ``python`` is one of them.

    Raises
    ------
    PackageError
        They cannot be installed together.
    """
    records = [_record(channel, path) for path in packages]
    with tempfile.TemporaryDirectory(prefix="envstore-load-") as folder:
        prefix = Path(folder) / "prefix"
        lock = PlatformLock(tuple(records))
        link_conda(lock, subdir, prefix, prefix, Path(folder) / "pkgs", Silent())
        try:
            owners = _shared_objects(prefix)
            return [
                Unloadable(owners[path], path, reason.replace(f"{prefix}/", ""))
                for path, reason in _load_all(prefix, sorted(owners))
            ]
        finally:
            remove_tree(prefix)


def _record(channel: Path, path: Path) -> CondaEntry:
    index = json.loads((channel / path.parent.name / "repodata.json").read_text(encoding="utf-8"))
    record: CondaEntry = (index.get("packages.conda") or {})[path.name]
    return {**record, "fn": path.name, "url": path.as_uri(), "channel": channel.as_uri()}


def _shared_objects(prefix: Path) -> dict[str, str]:
    """Return the shared objects below ``lib`` by their paths, each with the package that brought it."""
    return {
        name: package.name
        for package in installed_packages(prefix)
        for name in package.files
        if name.startswith("lib/") and ".so" in name.rsplit("/", 1)[-1] and _is_object(prefix / name)
    }


def _is_object(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and is_elf(path)


def _load_all(prefix: Path, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each path that cannot be loaded, with the reason; behind one that ends the process, another goes on."""
    deadline = time.monotonic() + TIME_LIMIT
    while paths:
        answers, ended = _load(prefix, paths, deadline)
        for path, answer in zip(paths, answers, strict=False):
            word, _, reason = answer.partition(" ")
            if word == "failed":
                yield path, shown(reason)
        if len(answers) < len(paths):
            yield paths[len(answers)], ended
        paths = paths[len(answers) + 1 :]


def _load(prefix: Path, paths: list[str], deadline: float) -> tuple[list[str], str]:
    """Return an answer for each path that was tried to its end, and how the process ended."""
    environment = scrubbed_environment(CONDA_PREFIX=str(prefix), PATH=f"{prefix}/bin:{os.defpath}")
    command = [str(prefix / "bin" / "python"), "-I", "-S", "-c", LOADER]
    told = "".join(f"{prefix / path}\n" for path in paths)
    limit = max(1.0, deadline - time.monotonic())
    try:
        done = subprocess.run(
            command, input=told, capture_output=True, text=True, check=False, timeout=limit, env=environment, cwd=prefix
        )
        output, ended = done.stdout, _ending(done.returncode, done.stderr)
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        ended = f"it does not end within {TIME_LIMIT:g} s"
    return [line for line in output.splitlines() if line != "loading"], ended


def _ending(code: int, complaints: str) -> str:
    how = f"it ends Python with signal {-code}" if code < 0 else f"it ends Python with code {code}"
    return with_last_words(how, complaints)
