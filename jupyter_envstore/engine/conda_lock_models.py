"""conda-lock's models of a lockfile, without the rest of its package."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def conda_lock_models() -> Iterator[None]:
    """Let ``conda_lock.lockfile`` be imported without all that the package ``conda_lock`` imports.

    The rest takes half a second, and puts a folder of older ``tomli``, ``packaging``, ``lark`` and ``fastjsonschema``
    first in ``sys.path``, where imports that follow would find them. Whoever imports the package later gets it whole.
    """
    spec = None if "conda_lock" in sys.modules else importlib.util.find_spec("conda_lock")
    if spec is None:
        yield
        return
    sys.modules["conda_lock"] = importlib.util.module_from_spec(spec)  # its parts are found, its own code is not run
    try:
        yield
    finally:
        del sys.modules["conda_lock"]
