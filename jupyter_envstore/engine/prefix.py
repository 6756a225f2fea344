"""A finished prefix as a folder: its seal, its size, its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from jupyter_envstore.errors import StorageError

HOW_TO_ADD = """This environment is made from a lock and shared, so packages cannot be added to it from inside.
Add the package to the environment's specification and build it again:
jupyter envstore build environment.yml, in a terminal.
"""
EXTERNALLY_MANAGED = "[externally-managed]\nError=" + HOW_TO_ADD.rstrip().replace("\n", "\n ") + "\n"
"""What pip heeds (PEP 668)."""
FROZEN = json.dumps({"message": HOW_TO_ADD.rstrip()}) + "\n"
"""What conda and mamba heed in ``conda-meta/frozen`` (CEP 22)."""


def is_within(prefix: Path | str, path: Path | str) -> bool:
    """Whether a path in a prefix stays there, whatever links on it lead to: scripts of packages may have put some."""
    return os.path.realpath(path).startswith(os.path.realpath(prefix) + os.sep)


def unseal_prefix(prefix: Path) -> None:
    """Open the folders of a closed prefix again, to finish it once more."""
    for folder, _, _ in os.walk(prefix):
        os.chmod(folder, 0o755)  # noqa: PTH101, S103


def seal_prefix(prefix: Path) -> None:
    """Close a finished prefix: folders read-only, files untouched (they are links into the cache).

    Raises
    ------
    StorageError
        Its ``conda-meta`` is a link that leads elsewhere.
    """
    for library in (prefix / "lib").glob("python3.*"):
        if library.is_dir() and not library.is_symlink() and is_within(prefix, library):
            write_new(library / "EXTERNALLY-MANAGED", EXTERNALLY_MANAGED.encode())
    (prefix / "conda-meta").mkdir(exist_ok=True)
    if not is_within(prefix, prefix / "conda-meta"):
        msg = f"conda-meta of {prefix} leads out of the environment"
        raise StorageError(msg)
    write_new(prefix / "conda-meta" / "frozen", FROZEN.encode())
    for record in (prefix / "conda-meta").glob("*.json"):
        record.chmod(0o644)  # rattler writes them for its own account alone; conda's can be read by all
    for folder, _, _ in os.walk(prefix, topdown=False):
        os.chmod(folder, 0o555)  # noqa: PTH101, S103


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a new file at ``path``: what is there may be a hard link into a cache, or lead elsewhere."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.replace(path)


def remove_tree(path: Path) -> None:
    """Remove ``path`` and all below it, read-only folders too; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for last in (False, False, True):  # a process that is just ending may still write into it
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(FileNotFoundError):
                os.chmod(folder, 0o755)  # noqa: PTH101, S103
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return
        except OSError:
            if last:
                raise
            time.sleep(0.1)
        else:
            return


def to_trash(path: Path) -> Path | None:
    """Rename ``path`` within its folder, at once, so that nobody finds it any more; None where it is gone already.

    A crash leaves ``.trash-*``, which ``gc`` takes.
    """
    trash = path.with_name(f".trash-{uuid.uuid4().hex}")
    try:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)  # a folder that is renamed must be writable, for its ".."
        path.rename(trash)
    except FileNotFoundError:
        return None
    return trash


def tree_size(path: Path) -> tuple[int, int]:
    """Return bytes of all files below ``path``, and of those that no other folder shares (one link)."""
    total = own = 0
    for _, info in walk_files(path):
        if not stat.S_ISDIR(info.st_mode):
            total += info.st_size
            own += info.st_size if info.st_nlink == 1 else 0
    return total, own


def walk_files(prefix: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all files, links and empty folders below ``prefix``, with what ``lstat`` says of each. No link is followed.

    What goes away meanwhile, or may not be looked into, is passed over.
    """
    start = len(str(prefix)) + 1
    folders = [str(prefix)]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
            if not entries and folder[start:]:
                yield folder[start:], os.lstat(folder)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield entry.path[start:], info


def storage_error(error: OSError) -> StorageError:
    """Return an operating system's error about the store in words for people."""
    place = f" ({error.filename})" if error.filename else ""
    if isinstance(error, FileNotFoundError):
        return StorageError(f"{error.strerror or 'a file is missing'}{place}")
    return StorageError(f"the store cannot be written: {error.strerror or error}{place}")


def site_packages_folders(prefix: Path) -> list[Path]:
    """Return the ``site-packages`` folders of ``prefix``; one, where there is Python."""
    found = [p for p in (prefix / "lib").glob("python3.*/site-packages") if p.is_dir()]
    return [p for p in found if not p.parent.is_symlink()]
