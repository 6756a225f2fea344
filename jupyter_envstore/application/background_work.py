"""A store that is open in a server: what the server does for it in the background."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from jupyter_envstore.application.change_watcher import ChangeWatcher, News
from jupyter_envstore.application.housekeeper import Housekeeper
from jupyter_envstore.server.store_access import Kernels
from jupyter_envstore.services.store import EnvStore

if TYPE_CHECKING:
    import logging

    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.policy.access import AccessRules

JOIN_SECONDS = 10.0


class FollowingKernels(Kernels, Protocol):
    """Kernels that follow the store."""

    def sync(self) -> None:
        """Write what is new, remove what is gone."""


class OpenedStore:
    """A store with its kernels and rules, and the threads that work on it: scheduler, change watcher, housekeeper.

    Parameters
    ----------
    make_rules : callable
        Returns the rules of access, given the namespace of who has no other.
    make_kernels : callable
        Returns the kernels that the server offers, given the store.
    ending : threading.Event
        Ends the threads.

    Raises
    ------
    EnvStoreError
        The store cannot be opened, or the configuration cannot be used.
    """

    def __init__(
        self,
        configuration: StoreConfig,
        make_rules: Callable[[str], AccessRules],
        make_kernels: Callable[[EnvStore], FollowingKernels],
        ending: threading.Event,
    ) -> None:
        self.configuration = configuration
        self.store = EnvStore.open(configuration)
        self._ending = ending
        self._threads: list[threading.Thread] = []
        try:
            self.rules = make_rules(self.store.settings.effective()["default_namespace"])
            self.kernels = make_kernels(self.store)
        except BaseException:
            self.store.close()
            raise

    def begin(
        self,
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[News], None],
        collect_hours: float,
        log: logging.Logger,
    ) -> None:
        """Begin the work in the background; ``tell`` is called on the loop with what changed."""

        def hand_over(news: News) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(tell, news)

        rounds = (
            ("scheduler", self.store.scheduler.run),
            ("watcher", ChangeWatcher(self.store, hand_over, self.follow).run),
            ("housekeeper", Housekeeper(self.store, collect_hours, log).run),
        )
        for name, run in rounds:
            thread = threading.Thread(target=run, args=(self._ending,), name=f"envstore-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def follow(self) -> None:
        """Bring what depends on the store up to date: kernels, and the namespace of who has no other."""
        self.kernels.sync()
        wanted = self.store.settings.effective()["default_namespace"]
        if wanted != self.rules.default_namespace:
            self.rules = replace(self.rules, default_namespace=wanted)

    async def close(self) -> None:
        """Wait for the threads, which have been told to end, and close the store; workers go on."""
        for thread in self._threads:
            await asyncio.to_thread(thread.join, JOIN_SECONDS)
        await asyncio.to_thread(self.store.close)
