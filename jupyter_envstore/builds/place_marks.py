"""The files that tell which folder this is: one in the store's folder, and one among its prefixes.

The first has two lines: the mark of the folder, and the name of the store. So a folder is not taken for that of another
store, whose database does not know its environments. The second has the mark alone: without it, the disk with the
prefixes may not be mounted.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import StorageError
from jupyter_envstore.private_files import write_private

MARK = "place"
"""Name of the file in the store's folder."""
DISK = ".place"
"""Name of the file among the prefixes."""


def read_mark(config: StoreConfig) -> tuple[str, str]:
    """Return the mark of the store's folder and the name of the store, each empty where it is not known.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    mark, _, store = _text(config.root / MARK).partition("\n")
    return mark, store.strip()


def disk_mark(config: StoreConfig) -> str:
    """Return the mark of the folder whose prefixes are here; empty where it is not known.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    return _text(config.builds / DISK).strip()


def write_mark(path: Path, *lines: str) -> None:
    """Write a file with a mark.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    try:
        write_private(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise StorageError(msg) from None


def _text(path: Path) -> str:
    try:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise StorageError(msg) from None
    return ""
