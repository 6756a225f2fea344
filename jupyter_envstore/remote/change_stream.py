"""What changes in a store elsewhere, followed from the loop of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_envstore.errors import RemoteStoreUnavailableError
from jupyter_envstore.remote.connection import API, Outgoing, RemoteConnection
from jupyter_envstore.remote.headers import LINES, VERSION, own_version

if TYPE_CHECKING:
    import logging

    import httpx

NEWEST = 2**53
"""A revision that no store has: whoever names it is told the newest one."""
POLL_SECONDS = 1.0
"""The pause between two looks at a store of an older version, whose changes cannot be followed."""
SHORTEST, LONGEST = 0.5, 5.0
"""Seconds until a store that does not answer is asked again: twice as long each time."""
LARGEST_LINE = 4 << 20
TURN = 32
SILENT_SECONDS = 45.0
"""How long a store may say nothing: it says something every 15 s."""


@dataclass(frozen=True)
class RemoteNews:
    """What changed.

    Parameters
    ----------
    revision : int
        The store's newest revision.
    environments, builds, progressing : frozenset of int
        Ids of environments and builds that changed, and of builds that went on.
    usable : frozenset of int
        Ids of environments that may have other kernels now: a build of them completed, or they changed themselves.
    reset : bool
        Whether more may have changed, since it is not known from where on one follows.
    """

    revision: int
    environments: frozenset[int] = frozenset()
    builds: frozenset[int] = frozenset()
    progressing: frozenset[int] = frozenset()
    usable: frozenset[int] = frozenset()
    reset: bool = False

    def with_later(self, later: RemoteNews) -> RemoteNews:
        """Return these news together with later ones."""
        return RemoteNews(
            later.revision,
            self.environments | later.environments,
            self.builds | later.builds,
            self.progressing | later.progressing,
            self.usable | later.usable,
            self.reset or later.reset,
        )


class ChangeStream:
    """Follows a store, and calls ``tell`` with what changes; while the store is away, it is asked again and again.

    Parameters
    ----------
    tell : callable
        Called with the news, on the loop.
    """

    def __init__(self, connection: RemoteConnection, tell: Callable[[RemoteNews], None], log: logging.Logger) -> None:
        self._connection = connection
        self._tell = tell
        self._log = log
        self._revision = NEWEST
        self._told = self._version = ""

    async def run(self) -> None:
        """Follow, until the task is canceled."""
        pause = SHORTEST
        while True:
            try:
                async for is_news in self._followed():
                    pause = SHORTEST if is_news else pause
                    if self._told:
                        self._told = ""
                        self._log.info("envstore: the store at %s answers again", self._connection.url)
            except RemoteStoreUnavailableError as error:
                if self._told != str(error):
                    self._told = str(error)
                    self._log.warning("envstore: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST)
            except Exception:
                self._log.exception("envstore: the changes of %s cannot be followed", self._connection.url)
                await asyncio.sleep(LONGEST)

    async def _followed(self) -> AsyncIterator[bool]:
        """Follow with one request, and tell what it says; yields at each line, whether it said something."""
        path = f"/envstore{API}changes/?since={self._revision}&follow=true"
        asked = Outgoing("GET", path, {"Accept": f"{LINES}, application/json"}, silence=SILENT_SECONDS)
        async with self._connection.follow(asked) as answer:
            if answer.status_code == 400:
                self._revision = NEWEST  # the store does not know it
            if answer.status_code != 200:
                msg = f"the store at {self._connection.url} does not tell what changes: {answer.status_code}"
                raise RemoteStoreUnavailableError(msg)
            self._compare(answer.headers.get(VERSION, ""))
            if answer.headers.get("Content-Type", "").startswith(LINES):
                async for line in self._lines(answer):
                    if line:
                        self._take(line)
                    yield bool(line)
                return
            whole = await self._connection.body(answer)
        self._take(whole)
        yield True
        await asyncio.sleep(POLL_SECONDS)

    def _compare(self, version: str) -> None:
        """Say once that the store is of another version; requests that it does not know are answered with 404."""
        if version and version != own_version() and version != self._version:
            place = self._connection.url
            self._log.warning("envstore: the store at %s is version %s, this is %s", place, version[:40], own_version())
        self._version = version

    async def _lines(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        rest, seen = bytearray(), 0
        async for piece in self._connection.pieces(answer):
            first, *others = piece.split(b"\n")
            rest += first
            for following in others:
                yield bytes(rest)
                rest = bytearray(following)
            if len(rest) > LARGEST_LINE:
                raise RemoteStoreUnavailableError(self._strange())
            seen += 1
            if seen % TURN == 0:
                await asyncio.sleep(0)  # what is in a buffer comes without a turn of the loop

    def _news(self, said: Any) -> RemoteNews:
        """Return what a line says.

        Raises
        ------
        LookupError, TypeError, ValueError
            It cannot be understood.
        """
        builds = {int(item["id"]): item for item in said["builds"]}
        environments = {int(item["id"]) for item in said["environments"]}
        building = {int(item["environment_id"]) for item in builds.values()}
        completed = {int(item["environment_id"]) for item in builds.values() if item["status"] == "COMPLETED"}
        return RemoteNews(
            int(said["revision"]),
            frozenset(environments),
            frozenset(builds),
            frozenset(int(number) for number in said.get("progress", ())),
            frozenset(environments - building | completed),
            bool(said["reset"]),
        )

    def _take(self, text: bytes) -> None:
        """Tell what a line says.

        Raises
        ------
        RemoteStoreUnavailableError
            It cannot be understood.
        """
        try:
            said = json.loads(text)
            news = self._news(said.get("data", said))
            if not 0 <= news.revision < NEWEST:
                raise RemoteStoreUnavailableError(self._strange())
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise RemoteStoreUnavailableError(self._strange()) from None
        self._revision = news.revision
        if news.reset or news.environments or news.builds or news.progressing:
            self._tell(news)

    def _strange(self) -> str:
        return f"what is at {self._connection.url} does not tell its changes like a store of environments"
