"""The kernelspecs of one build, written for one process alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

from jupyter_envstore.builds.activation import program_path, recorded_activation
from jupyter_envstore.builds.shims import write_shims
from jupyter_envstore.database.active_builds import ActiveBuild
from jupyter_envstore.engine.kernel_checks import brought_kernels
from jupyter_envstore.kernels.kernel_specs import kernel_id, kernel_spec, language_of


def write_own_kernels(folder: Path, prefix: Path, row: ActiveBuild, shims: Path) -> dict[str, str]:
    """Write the kernelspecs that a build brings into a folder; return their names with their languages.

    Parameters
    ----------
    prefix : Path
        The environment on the disk.
    shims : Path
        As in :func:`~jupyter_envstore.kernels.kernel_specs.kernel_spec`.
    """
    write_shims(shims)
    path = program_path(recorded_activation(prefix), os.environ.get("PATH", os.defpath))
    languages: dict[str, str] = {}
    for kernel in brought_kernels(prefix, path):
        if kernel.spec is None:
            continue
        spec = kernel_spec(kernel.spec, kernel.source.parent, prefix, row, shims)
        name = kernel_id(row.namespace, row.name, kernel.name, None if row.active else row.number)
        (folder / name).mkdir()
        (folder / name / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        languages[name] = language_of(spec)
    return languages
