"""Logs: whole, from an offset, and followed as they grow. All who follow one log share one look at the database."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.server.file_responses import PLAIN, FileHandler

if TYPE_CHECKING:
    from jupyter_envstore.application.app import EnvStoreApp
    from jupyter_envstore.services.values import LogMark

PAUSE = 0.5
TRIES = 5
"""Seconds between two looks; workers write about as often."""
LARGEST = 2**53


class LogFeed:
    """The log of one build that grows, for all who follow it."""

    def __init__(self, app: EnvStoreApp, build_id: int) -> None:
        self.app = app
        self.build_id = build_id
        self.data = b""
        self.ended = self.failed = False
        self.followers = 0
        self.news = asyncio.Event()
        self.task = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        mark: LogMark | None = None
        troubles = 0
        try:
            while not self.ended:
                try:
                    more, mark, busy = await self.app.run(self.app.store.logs.since, self.build_id, mark)
                except NotFoundError:  # the build was deleted meanwhile
                    break
                except Exception:  # a busy database may pass
                    troubles += 1
                    if troubles > TRIES:
                        self.failed = True
                        self.app.log.exception("envstore: the log of build %s cannot be followed", self.build_id)
                        break
                    await asyncio.sleep(1)
                    continue
                self.data += more
                self.ended = not busy
                if more or self.ended:
                    self.tell()
                if not self.ended:
                    await asyncio.sleep(PAUSE)
        finally:
            self.ended = True
            self.tell()

    def tell(self) -> None:
        """Wake all who wait; the next news has an event of its own."""
        self.news.set()
        self.news = asyncio.Event()


class LogFeeds:
    """The feeds of all builds that somebody follows."""

    def __init__(self, app: EnvStoreApp) -> None:
        self.app = app
        self.feeds: dict[int, LogFeed] = {}

    def join(self, build_id: int) -> LogFeed:
        """Follow a build's log."""
        feed = self.feeds.get(build_id)
        if feed is None or feed.ended:
            feed = self.feeds[build_id] = LogFeed(self.app, build_id)
        feed.followers += 1
        return feed

    def leave(self, feed: LogFeed) -> None:
        """Follow it no more; the last one ends the looking."""
        feed.followers -= 1
        if not feed.followers:
            feed.task.cancel()
            if self.feeds.get(feed.build_id) is feed:
                del self.feeds[feed.build_id]


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
        feed = self._feed = self.app.log_feeds.join(number)
        try:
            await self._follow(feed, offset)
        finally:
            self.app.log_feeds.leave(feed)

    async def head(self, build_id: str) -> None:
        """Say what would be sent now."""
        await self._send_now(*await self._find(build_id))

    async def _find(self, build_id: str) -> tuple[int, str, int]:
        """Return the build, the name of its log's file, and the offset that is asked for."""
        number = await self.require_on_build("environment::read", build_id, deleted=True)
        return number, f"{self.place[1]}.log", self.whole_number("offset", 0, 0, LARGEST)

    async def _send_now(self, number: int, name: str, offset: int) -> None:
        data = (await self.run(self.store.logs.read, number)).encode()[offset:]
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
