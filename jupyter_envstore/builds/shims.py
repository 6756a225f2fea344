"""Programs that stand in for pip and uv where an environment has none, and say how a package is added."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore.engine.prefix import write_new

SHIM = """#!/bin/sh
echo "error: this environment is made from a lock and shared, so packages cannot be added to it from inside." >&2
echo "Add the package to the environment's specification and build it again:" >&2
echo "jupyter envstore build environment.yml, or Rebuild where you made it." >&2
exit 1
"""
"""Without it, a program in the environment finds the pip or uv of the server, and changes that."""
NAMES = ("pip", "pip3", *(f"pip3.{minor}" for minor in range(8, 16)), "uv")


def write_shims(folder: Path) -> None:
    """Write the programs into a folder that is looked through behind those of an environment.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    for each in (folder.parent, folder):  # a client of a store elsewhere may have no store of its own yet
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in NAMES:
        path = folder / name
        if not path.exists():
            write_new(path, SHIM.encode(), 0o755)
