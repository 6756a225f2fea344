"""Logs: whole, from an offset, and followed as they grow."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from jupyter_envstore.server.file_responses import PLAIN, FileHandler

if TYPE_CHECKING:
    from jupyter_envstore.server.log_feeds import LogFeed

LARGEST = 2**53


class LogsHandler(FileHandler):
    """``build/{build_id}/logs/``"""

    async def get(self, build_id: str) -> None:
        """Send the log, or its part from byte ``offset``; with ``follow=true`` until the build has ended."""
        number, name, offset = await self._find(build_id)
        if not self.flag("follow"):
            await self._send_now(number, name, offset)
            return
        self.set_disposition(name)
        self.set_header("Content-Type", PLAIN)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # proxies shall pass it on as it comes
        feed = self._feed = self.context.log_feeds.join(number)
        try:
            await self._follow(feed, offset)
        finally:
            self.context.log_feeds.leave(feed)

    async def head(self, build_id: str) -> None:
        """Say what would be sent now."""
        await self._send_now(*await self._find(build_id))

    async def _find(self, build_id: str) -> tuple[int, str, int]:
        """Return the build, the name of its log's file, and the offset that is asked for."""
        number = await self.require_on_build("environment::read", build_id, deleted=True)
        return number, f"{self.place[1]}.log", self.whole_number("offset", 0, 0, LARGEST)

    async def _send_now(self, number: int, name: str, offset: int) -> None:
        data = (await self.run(self.store.logs.read, number)).encode()[offset:]  # bytes, wherever they are cut
        if not offset:
            self.note_once(number, "logs")
        await self.send_whole(data, hashlib.sha256(data).hexdigest(), PLAIN, name)

    async def _follow(self, feed: LogFeed, offset: int) -> None:
        if await self.moved_on():
            return
        while True:
            news = feed.news
            if len(feed.data) > offset:
                self.write(feed.data[offset:])
                offset = len(feed.data)
                if await self.moved_on():
                    return
            elif feed.failed:
                self.detach().close()  # cut off, so that it is not taken for the end
                return
            elif feed.ended:
                break
            else:
                await news.wait()
                if self.gone.is_set():
                    return
        self.send_text(b"")

    _feed: LogFeed | None = None

    def on_connection_close(self) -> None:
        """Stop following: the client is gone. The others are woken too, and go on waiting for the next piece."""
        super().on_connection_close()
        if self._feed is not None:
            self._feed.tell()


ROUTES = [("build/{build_id}/logs/", LogsHandler)]
