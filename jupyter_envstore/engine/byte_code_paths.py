"""Where byte code lies: which files of an environment have any, and at which path (PEP 3147)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from jupyter_envstore.engine.package_guard import site_packages
from jupyter_envstore.engine.record import PlatformLock


def python_folder(lock: PlatformLock) -> str:
    """Return where the modules of an environment's Python lie, as ``lib/python3.12``."""
    return str(PurePosixPath(site_packages(lock)).parent)


def byte_code_path(source: str, folder: str) -> str:
    """Return where the byte code of a file lies; empty for what is no module of this Python.

    Parameters
    ----------
    source : str
        A file, relative to the prefix.
    folder : str
        Of :func:`python_folder`.
    """
    if not source.endswith(".py") or not source.startswith(f"{folder}/"):
        return ""
    tag = folder.rpartition("/")[2].removeprefix("python").replace(".", "")
    parent, _, name = source.rpartition("/")
    return f"{parent}/__pycache__/{name.removesuffix('.py')}.cpython-{tag}.pyc"


def source_path(byte_code: str) -> str:
    """Return the file that byte code in ``__pycache__`` is of; empty for what is none."""
    if not byte_code.endswith(".pyc"):
        return ""
    found = re.fullmatch(r"(.*/)__pycache__/([^/]+)\.cpython-\w+(?:\.opt-\d)?\.pyc", byte_code)
    return f"{found[1]}{found[2]}.py" if found else ""
