"""Kernels as packages bring them: ``share/jupyter/kernels/<name>/kernel.json`` in a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "share/jupyter/kernels"


def kernel_files(prefix: Path) -> Iterator[Path]:
    """Yield each ``kernel.json`` of a prefix, in order of names; one that is a link may lead nowhere."""
    found = (folder / "kernel.json" for folder in (prefix / FOLDER).glob("*"))
    yield from sorted(path for path in found if path.is_symlink() or path.exists())


def kernel_command(spec: dict[str, Any], folder: Path, prefix: Path) -> list[str]:
    """Return the ``argv`` of a kernelspec that lies in ``folder``, with the environment's own program."""
    argv = [str(word).replace("{resource_dir}", str(folder)) for word in spec["argv"]]
    program = Path(argv[0])
    if not program.is_absolute():
        own = prefix / "bin" / program.name
        argv[0] = str(own) if own.exists() else argv[0]
    return argv
