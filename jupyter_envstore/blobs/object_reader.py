"""Objects of a bucket as files: pieces are read when they are needed."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

PIECE, LEAST = 4 << 20, 64 << 10
"""Bytes that a reader asks for at a time, one piece ahead; and the least at first, since it may want no more."""


class ObjectReader(io.RawIOBase):
    """An object as a file: pieces are read when they are needed, the next one beside.

    Parameters
    ----------
    read : callable
        Returns the bytes between two places.
    size : int
        Bytes of the object.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read, self._size = read, size
        self._place = 0
        self._start, self._piece = 0, b""
        self._ahead: tuple[int, Future[bytes]] | None = None
        self._pool = ThreadPoolExecutor(1)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read up to the end of the piece at the place."""
        if self._place >= self._size or not len(buffer):
            return 0
        if not self._start <= self._place < self._start + len(self._piece):
            self._fetch(len(buffer))
        begin = self._place - self._start
        data = self._piece[begin : begin + len(buffer)]
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Return as many bytes as are asked for, or all that are left."""
        left = self._size - self._place if size is None or size < 0 else min(size, self._size - self._place)
        parts = []
        while left > 0:
            part = super().read(left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _fetch(self, wanted: int) -> None:
        """Read the piece at the place: as much as is wanted; when reading goes on from there, whole ones, and ahead."""
        goes_on = self._place == self._start + len(self._piece) > 0
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == self._place:
            piece = ahead[1].result()
        else:
            count = PIECE if goes_on else min(PIECE, max(wanted, LEAST))
            piece = self._read(self._place, min(self._place + count, self._size))
        self._start, self._piece = self._place, piece
        if not piece:
            msg = "an object became shorter while it was read"
            raise OSError(msg)
        following = self._start + len(piece)
        if goes_on and following < self._size:
            end = min(following + PIECE, self._size)
            self._ahead = following, self._pool.submit(self._read, following, end)

    def close(self) -> None:
        """Forget what was read."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._piece = b""
        super().close()
