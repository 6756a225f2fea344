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
    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.server.base import EnvStoreHandler
    from jupyter_envstore.services.store import EnvStore

SEARCH_SECONDS = 60.0
WAIT_SECONDS = 60.0


class Questions:
    """The part of the extension that solves and searches."""

    store: EnvStore
    store_configuration: StoreConfig
    turns: dict[str, asyncio.Semaphore]
    ending: threading.Event

    run: Any

    async def solve(
        self,
        handler: EnvStoreHandler,
        specification: Specification,
        place: tuple[str, str | None] | None = None,
        platform: str = "",
        kept_only: bool = False,
        options: BuildOptions | None = None,
    ) -> dict[str, Any]:
        """Find the conda packages that a specification would install, in a process of its own.

        With ``kept_only`` the indexes are taken as they were read last; no channel is asked. Of ``options``, the
        moment that packages must have been uploaded before counts.
        """
        if specification.lockfile is not None:
            msg = "a lockfile is solved already"
            raise InvalidInputError(msg)
        settings = await self.run(self.store.settings.near, place)
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
        return await self.ask(handler, question, settings, float(settings["conda_max_solve_time"]))

    async def search(
        self,
        handler: EnvStoreHandler,
        package: str,
        channels: Sequence[str],
        platform: str | None,
        versions_of: int = 0,
    ) -> list[dict[str, Any]]:
        """Look for packages in channels, in a process of its own.

        With ``versions_of``, a pattern gives the versions of the first so many names, and not the names.
        """
        settings = await self.run(self.store.settings.effective)
        if platform:
            policy.check_platform(platform)
        await self.run(self.store.channels.check, channels)
        platforms = [platform] if platform else list(settings["conda_platforms"])
        question = {
            "do": "search",
            "package": package,
            "channels": list(channels),
            "platforms": platforms,
            "versions_of": versions_of,
        }
        answer = await self.ask(handler, question, settings, SEARCH_SECONDS)
        found: list[dict[str, Any]] = answer["packages"]
        return found

    async def newest(
        self, handler: EnvStoreHandler, names: Sequence[str], channels: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return the newest package of each name that there is, in their order."""
        settings = await self.run(self.store.settings.effective)
        await self.run(self.store.channels.check, channels)
        question = {"do": "newest", "names": list(names), "channels": list(channels), "platforms": []}
        found: list[dict[str, Any]] = (await self.ask(handler, question, settings, SEARCH_SECONDS))["packages"]
        return found

    async def ask(
        self, handler: EnvStoreHandler, question: dict[str, Any], settings: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Ask a process about channels; it ends when the client goes away."""
        question |= {
            "alias": settings["conda_channel_alias"] or self.store_configuration.channel_alias,
            "defaults": settings["defaults_channel"],
            "default_channels": list(settings["conda_default_channels"]),
            "cache": str(self.store_configuration.packages / "repodata"),
        }
        turn = self.turns["solve" if question["do"] == "solve" else "search"]
        try:
            await asyncio.wait_for(turn.acquire(), min(timeout, WAIT_SECONDS))
        except asyncio.TimeoutError:
            msg = f"others have the server look at channels for more than {min(timeout, WAIT_SECONDS):g} s; try again"
            raise BusyError(msg) from None
        try:
            return await asyncio.to_thread(ask, question, timeout, handler.gone, self.ending)
        finally:
            turn.release()
