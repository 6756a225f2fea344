"""What could be freed on the store's disk: looked for once in some minutes, however many ask."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.builds.retention import Plan
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

PLAN_SECONDS = 300.0
"""How long a plan is given to all who ask: making one walks through the caches."""


class RetentionPlan:
    """Makes the plan, and carries it out."""

    def __init__(self, access: StoreAccess, threads: Threads) -> None:
        self._access = access
        self._threads = threads
        self._planned: tuple[float, asyncio.Future[Plan]] | None = None

    async def show(self) -> Plan:
        """Return what could be freed, as of the last minutes."""
        if self._planned is None or time.monotonic() - self._planned[0] > PLAN_SECONDS:
            made = self._threads.run_slowly(self._access.store.retention.collect, True)
            self._planned = (time.monotonic(), asyncio.ensure_future(made))
        try:
            return await asyncio.shield(self._planned[1])
        except Exception:
            self._planned = None
            raise

    async def carry_out(self, who: str) -> Plan:
        """Free what the retention settings do not want kept; the next plan is made anew."""
        plan = await self._threads.run_slowly(self._access.store.retention.free, who)
        self._planned = None
        return plan
