"""Tells, for almost nothing, whether anybody wrote into the database."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

LOOK_ANYWAY_SECONDS = 5.0
"""After so long without news one looks all the same: nothing is lost for good if SQLite should miss a write."""


class SqliteWatch:
    """Tells whether the database may have been written since it was last asked; for one thread.

    SQLite counts for each connection what others have written (``PRAGMA data_version``). To read the number takes a few
    microseconds, a look into the tables by SQLAlchemy two milliseconds.

    Parameters
    ----------
    path : Path
        SQLite's file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[int, int, int] | None = None
        self._answered_at = 0.0

    def moved(self) -> bool:
        """Whether there may be something new; the first answer is yes, and so is one every few seconds."""
        with self._lock:
            try:
                state = self._state(self._path)
            except (OSError, sqlite3.Error):
                self._disconnect()
                return True
            moved = state != self._seen or time.monotonic() - self._answered_at > LOOK_ANYWAY_SECONDS
            if moved:
                self._seen, self._answered_at = state, time.monotonic()
            return moved

    def close(self) -> None:
        """Close the connection; asked again, it is opened again."""
        with self._lock:
            self._disconnect()

    def _state(self, path: Path) -> tuple[int, int, int]:
        """Return what changes with each write: which file it is, and SQLite's number."""
        file = path.stat()
        if self._seen is not None and self._seen[:2] != (file.st_dev, file.st_ino):
            self._disconnect()  # another file was put in its place
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, timeout=0.1, isolation_level=None, check_same_thread=False
            )
            self._seen = None  # numbers of two connections cannot be compared
        (number,) = self._connection.execute("PRAGMA data_version").fetchone()
        return file.st_dev, file.st_ino, int(number)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
