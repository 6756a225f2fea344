"""Files that code of packages had in its hands: read as what they are said to be, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a file; a link, a pipe or a device is not opened for it.

    Raises
    ------
    OSError
        It is no file, is not there, or has more than ``most`` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > most:
            msg = f"{path.name} is no file of at most {most} bytes"
            raise OSError(msg)
        return file.read(most + 1)


def is_regular_below(path: Path, folder: Path) -> bool:
    """Whether a path is a file in a folder, with no link on the way to it."""
    real = Path(os.path.realpath(folder)) / path.relative_to(folder)
    return os.path.realpath(path) == str(real) and stat.S_ISREG(path.lstat().st_mode)
