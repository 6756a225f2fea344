"""``jupyter envstore <command>``."""

from jupyter_envstore.cli.main import main, run

__all__ = ["main", "run"]
