"""Notebooks: what they remember of their environments."""

from __future__ import annotations

from jupyter_envstore.server.base import EnvStoreHandler


class BondHandler(EnvStoreHandler):
    """``build/{build_id}/bond/``"""

    async def get(self, build_id: str) -> None:
        """Return what a notebook that runs in a build remembers of it."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.run(self.store.bonds.of_build, number, self.flag("lock")))


ROUTES = [("build/{build_id}/bond/", BondHandler)]
