"""Kernels of environments that are not on the disk yet: such a kernel brings its environment when it is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_envstore.database.active_builds import ActiveBuild
from jupyter_envstore.engine.kernel_packages import KnownKernel, known_kernels

STARTER = "jupyter_envstore.cli.late_kernel"
"""The module that brings the environment, and then becomes its kernel."""


def late_kernels(root: Path, row: ActiveBuild, packages: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the kernelspecs of a build that is not on the disk, by the names that its packages give to the kernels.

    Parameters
    ----------
    root : Path
        Folder of the store.
    packages : iterable of str
        Names of its packages.
    """
    return {kernel.name: _spec(root, row, kernel) for kernel in known_kernels(packages)}


def _spec(root: Path, row: ActiveBuild, kernel: KnownKernel) -> dict[str, Any]:
    return {
        "argv": [
            sys.executable, "-I", "-m", STARTER, str(root), str(row.build_id), kernel.name, "{connection_file}"
        ],
        "display_name": f"{kernel.label} ({row.namespace}/{row.name}, not here yet)",
        "language": kernel.language,
        "metadata": {
            "envstore": {
                "namespace": row.namespace,
                "environment": row.name,
                "build_id": row.build_id,
                "build": row.number,
                "late": True,
            },
        },
    }  # fmt: skip


def write_late_kernel(folder: Path, spec: dict[str, Any]) -> None:
    """Write a kernelspec into its folder."""
    folder.mkdir()
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
