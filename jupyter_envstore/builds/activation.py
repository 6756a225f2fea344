"""What activation changes: computed once, when a build is made."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_envstore.engine.bounded_run import MOST, run_bounded
from jupyter_envstore.engine.conda_meta import owners_of
from jupyter_envstore.engine.environment_variables import activation_script
from jupyter_envstore.engine.foreign_files import read_regular
from jupyter_envstore.engine.process_environment import package_environment
from jupyter_envstore.engine.sandbox import Reach, Sandbox
from jupyter_envstore.errors import EnvStoreError

ACTIVATION_FILE = "conda-meta/envstore-activation"
"""Path in a prefix; without ``.json``, since conda takes every such file there for a package."""
TIME_LIMIT = 60.0
LONGEST_NAME = 255
MARK = "envstore-environment-follows:"
DUMP = f"import json, os; print({MARK!r} + json.dumps(dict(os.environ)))"
OUTER_PATH = "/envstore-outer-path:/usr/bin:/bin"
HOME_OF_SHELLS = re.compile(r"HOME|USER|LOGNAME|TMPDIR|XDG_\w+")
PASSING = {"_", "SHLVL", "PWD", "OLDPWD", "LC_CTYPE"}


def activation_variables(
    prefix: Path, working_directory: Path, sandbox: Sandbox, time_limit: float = TIME_LIMIT
) -> tuple[dict[str, str], list[str]]:
    """Run the activation of ``prefix``; return the variables that it sets or changes, and what it complained of.

    Like conda, it goes on when a script fails. The scripts are run by bash where there is one: they are written for it.
    ``PATH`` has ``${PATH}`` where the path from before goes.

    Parameters
    ----------
    working_directory : Path
        An empty folder for the scripts to run in.
    sandbox : Sandbox
        Where they run.

    Raises
    ------
    EnvStoreError
        A script does not end, or ends the shell.
    """
    limit = min(TIME_LIMIT, time_limit)
    own = {name: value for name, value in os.environ.items() if HOME_OF_SHELLS.fullmatch(name)}
    before = package_environment(PATH=OUTER_PATH, **own)
    dump = f"{shlex.quote(sys.executable)} -I -c {shlex.quote(DUMP)}"
    script = working_directory / "activate.sh"  # a file: an argument would have a limit
    noted = working_directory / "activating"
    script.write_text(f"{activation_script(prefix, noted)}\n{dump}\n", encoding="utf-8")
    command = [shutil.which("bash") or "/bin/sh", str(script)]
    try:
        done = run_bounded(
            sandbox.command(command, Reach((prefix,), (working_directory,), own_python=True), working_directory),
            before,
            working_directory,
            limit,
        )
    except subprocess.TimeoutExpired:
        msg = f"activation does not end within {limit:g} s: {_running(prefix, noted)} waits for something"
        raise EnvStoreError(msg) from None
    if not done.is_whole:
        msg = f"activation fails: {_running(prefix, noted)} says more than {MOST >> 20} MB"
        raise EnvStoreError(msg)
    complaints = done.stderr.decode("utf-8", "replace").strip().splitlines()
    _, mark, dumped = done.stdout.decode("utf-8", "replace").rpartition(MARK)
    if not mark:
        said = f" and says: {complaints[-1]}" if complaints else ""
        msg = f"activation fails: {_running(prefix, noted)} ends the shell{said}"
        raise EnvStoreError(msg)
    after = {name: value for name, value in _variables(dumped).items() if name not in PASSING}
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if "PATH" in changed:
        changed["PATH"] = changed["PATH"].replace(OUTER_PATH, "${PATH}")
    return changed, complaints[:20]


def _variables(dumped: str) -> dict[str, str]:
    """Read the variables behind the mark.

    Raises
    ------
    EnvStoreError
        They are none: a script wrote the mark, too.
    """
    try:
        found = json.loads(dumped)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        msg = "activation fails: a script writes where the variables are"
        raise EnvStoreError(msg)
    return found


def _running(prefix: Path, noted: Path) -> str:
    """Return which script ran last, and whose it is; a script may have put anything in place of the note."""
    try:
        name = read_regular(noted, LONGEST_NAME).decode()
        folder = prefix / "etc" / "conda" / "activate.d"
        if name not in (path.name for path in folder.iterdir()):
            return "a script of a package"
        place = f"etc/conda/activate.d/{name}"
    except (OSError, UnicodeDecodeError):
        return "what is set before the scripts of packages"
    package = owners_of(prefix, {place}).get(place, "")
    return f"{place} of {package}" if package else place


def program_path(activation: Mapping[str, str], outer: str) -> str:
    """Return where an activated shell looks for programs whose path was ``outer`` before."""
    return activation.get("PATH", "${PATH}").replace("${PATH}", outer)


def programs_of(prefix: Path) -> str:
    """Return where a kernel of a prefix finds programs, started by this process."""
    return program_path(recorded_activation(prefix), os.environ.get("PATH", os.defpath))


def recorded_activation(prefix: Path) -> dict[str, str]:
    """Return what :func:`activation_variables` found when the prefix was made."""
    variables: dict[str, str] = json.loads((prefix / ACTIVATION_FILE).read_text(encoding="utf-8"))
    return variables
