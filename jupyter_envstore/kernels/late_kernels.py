"""Kernels of environments that are not on the disk yet: such a kernel brings its environment when it is started."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.engine.kernel_packages import KnownKernel, known_kernels
from jupyter_envstore.kernels.spec_files import place_of
from jupyter_envstore.private_files import write_private

STARTER = "jupyter_envstore.cli.late_kernel"
"""The module that brings the environment, and then becomes its kernel."""
CONFIGURATION = "late-kernels.json"
"""The configuration of the store, in its folder: for its account alone, since a database's password may be in it."""


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
            sys.executable, "-I", "-m", STARTER, str(root / CONFIGURATION), f"{row.namespace}/{row.name}:{row.number}",
            kernel.name, "{connection_file}",
        ],
        "display_name": f"{kernel.label} ({row.namespace}/{row.name}, not here yet)",
        "language": kernel.language,
        "metadata": {"envstore": place_of(row)},
    }  # fmt: skip


def write_configuration(config: StoreConfig) -> None:
    """Write the configuration that late kernels open the store with, where it is not written yet."""
    path, text = config.root / CONFIGURATION, config.to_text()
    with contextlib.suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    write_private(path, text)
