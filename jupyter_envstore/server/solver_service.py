"""Questions to channels, asked by the server: a few at a time, each in a process that ends with its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyter_envstore import policy
from jupyter_envstore.engine.question_process import ask
from jupyter_envstore.errors import BusyError, InvalidInputError
from jupyter_envstore.spec import Specification

if TYPE_CHECKING:
    import threading

    from jupyter_envstore.builds.options import BuildOptions
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

SEARCH_SECONDS = 60.0
WAIT_SECONDS = 60.0


SOLVES = 2
"""How many solves, and how many searches, run at once."""


class SolverService:
    """Solves and searches. Each question is answered by a process of its own, which ends when the client goes away.

    Parameters
    ----------
    ending : threading.Event
        Set when the server ends.
    """

    def __init__(self, access: StoreAccess, threads: Threads, ending: threading.Event) -> None:
        self._access = access
        self._threads = threads
        self._ending = ending
        self._turns = {"solve": asyncio.Semaphore(SOLVES), "search": asyncio.Semaphore(SOLVES)}

    async def solve(
        self,
        gone: threading.Event,
        specification: Specification,
        place: tuple[str, str | None] | None = None,
        platform: str = "",
        kept_only: bool = False,
        options: BuildOptions | None = None,
    ) -> dict[str, Any]:
        """Find the conda packages that a specification would install.

        ``gone`` is set when nobody waits any more.
        With ``kept_only`` the indexes are taken as they were read last; no channel is asked. Of ``options``, the
        moment that packages must have been uploaded before counts.
        """
        if specification.lockfile is not None:
            msg = "a lockfile is solved already"
            raise InvalidInputError(msg)
        settings = await self._threads.run(self._access.store.settings.near, place)
        policy.check_platform(platform)
        question = {
            "do": "solve",
            "specs": list(specification.dependencies),
            "channels": list(specification.channels),
            "platforms": [platform] if platform else [],
            "timeout": float(settings["conda_max_solve_time"]),
            "kept_only": kept_only,
            "exclude_newer": moment.isoformat() if options and (moment := options.moment) else "",
            "system_requirements": specification.system_requirements,
            "any_channel": bool(specification.channel_priority),
        }
        return await self._ask(gone, question, settings, float(settings["conda_max_solve_time"]))

    async def search(
        self,
        gone: threading.Event,
        package: str,
        channels: Sequence[str],
        platform: str | None,
        versions_of: int = 0,
    ) -> list[dict[str, Any]]:
        """Look for packages in channels.

        With ``versions_of``, a pattern gives the versions of the first so many names, and not the names.
        """
        settings = await self._threads.run(self._access.store.settings.effective)
        if platform:
            policy.check_platform(platform)
        await self._threads.run(self._access.store.channels.check, channels)
        platforms = [platform] if platform else list(settings["conda_platforms"])
        question = {
            "do": "search",
            "package": package,
            "channels": list(channels),
            "platforms": platforms,
            "versions_of": versions_of,
        }
        answer = await self._ask(gone, question, settings, SEARCH_SECONDS)
        found: list[dict[str, Any]] = answer["packages"]
        return found

    async def newest(
        self, gone: threading.Event, names: Sequence[str], channels: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return the newest package of each name that there is, in their order."""
        settings = await self._threads.run(self._access.store.settings.effective)
        await self._threads.run(self._access.store.channels.check, channels)
        question = {"do": "newest", "names": list(names), "channels": list(channels), "platforms": []}
        found: list[dict[str, Any]] = (await self._ask(gone, question, settings, SEARCH_SECONDS))["packages"]
        return found

    async def _ask(
        self, gone: threading.Event, question: dict[str, Any], settings: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Ask a process about channels; it ends when the client goes away."""
        question |= {
            "alias": settings["conda_channel_alias"] or self._access.configuration.channel_alias,
            "defaults": settings["defaults_channel"],
            "default_channels": list(settings["conda_default_channels"]),
            "cache": str(self._access.configuration.packages / "repodata"),
        }
        turn = self._turns["solve" if question["do"] == "solve" else "search"]
        try:
            await asyncio.wait_for(turn.acquire(), min(timeout, WAIT_SECONDS))
        except asyncio.TimeoutError:
            waited = min(timeout, WAIT_SECONDS)
            msg = f"the server is busy with other solves and searches, for more than {waited:g} s; try again"
            raise BusyError(msg) from None
        try:
            return await asyncio.to_thread(ask, question, timeout, gone, self._ending)
        finally:
            turn.release()
