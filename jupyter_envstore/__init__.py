"""Environments for Jupyter that can be shared and brought back exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Read the version that is installed, when it is asked for. Its source is ``labextension/package.json``."""
        if name != "__version__":
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from importlib.metadata import version

        return version("jupyter-envstore")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server where the extension is."""
    import sys

    if sys.platform == "win32":
        msg = "jupyter-envstore's store runs on Linux and macOS; on Windows, use it in WSL"
        raise RuntimeError(msg)
    from jupyter_envstore.application.app import EnvStoreApp

    return [{"module": "jupyter_envstore.application.app", "app": EnvStoreApp}]
