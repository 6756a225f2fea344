"""The disk with the prefixes of the store's folder: whether it is mounted, and is the right one.

What is there tells, and a mark: without one, a single prefix that is missing may be on a disk that is not mounted.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import chain, islice

from jupyter_envstore.builds.place_marks import DISK, disk_mark, read_mark, write_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.placements import MOST_ASKED, count_at, has_one_of
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.errors import DatabaseAwayError, MissingDiskError, StorageError


def check_mark(config: StoreConfig) -> bool:
    """Make sure that the prefixes are not those of another folder.

    Returns
    -------
    bool
        Whether they have the mark of this one.

    Raises
    ------
    MissingDiskError
        They are.
    StorageError
        The mark cannot be read.
    """
    noted, mark = disk_mark(config), read_mark(config)[0]
    if noted and mark and noted != mark:
        msg = (
            f"{config.builds} has the environments of another folder: mount the right disk. If this one shall be used "
            f"for {config.root}, remove {config.builds / DISK}; environments that the store does not know are removed "
            "from it then"
        )
        raise MissingDiskError(msg)
    return bool(noted and mark)


def check_disk(config: StoreConfig, session: Session, gone: bool = False) -> None:
    """Make sure that the prefixes of this folder can be seen, before any is made or forgotten.

    Parameters
    ----------
    gone : bool
        Whether prefixes that are not here are known to be gone for good.

    Raises
    ------
    MissingDiskError
        There is none: the disk may not be mounted. Or another one is mounted in its place.
    StorageError
        The disk cannot be read.
    """
    is_marked = check_mark(config)
    names = _names(config)
    first = next(names, None)
    if gone or (is_marked and first is not None):
        return
    here = place_of(session)
    known = count_at(session, here)
    if known == 0 or (is_marked and known == 1):  # somebody removed the only one
        return
    rest = names if first is None else chain([first], names)
    while some := list(islice(rest, MOST_ASKED)):
        if has_one_of(session, here, some):
            return
    what = f"none of the {known} environments of this folder is" if known > 1 else "the only environment is not"
    msg = (
        f"{what} in {config.builds}: if its disk is not mounted, mount it; if all there is gone for good: "
        "jupyter envstore gc --gone, and then restore NAME brings each back"
    )
    raise MissingDiskError(msg)


def disk_fault(config: StoreConfig, database: Database) -> str:
    """Return why no prefix can be made in this folder now; empty if one can."""
    with database.read() as session:
        try:
            check_disk(config, session)
        except DatabaseAwayError:
            raise
        except StorageError as error:
            return str(error)
    return ""


def note_disk(config: StoreConfig) -> None:
    """Mark the disk as that of this folder, which has a prefix there. A full disk is marked later."""
    with contextlib.suppress(StorageError):
        mark, _ = read_mark(config)
        if mark and not disk_mark(config):
            write_mark(config.builds / DISK, mark)


def _names(config: StoreConfig) -> Iterator[str]:
    """Yield the names of what is among the prefixes."""
    try:
        with os.scandir(config.builds) as entries:
            yield from (entry.name for entry in entries if not entry.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        msg = f"{config.builds} cannot be read: {error.strerror}"
        raise StorageError(msg) from None
