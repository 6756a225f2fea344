"""Questions to channels, asked by the server: a few at a time, each in a process that ends with its answer."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from jupyter_envstore import policy
from jupyter_envstore.engine.question_process import ask
from jupyter_envstore.errors import BusyError, InvalidInputError
from jupyter_envstore.policy.setting_values import SettingValues

if TYPE_CHECKING:
    import threading

    from jupyter_envstore.builds.options import BuildOptions
    from jupyter_envstore.engine.question_process import RunQuestion
    from jupyter_envstore.engine.questions import (
        ChannelsOptional,
        ChannelsQuestion,
        NewestQuestion,
        SearchQuestion,
        SolveAnswer,
        SolveQuestion,
    )
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads
    from jupyter_envstore.spec import Specification
    from jupyter_envstore.spec.lock_entries import CondaEntry

T = TypeVar("T")
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
    ) -> SolveAnswer:
        """Find the conda packages that a specification would install.

        ``gone`` is set when nobody waits any more.
        With ``kept_only`` the indexes are taken as they were read last; no channel is asked. Of ``options``, the
        moment that packages must have been uploaded before counts.

        Raises
        ------
        InvalidInputError
            The specification is a lockfile, or the platform is not known.
        BusyError
            The server is busy with other solves.
        EnvStoreError
            The packages cannot be found, or not in time; see :mod:`jupyter_envstore.engine.solve`.
        """
        if specification.lockfile is not None:
            msg = "a lockfile is solved already"
            raise InvalidInputError(msg)
        settings = await self._threads.run(self._access.store.settings.near, place)
        policy.check_platform(platform)
        timeout = settings["conda_max_solve_time"]
        question: SolveQuestion = {
            **self._channels(settings, specification.channels, [platform] if platform else []),
            "do": "solve",
            "specs": list(specification.dependencies),
            "timeout": timeout,
            "kept_only": kept_only,
            "exclude_newer": moment.isoformat() if options and (moment := options.moment) else "",
            "system_requirements": specification.system_requirements,
            "any_channel": bool(specification.channel_priority),
        }
        look = functools.partial(ask, question, timeout, gone, self._ending, run=self._run)
        return await self._in_turn("solve", timeout, look)

    async def search(
        self,
        gone: threading.Event,
        package: str,
        channels: Sequence[str],
        platform: str | None,
        versions_of: int = 0,
    ) -> list[CondaEntry]:
        """Look for packages in channels; a pattern gives their names, and all else of them is empty.

        With ``versions_of``, a pattern gives the versions of the first so many names, and not the names.
        """
        settings = await self._threads.run(self._access.store.settings.effective)
        if platform:
            policy.check_platform(platform)
        await self._threads.run(self._access.store.channels.check, channels)
        platforms = [platform] if platform else settings["conda_platforms"]
        question: SearchQuestion = {
            **self._channels(settings, channels, platforms),
            "do": "search",
            "package": package,
            "versions_of": versions_of,
        }
        look = functools.partial(ask, question, SEARCH_SECONDS, gone, self._ending, run=self._run)
        return (await self._in_turn("search", SEARCH_SECONDS, look))["packages"]

    async def newest(self, gone: threading.Event, names: Sequence[str], channels: Sequence[str]) -> list[CondaEntry]:
        """Return the newest package of each name that there is, in their order."""
        settings = await self._threads.run(self._access.store.settings.effective)
        await self._threads.run(self._access.store.channels.check, channels)
        question: NewestQuestion = {
            **self._channels(settings, channels, []),
            "do": "newest",
            "names": list(names),
        }
        look = functools.partial(ask, question, SEARCH_SECONDS, gone, self._ending, run=self._run)
        return (await self._in_turn("search", SEARCH_SECONDS, look))["packages"]

    @property
    def _run(self) -> RunQuestion | None:
        """Where the processes run."""
        return self._access.store.channels.run_question

    def _channels(self, settings: SettingValues, channels: Sequence[str], platforms: Sequence[str]) -> ChannelsQuestion:
        """Return what every question to channels has."""
        configuration = self._access.configuration
        guarded: ChannelsOptional = (
            {"allowed_addresses": list(configuration.allowed_addresses)}
            if configuration.block_private_addresses
            else {}
        )
        return {
            **guarded,
            "channels": list(channels),
            "platforms": list(platforms),
            "alias": settings["conda_channel_alias"] or configuration.channel_alias,
            "defaults": settings["defaults_channel"],
            "default_channels": settings["conda_default_channels"],
            "cache": str(configuration.packages / "repodata"),
        }

    async def _in_turn(self, kind: Literal["solve", "search"], timeout: float, look: Callable[[], T]) -> T:
        """Ask a process about channels, once it is its turn; it ends when the client goes away."""
        turn = self._turns[kind]
        try:
            await asyncio.wait_for(turn.acquire(), min(timeout, WAIT_SECONDS))
        except asyncio.TimeoutError:
            waited = min(timeout, WAIT_SECONDS)
            msg = f"the server is busy with other solves and searches, for more than {waited:g} s; try again"
            raise BusyError(msg) from None
        try:
            return await asyncio.to_thread(look)
        finally:
            turn.release()
