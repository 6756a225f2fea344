"""What a server elsewhere makes kernels of."""

from __future__ import annotations

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.server.base import EnvStoreHandler

MOST = 200
"""How many environments or builds can be asked for by their ids."""


class KernelBuildsHandler(EnvStoreHandler):
    """``kernel/``"""

    async def get(self) -> None:
        """List the active builds of all environments that the caller may read, or of those with certain ids.

        With ids of builds, these are listed, active or not.
        """
        self.require_login()
        environments, builds = self._ids("environment"), self._ids("build")
        if builds and environments:
            msg = "ask for environments or for builds, not for both"
            raise InvalidInputError(msg)
        if builds:
            self.answer(await self.run(self.store.kernel_builds.named, self.identity, builds))
        else:
            self.answer(await self.run(self.store.kernel_builds.active, self.identity, environments or None))

    def _ids(self, kind: str) -> list[int]:
        """Return the ids that the query names.

        Raises
        ------
        InvalidInputError
            One is none, or there are too many.
        """
        named = self.get_query_arguments(f"{kind}_id")
        if len(named) > MOST:
            msg = f"at most {MOST} {kind}s can be asked for"
            raise InvalidInputError(msg)
        return [self.read_id(text, kind) for text in named]


ROUTES = [("kernel/", KernelBuildsHandler)]
