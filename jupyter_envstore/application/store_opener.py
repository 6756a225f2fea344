"""Opens the store after the server has started: the start itself does not wait for the database."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from jupyter_envstore.errors import EnvStoreError, InvalidInputError, StoreUnavailableError

if TYPE_CHECKING:
    import logging
    from concurrent.futures import ThreadPoolExecutor

    from jupyter_envstore.application.background_work import FollowingKernels, OpenedStore
    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.policy.access import AccessRules
    from jupyter_envstore.services.interfaces import Store

UNFORESEEN = "something unforeseen happened; the server's log tells what"
AGAIN_SECONDS = 3.0
"""How long a store that could not be opened is left alone: a locked database, or a disk that is away, may pass."""
END_SECONDS = 10.0


class StoreOpener:
    """Opens the store in a thread, once, and again a while after it failed.

    It is the :class:`~jupyter_envstore.server.store_access.StoreAccess` of handlers.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Where the store is opened.
    open_store : callable
        Opens the store and begins the work in the background; told the loop that the server runs on.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        open_store: Callable[[asyncio.AbstractEventLoop], OpenedStore],
        log: logging.Logger,
    ) -> None:
        self._pool = pool
        self._open_store = open_store
        self._log = log
        self._opening: asyncio.Future[None] | None = None
        self._opened: OpenedStore | None = None
        self._trouble = self._told = ""
        self.misconfigured = ""
        """What in the configuration has to be changed before the store can be opened; empty for nothing."""
        self._tried = 0.0

    @property
    def store(self) -> Store:
        """The open store."""
        return self._found().store

    @property
    def rules(self) -> AccessRules:
        """What the configuration says about people and tokens."""
        return self._found().rules

    @property
    def kernels(self) -> FollowingKernels:
        """The kernels that this server offers."""
        return self._found().kernels

    @property
    def configuration(self) -> StoreConfig:
        """The configuration that the store was opened with."""
        return self._found().configuration

    def _found(self) -> OpenedStore:
        if self._opened is None:
            raise StoreUnavailableError(self._trouble or "the store is being opened; try again")
        return self._opened

    def begin(self) -> asyncio.Future[None]:
        """Begin to open the store, on the loop."""
        failed = self._opening is not None and self._opening.done() and bool(self._trouble)
        if self._opening is None or (failed and time.monotonic() - self._tried > AGAIN_SECONDS):
            loop = asyncio.get_running_loop()
            self._trouble = ""
            self._opening = loop.run_in_executor(self._pool, self._open_or_tell, loop)
        return self._opening

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened.
        """
        opening = self.begin()
        if not opening.done():
            await asyncio.shield(opening)
        if self._trouble:
            raise StoreUnavailableError(self._trouble)

    def _open_or_tell(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the store. Where that fails, the log says why, and so does the answer to every request."""
        try:
            self._opened = self._open_store(loop)
        except EnvStoreError as error:
            self._trouble = str(error)
            if isinstance(error, InvalidInputError):
                self.misconfigured = str(error)
            if self._told != self._trouble:
                self._log.error("envstore: %s", error)
        except Exception:
            self._trouble = UNFORESEEN
            self._log.exception("envstore: the store cannot be opened")
        self._told = self._trouble
        self._tried = time.monotonic()

    async def close(self) -> None:
        """End the work in the background; workers go on, and are found again at the next start."""
        if self._opening is not None:
            await asyncio.wait({self._opening}, timeout=END_SECONDS)
        if self._opened is not None and not self._trouble:
            await self._opened.close()


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Import modules without full collections in between, and keep later ones from walking through what came to stay.

    Each would hold up the loop for 0.1 to 0.3 s: thousands of objects come at once, and none of them goes.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
