"""The disk with the prefixes of the store's folder: whether it is mounted, and is the right one.

Its mark tells. Where there is none yet, as in a store of an older version, the prefixes themselves do.
"""

from __future__ import annotations

import contextlib

from jupyter_envstore.builds.place_marks import DISK, disk_mark, read_mark, write_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Session
from jupyter_envstore.database.retention import present_builds
from jupyter_envstore.errors import MissingDiskError, StorageError


def check_disk(config: StoreConfig, session: Session, gone: bool = False) -> None:
    """Make sure that the prefixes of this folder can be seen, before any is made or forgotten.

    Parameters
    ----------
    gone : bool
        Whether prefixes that are not here are known to be gone for good.

    Raises
    ------
    MissingDiskError
        There is none, and no mark: the disk may not be mounted. Or another one is mounted in its place.
    StorageError
        The mark cannot be read.
    """
    noted = disk_mark(config)
    if noted and noted != read_mark(config)[0]:
        msg = (
            f"{config.builds} has the prefixes of another folder: mount the right disk. If this one shall be used for "
            f"{config.root}, remove {config.builds / DISK}; prefixes that no build of this store has are removed then"
        )
        raise MissingDiskError(msg)
    if noted or gone:
        return
    present = present_builds(session)
    if present and not any((config.builds / build.directory).exists() for build in present):
        what = f"none of the {len(present)} prefixes is" if len(present) > 1 else "the only prefix is not"
        msg = (
            f"{what} in {config.builds}: if its disk is not mounted, mount it; if all there is gone for good: "
            "jupyter envstore gc --gone, and then restore NAME brings each environment back"
        )
        raise MissingDiskError(msg)


def note_disk(config: StoreConfig) -> None:
    """Mark the disk as that of this folder, after :func:`check_disk`. A full disk is marked later."""
    with contextlib.suppress(StorageError):
        mark, _ = read_mark(config)
        if disk_mark(config) != mark:
            write_mark(config.builds / DISK, mark)
