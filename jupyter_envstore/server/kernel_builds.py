"""What a server elsewhere makes kernels of."""

from __future__ import annotations

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.server.base import EnvStoreHandler

MOST = 200
"""How many environments can be asked for by their ids."""


class KernelBuildsHandler(EnvStoreHandler):
    """``kernel/``"""

    async def get(self) -> None:
        """List the active builds of all environments that the caller may read, or of those with certain ids."""
        self.require_login()
        named = self.get_query_arguments("environment_id")
        if len(named) > MOST:
            msg = f"at most {MOST} environments can be asked for; without any, all are listed"
            raise InvalidInputError(msg)
        ids = [self.read_id(text, "environment") for text in named] or None
        self.answer(await self.run(self.store.kernel_builds.active, self.identity, ids))


ROUTES = [("kernel/", KernelBuildsHandler)]
