"""What changed since a revision, of what the caller may see."""

from __future__ import annotations

from jupyter_envstore.server.base import EnvStoreHandler


class ChangesHandler(EnvStoreHandler):
    """``changes/``"""

    async def get(self) -> None:
        """List the environments and builds that changed since revision ``since``; ``reset`` when too much is gone."""
        since = self.whole_number("since", 0, 0, 2**53)
        self.answer(await self.run(self.store.changes.since, self.identity, since))


ROUTES = [("changes/", ChangesHandler)]
