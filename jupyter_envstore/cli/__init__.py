"""``jupyter envstore <command>``."""

from jupyter_envstore.cli.main import main

__all__ = ["main"]
