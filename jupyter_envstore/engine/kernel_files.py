"""Kernels as packages bring them: ``share/jupyter/kernels/<name>/kernel.json`` in a prefix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "share/jupyter/kernels"


def kernel_files(prefix: Path) -> Iterator[Path]:
    """Yield each ``kernel.json`` of a prefix, in order of names; one that is a link may lead nowhere."""
    found = (folder / "kernel.json" for folder in (prefix / FOLDER).glob("*"))
    yield from sorted(path for path in found if path.is_symlink() or path.exists())


def read_kernel_spec(path: Path) -> dict[str, Any] | None:
    """Return a ``kernel.json`` that is known to be a good one; None where it is not, after all."""
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
    good = isinstance(spec, dict) and isinstance(spec.get("argv"), list) and spec["argv"]
    if not good or not isinstance(spec.get("language", ""), str):
        return None
    for key in ("env", "metadata"):
        if not isinstance(spec.get(key), dict):
            spec[key] = {}
    spec["env"] = {str(name): str(value) for name, value in spec["env"].items()}
    return dict(spec)


def kernel_command(spec: dict[str, Any], folder: Path, prefix: Path) -> list[str]:
    """Return the ``argv`` of a kernelspec that lies in ``folder``, with the environment's own program."""
    argv = [str(word).replace("{resource_dir}", str(folder)) for word in spec["argv"]]
    program = Path(argv[0])
    if not program.is_absolute():
        own = prefix / "bin" / program.name
        argv[0] = str(own) if own.exists() else argv[0]
    return argv
