"""The kernelspecs of one build, written or read for one process alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_envstore.builds.activation import programs_of
from jupyter_envstore.builds.shims import write_shims
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.engine.kernel_checks import brought_kernels
from jupyter_envstore.kernels.kernel_specs import kernel_id, kernel_spec, language_of
from jupyter_envstore.kernels.spec_files import write_spec


def own_kernels(prefix: Path, row: ActiveBuild, shims: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kernels that a build brings and that can start: the names that packages give them, and kernelspecs.

    Parameters
    ----------
    prefix : Path
        The environment on the disk.
    shims : Path
        As in :func:`~jupyter_envstore.kernels.kernel_specs.kernel_spec`.
    """
    for kernel in brought_kernels(prefix, programs_of(prefix)):
        if kernel.spec is not None:
            yield kernel.name, kernel_spec(kernel.spec, kernel.source.parent, prefix, row, shims)


def write_own_kernels(folder: Path, prefix: Path, row: ActiveBuild, shims: Path) -> dict[str, str]:
    """Write the kernelspecs that a build brings into a folder; return their names with their languages.

    Parameters
    ----------
    prefix, row, shims
        As in :func:`own_kernels`.
    """
    write_shims(shims)
    languages: dict[str, str] = {}
    for brought, spec in own_kernels(prefix, row, shims):
        name = kernel_id(row.namespace, row.name, brought, None if row.active else row.number)
        (folder / name).mkdir()
        write_spec(folder / name, spec)
        languages[name] = language_of(spec)
    return languages
