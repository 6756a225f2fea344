"""Artifacts that somebody waits for: one look at the store, a few times a second, for all who wait for any."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.database.awaited_artifacts import Standing, Wanted
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads


class ArtifactWaits:
    """Knows who waits for which artifact, and wakes them when nobody works on it any more.

    Who waits costs a future. Who stops waiting (``cancel`` of the task) is forgotten at once.
    """

    PAUSE = 0.05

    def __init__(self, access: StoreAccess, threads: Threads) -> None:
        self._access = access
        self._threads = threads
        self._waiting: dict[Wanted, set[asyncio.Future[None]]] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    async def standing(self, wanted: Wanted) -> Standing:
        """Return how an artifact stands now."""
        found = await self._threads.run(self._access.store.artifacts.standings, [wanted])
        return found[wanted]

    async def settled(self, wanted: Wanted) -> Standing:
        """Wait until a build has ended and nobody makes this artifact of it; return how it stands then."""
        while (standing := await self.standing(wanted)).moves:
            future = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(wanted, set()).add(future)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._look())
            try:
                await future
            finally:
                self._forget(wanted, future)
        return standing

    async def stop(self) -> None:
        """Let all who wait go."""
        for future in [future for futures in self._waiting.values() for future in futures]:
            future.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _forget(self, wanted: Wanted, future: asyncio.Future[None]) -> None:
        futures = self._waiting.get(wanted, set())
        futures.discard(future)
        if not futures:
            self._waiting.pop(wanted, None)

    async def _look(self) -> None:
        """Look as long as anybody waits; what goes wrong with the look is told to all of them."""
        while self._waiting:
            await asyncio.sleep(self.PAUSE)
            try:
                found = await self._threads.run(self._access.store.artifacts.standings, list(self._waiting))
            except Exception as error:  # it is theirs: their requests answer it
                for future in [future for futures in self._waiting.values() for future in futures]:
                    if not future.done():
                        future.set_exception(error)
                await asyncio.sleep(0)
                continue
            for wanted, standing in found.items():
                for future in () if standing.moves else list(self._waiting.get(wanted, ())):
                    if not future.done():
                        future.set_result(None)
