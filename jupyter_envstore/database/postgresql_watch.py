"""Tells, without a look into the tables, whether anybody wrote into a database of PostgreSQL."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

LOG = logging.getLogger("jupyter_envstore")
CHANNEL = "envstore_written"
"""Name of the channel that writers notify."""
LOOK_ANYWAY_SECONDS = 5.0
"""After so long without news one looks all the same: a proxy in between may pass no notifications on."""
AGAIN_SECONDS = 2.0
"""How long after a connection failed the next is tried: until then, one looks each time."""


class PostgresqlWatch:
    """Tells whether the database may have been written since it was last asked; for one thread.

    A connection of its own listens. To ask it takes some microseconds, and no question to the server.

    Parameters
    ----------
    arguments : mapping
        What the connection is made with.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._answered_at = 0.0
        self._failed_at = 0.0

    def moved(self) -> bool:
        """Whether there may be something new; the first answer is yes, and so is one every few seconds."""
        with self._lock:
            moved = self._is_new() or time.monotonic() - self._answered_at > LOOK_ANYWAY_SECONDS
            if moved:
                self._answered_at = time.monotonic()
            return moved

    def close(self) -> None:
        """Close the connection; asked again, it is opened again."""
        with self._lock:
            self._disconnect()

    def _is_new(self) -> bool:
        import psycopg

        try:
            if self._connection is None:
                if time.monotonic() - self._failed_at > AGAIN_SECONDS:
                    self._connection = psycopg.connect(autocommit=True, **self._arguments)
                    self._connection.execute(f"LISTEN {CHANNEL}")
                return True
            return bool(list(self._connection.notifies(timeout=0)))
        except psycopg.Error as error:
            if not self._failed_at:
                LOG.warning("envstore: who writes into the database is not told at once: %s", error)
            self._failed_at = time.monotonic()
            self._disconnect()
            return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None
