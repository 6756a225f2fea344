"""What rattler tells while it works, as progress for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.spec.lock_entries import CondaEntry

STALLED = 60.0
"""Seconds without a word after which a download is taken for ended: of one that fails nobody tells."""


class Reporter:
    """Turns rattler's callbacks into progress: bytes downloaded, then packages linked."""

    def __init__(self, records: Sequence[CondaEntry], progress: Progress, arrived: Callable[[str], None]) -> None:
        self.progress = progress
        self.arrived = arrived
        self.lock = threading.Lock()
        self.total = len(records)
        self.sizes = {record["name"]: record.get("size") or 0 for record in records}
        self.total_bytes = sum(self.sizes.values())
        self.names: dict[int, str] = {}
        self.bytes: dict[str, int] = {}
        self.linked = self.downloaded = self.tokens = 0
        self.fetching = True
        self.under_way: set[str] = set()
        self.last = time.monotonic()

    def _token(self, name: str) -> int:
        with self.lock:
            self.tokens += 1
            self.names[self.tokens] = name
            return self.tokens

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        """Note which package a token stands for."""
        self.under_way.add(package_name)
        return self._token(package_name)

    def on_download_start(self, cache_entry: int) -> int:
        """Count a download."""
        with self.lock:
            self.downloaded += 1
        return self._token(self.names[cache_entry])

    def on_download_progress(self, download_idx: int, progress: int, total: int | None) -> None:
        """Add up the bytes of all downloads."""
        self._advance(self.names[download_idx], progress)

    def on_populate_cache_complete(self, cache_entry: int) -> None:
        """A package is in the cache, downloaded or from before."""
        name = self.names[cache_entry]
        self.arrived(name)
        self.under_way.discard(name)
        self._advance(name, self.sizes.get(name, 0))

    def _advance(self, name: str, progress: int) -> None:
        with self.lock:
            self.last = time.monotonic()
            self.bytes[name] = progress
            done = min(sum(self.bytes.values()), self.total_bytes)
        if self.fetching:
            self.progress.advance(done, self.total_bytes, "bytes", name)

    def on_link_complete(self, index: int) -> None:
        """Count a linked package."""
        with self.lock:
            self.linked += 1

    def wait(self) -> None:
        """Wait for what goes on after rattler was stopped: it puts packages into the cache, in place of others."""
        while self.under_way and time.monotonic() - self.last < STALLED:
            time.sleep(0.01)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda *_: 0
        raise AttributeError(name)
