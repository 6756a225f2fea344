"""What other accounts of the machine may do with the files of a store: nothing, or read its environments."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.sqlite import database_file
from jupyter_envstore.errors import StorageError

OURS = (
    ".restoring-*", "blob-cache", "blobs", "brought", "builds", "caches.lock", "client", "envs", "envstore.sqlite*",
    "kernels", "late-kernels.json", ".late-kernels.json.*", "logins", "logs", "offered-*", "pkgs", "place", ".place.*",
    "shims", "staging", "tools",
)  # fmt: skip
"""What a store has in its folder."""
OTHERS = 0o077
PASS = 0o011
"""What other accounts need on a folder to reach what they know the name of in it (path_resolution(7))."""
LOOK = 0o055


def close_to_others(config: StoreConfig) -> list[str]:
    """Let no other account read or change the files of a store, but read its environments where they are shared.

    The mode of each file and folder at the top of the store is what counts: nobody passes a closed folder. Links are
    left alone, and so is the store's folder itself where it holds other things than the store's.

    Returns
    -------
    list of str
        What was open to others, and is closed now; and what cannot be closed, and how it can.

    Raises
    ------
    StorageError
        The database belongs to another account: SQLite's files of one account would lock the other one out.
    """
    _check_owner(config)
    return list(filter(None, (_closed(path, allowed) for path, allowed in _places(config))))


def unreachable(config: StoreConfig) -> Path | None:
    """Return the first folder that keeps other accounts from environments that are shared with them; None for none."""
    for folder in (config.builds, *config.builds.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def _places(config: StoreConfig) -> Iterator[tuple[Path, int]]:
    """Yield what is at the top of a store, and the rights of other accounts on it."""
    shared = {config.builds: PASS, config.shims: LOOK} if config.share_prefixes else {}
    entries = list(config.root.iterdir())
    ours = [path for path in entries if any(fnmatch(path.name, pattern) for pattern in OURS)]
    file = database_file(config.url)
    if file is not None and file.parent != config.root:
        ours += [file.with_name(f"{file.name}{end}") for end in ("", "-wal", "-shm")]
    yield config.root, (PASS if config.share_prefixes else 0) if len(ours) >= len(entries) else -1
    for path in ours:
        yield path, shared.get(path, 0)


def _closed(path: Path, allowed: int) -> str:
    """Take the rights of others away, but those that are allowed; return what there is to tell.

    ``allowed`` is -1 for a folder that others may look into, though not write.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ""
    mode = stat.S_IMODE(found.st_mode)
    if allowed < 0:
        if not mode & 0o022 or mode & stat.S_ISVTX:
            return ""
        return f"other accounts may change {path} (mode {mode:o}), and so remove the store: chmod go-w {path}"
    wanted = (mode & ~OTHERS) | allowed
    if stat.S_ISLNK(found.st_mode) or mode == wanted:
        return ""
    try:
        path.chmod(wanted)
    except PermissionError:
        if not mode & OTHERS & ~allowed:
            return ""
        owner = _name(found.st_uid)
        return f"other accounts may read {path} (mode {mode:o}); as {owner}, who owns it: chmod {wanted:o} {path}"
    opened = mode & OTHERS & ~allowed
    return f"{path} was open to other accounts (mode {mode:o}); now it is not (mode {wanted:o})" if opened else ""


def _check_owner(config: StoreConfig) -> None:
    file = database_file(config.url)
    if file is None or os.geteuid() == 0:
        return
    try:
        owner = file.stat().st_uid
    except OSError:
        return  # there is none yet, or the database says why it cannot be opened
    if owner != os.geteuid():
        msg = (
            f"the store at {config.root} belongs to the account {_name(owner)}; two accounts cannot share its files: "
            f"use another root_dir, or reach the server of {_name(owner)} over the network"
        )
        raise StorageError(msg)


def _name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
