"""Environments for Jupyter that can be shared and brought back exactly."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0.dev0"


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server where the extension is."""
    import sys

    if sys.platform == "win32":
        msg = "jupyter-envstore's store runs on Linux and macOS; on Windows, use it in WSL"
        raise RuntimeError(msg)
    from jupyter_envstore.application.app import EnvStoreApp

    return [{"module": "jupyter_envstore.application.app", "app": EnvStoreApp}]
