"""Which downloads the audit has noted lately: what is read in many parts is noted once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine

PARTS_SECONDS = 3600.0
"""How long further parts of a download belong to the one that was noted."""
MOST_NOTED = 10_000


class DownloadNotes:
    """Remembers what was noted, and keeps notes that are being written from being collected."""

    def __init__(self) -> None:
        self._noted: dict[object, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def is_due(self, key: object, always: bool = False) -> bool:
        """Whether the audit notes it now: once an hour, or ``always``."""
        moment = time.monotonic()
        seen = self._noted.get(key, -PARTS_SECONDS)
        if not always and moment - seen <= PARTS_SECONDS:
            return False
        if len(self._noted) > MOST_NOTED:
            self._noted.clear()
        self._noted[key] = moment
        return True

    def write(self, note: Coroutine[object, object, None]) -> None:
        """Have a note written; nobody waits for it."""
        task = asyncio.ensure_future(note)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
