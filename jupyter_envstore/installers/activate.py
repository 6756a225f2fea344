"""The scripts that a shell activates an environment with, where there is no conda."""

from __future__ import annotations

import shlex
from importlib.resources import files

LOCATE = "@@LOCATE@@"


def activate_at(prefix: str, name: str) -> str:
    """Return ``bin/activate`` of an environment whose place is written into its files."""
    return _script("activate.sh").replace(LOCATE, f"envstore_prefix='{prefix}'\nenvstore_name={shlex.quote(name)}")


def activate_anywhere(prefix: str) -> str:
    """Return ``bin/activate`` of an environment that finds out where it lies; ``prefix`` where it cannot."""
    return _script("activate.sh").replace(LOCATE, _script("locate.sh").rstrip().replace("@@PREFIX@@", prefix))


def deactivate() -> str:
    """Return ``bin/deactivate``, for whom conda-pack has taught to read such a file."""
    return _script("deactivate.sh")


def _script(name: str) -> str:
    return (files(__package__) / "scripts" / name).read_text(encoding="utf-8")
