"""A process that becomes a kernel."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from string import Template
from typing import Any


def become(spec: Mapping[str, Any], name: str, connection_file: str) -> None:
    """Run a kernel in place of this process; it returns only where the program is not there.

    Parameters
    ----------
    spec : mapping
        Its kernelspec.
    name : str
        What its package calls it, for the message.
    """
    command = [word.replace("{connection_file}", connection_file) for word in spec["argv"]]
    variables = {key: Template(value).safe_substitute(os.environ) for key, value in spec["env"].items()}
    environment = {**os.environ, **variables}
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        print(f"the program {command[0]} of kernel {name} is not there", file=sys.stderr)
        return
    os.execve(program, command, environment)  # noqa: S606 - an argument list, no shell
