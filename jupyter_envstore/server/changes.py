"""What changed since a revision, of what the caller may see; told once, or as it happens."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from jupyter_envstore.remote.headers import LINES
from jupyter_envstore.server.base import EnvStoreHandler

if TYPE_CHECKING:
    from jupyter_envstore.server.change_feed import ChangeFollower
    from jupyter_envstore.services.values import FollowedThings

FOLLOW_SECONDS = 50.0
"""How long changes are followed by one request: who may see what is found out anew for the next."""
BEAT_SECONDS = 15.0
"""How long nothing is said at most: proxies cut connections that say nothing, nginx after 60 s."""


class ChangesHandler(EnvStoreHandler):
    """``changes/``"""

    async def get(self) -> None:
        """List the environments and builds that changed since revision ``since``; ``reset`` when too much is gone.

        With ``follow=true`` each line is such a list, sent when something happens, until the server ends the answer.
        """
        since = self.whole_number("since", 0, 0, 2**53)
        if not self.flag("follow"):
            self.answer(await self.run(self.store.changes.since, self.identity, since))
            return
        self.set_header("Content-Type", LINES)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # proxies shall pass it on as it comes
        feed = self.context.change_feed
        follower = self._follower = feed.join(self.identity)
        try:
            known = await self.run(self.store.changes.since, self.identity, since)
            follower.begin_at(known["revision"])
            await self._follow(follower, {**known, "progress": []})
        finally:
            feed.leave(follower)

    async def _follow(self, follower: ChangeFollower, first: FollowedThings) -> None:
        news: FollowedThings | None = first
        ending = asyncio.get_running_loop().time() + FOLLOW_SECONDS
        while not self.gone.is_set():
            self.write(json.dumps(news) + "\n" if news else "\n")
            if await self.moved_on():
                return
            left = ending - asyncio.get_running_loop().time()
            if left <= 0:
                self.send_text(b"", LINES)
                return
            news = await follower.next(min(BEAT_SECONDS, left))

    _follower: ChangeFollower | None = None

    def on_connection_close(self) -> None:
        """Follow no more: the client is gone."""
        super().on_connection_close()
        if self._follower is not None:
            self._follower.wake()


ROUTES = [("changes/", ChangesHandler)]
