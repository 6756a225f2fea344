"""Copies of blobs on this machine, up to a number of bytes; what was not used for longest goes first."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

SPARED_SECONDS = 300.0
"""What was used a short time ago stays, whatever the limit: somebody may be about to open it."""
ROUND = 20
"""The folder is looked at when a part of the limit, one in this many, was added."""


class FileCache:
    """Files below ``folder``: ``ab/<digest>``. Several processes may share it.

    Parameters
    ----------
    limit : int
        Bytes that the files may take.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._added = limit  # the first file of a process looks

    def path(self, digest: str) -> Path:
        """Return where a blob's copy is, whether or not it is there."""
        return self.folder / digest[:2] / digest

    def find(self, digest: str) -> Path | None:
        """Return a blob's copy, which counts as used now; None where there is none."""
        path = self.path(digest)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def takes(self, size: int) -> bool:
        """Whether a file of this size is kept; what is asked for as a file is, whatever its size."""
        return size <= self._limit

    def add(self, path: Path, digest: str) -> Path:
        """Take a file in, by renaming it; return where it is."""
        size = path.stat().st_size
        with path.open("rb") as file:
            os.fsync(file.fileno())  # a copy that a crash of the machine cut off would be taken for the whole
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.utime(path)
        path.replace(target)
        self._added += size
        if self._added * ROUND >= self._limit:
            self._added = 0
            self._make_room()
        return target

    def remove(self, digest: str) -> None:
        """Remove a blob's copy, where there is one."""
        self.path(digest).unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Remove what was not used for longest, until the limit is kept."""
        found = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        newest = time.time() - SPARED_SECONDS
        for moment, size, path in sorted(found):
            if total <= self._limit or moment > newest:
                break
            path.unlink(missing_ok=True)
            total -= size
