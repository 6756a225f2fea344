"""What a finished prefix has that people should know: variables that are not set, kernels that are left out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_envstore.builds.activation import program_path
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database.warnings import ACTIVATION, KERNEL
from jupyter_envstore.engine.environment_variables import VariableFault, read_variables
from jupyter_envstore.engine.kernel_checks import kernel_faults


def tell_of_packages(
    workspace: Workspace, prefix: Path, activation: Mapping[str, str], replaced: Sequence[VariableFault]
) -> None:
    """Warn of files of packages that cannot be heeded, and of variables that were ``replaced``."""
    workspace.clear_warnings(ACTIVATION, KERNEL)
    for variable in (*replaced, *read_variables(prefix).faults):
        workspace.warn(ACTIVATION, variable.message, variable.package, variable.path)
    for kernel in kernel_faults(prefix, program_path(activation, os.environ.get("PATH", os.defpath))):
        workspace.warn(KERNEL, kernel.message, kernel.package, kernel.path)
