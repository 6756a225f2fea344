"""Logs that grow: all who follow one share one look at the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_envstore.errors import NotFoundError

if TYPE_CHECKING:
    import logging

    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads
    from jupyter_envstore.services.values import LogMark

PAUSE = 0.5
"""Seconds between two looks; workers write about as often."""
TRIES = 5
"""How many looks may fail, one after the other or not, before a log is followed no more."""


class LogFeed:
    """The log of one build that grows, for all who follow it."""

    def __init__(self, access: StoreAccess, threads: Threads, log: logging.Logger, build_id: int) -> None:
        self._log = log
        self._access = access
        self._threads = threads
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
                    more, mark, busy = await self._threads.run(self._access.store.logs.since, self.build_id, mark)
                except NotFoundError:  # the build was deleted meanwhile
                    break
                except Exception:  # a busy database may pass
                    troubles += 1
                    if troubles > TRIES:
                        self.failed = True
                        self._log.exception("envstore: the log of build %s cannot be followed", self.build_id)
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

    def __init__(self, access: StoreAccess, threads: Threads, log: logging.Logger) -> None:
        self._log = log
        self._access = access
        self._threads = threads
        self.feeds: dict[int, LogFeed] = {}

    def join(self, build_id: int) -> LogFeed:
        """Follow a build's log."""
        feed = self.feeds.get(build_id)
        if feed is None or feed.ended:
            feed = self.feeds[build_id] = LogFeed(self._access, self._threads, self._log, build_id)
        feed.followers += 1
        return feed

    def leave(self, feed: LogFeed) -> None:
        """Follow it no more; the last one ends the looking."""
        feed.followers -= 1
        if not feed.followers:
            feed.task.cancel()
            if self.feeds.get(feed.build_id) is feed:
                del self.feeds[feed.build_id]
