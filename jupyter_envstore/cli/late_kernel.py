"""Bring an environment back, then become its kernel: ``python -m … ROOT BUILD KERNEL CONNECTION_FILE``.

The kernelspecs of environments that are not on the disk lead here (:mod:`jupyter_envstore.kernels.late_kernels`). What
is printed stands in the log of the server, or in the terminal, that started the kernel.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

from jupyter_envstore.builds.activation import program_path, recorded_activation
from jupyter_envstore.cli.common import POLL_SECONDS, interrupts, open_store, who
from jupyter_envstore.database.active_builds import ActiveBuild
from jupyter_envstore.engine.kernel_checks import brought_kernels
from jupyter_envstore.errors import BuildFailedError, ConflictError, EnvStoreError, NotFoundError
from jupyter_envstore.kernels.kernel_specs import kernel_spec
from jupyter_envstore.services.interfaces import Store


def main(arguments: list[str]) -> int:
    """Bring the environment, and run its kernel in place of this process."""
    root, build, name, connection_file = arguments
    try:
        with open_store(argparse.Namespace(root=root)) as store:
            prefix, row = _bring(store, int(build)), _row(store, int(build))
            spec = _kernel(prefix, name, row, store.config.shims)
    except EnvStoreError as error:
        print(f"the environment of this kernel cannot be brought: {error}", file=sys.stderr)
        return error.exit_code
    _become(spec, name, connection_file)
    return 1


def _become(spec: dict[str, Any], name: str, connection_file: str) -> None:
    """Run a kernel in place of this process."""
    command = [word.replace("{connection_file}", connection_file) for word in spec["argv"]]
    environment = {
        **os.environ,
        **{key: Template(value).safe_substitute(os.environ) for key, value in spec["env"].items()},
    }
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        print(f"the program {command[0]} of kernel {name} is not there", file=sys.stderr)
        return
    os.execve(program, command, environment)  # noqa: S606 - an argument list, no shell


def _bring(store: Store, build_id: int) -> Path:
    """Return the prefix of a build; it is brought back first, unless it is there.

    Raises
    ------
    BuildFailedError
        It cannot be brought back.
    """
    view = store.builds.show(build_id)
    place = f"{view['namespace']}/{view['name']}:{view['number']}"
    if view["packed_away"]:
        print(f"{place} is not here yet; bringing it", file=sys.stderr, flush=True)
        try:
            store.prefixes.restore(build_id, who())
        except ConflictError:
            if store.builds.show(build_id)["packed_away"]:  # or another kernel has just brought it
                raise
    with interrupts() as check:
        while view["packed_away"]:
            check()
            store.scheduler.tick()
            busy, view = store.builds.is_busy(build_id), store.builds.show(build_id)
            if view["packed_away"] and not busy:
                msg = f"{place}: {view['reason'] or 'it failed'}; the log: jupyter envstore logs {place}"
                raise BuildFailedError(msg)
            time.sleep(POLL_SECONDS if view["packed_away"] else 0)
    return store.prefixes.path(build_id)


def _row(store: Store, build_id: int) -> ActiveBuild:
    view = store.builds.show(build_id)
    return ActiveBuild(0, view["namespace"], view["name"], build_id, view["number"], None, True)


def _kernel(prefix: Path, name: str, row: ActiveBuild, shims: Path) -> dict[str, Any]:
    """Return the kernelspec of a kernel that the environment brings.

    Raises
    ------
    NotFoundError
        It brings no kernel of this name.
    """
    path = program_path(recorded_activation(prefix), os.environ.get("PATH", os.defpath))
    for kernel in brought_kernels(prefix, path):
        if kernel.name == name and kernel.spec is not None:
            return kernel_spec(kernel.spec, kernel.source.parent, prefix, row, shims)
    msg = f"{row.namespace}/{row.name} brings no kernel {name}"
    raise NotFoundError(msg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
