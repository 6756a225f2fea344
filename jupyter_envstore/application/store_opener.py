"""Opens the store behind the server's start: not who starts a server waits for SQLAlchemy, but who asks the store."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_envstore.errors import EnvStoreError, StoreUnavailableError
from jupyter_envstore.server.kernel_environment import give_to_children

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from jupyter_envstore.application.change_watcher import Watcher
    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.kernels.kernel_specs import KernelSpecs
    from jupyter_envstore.policy.access import AccessRules
    from jupyter_envstore.services.store import EnvStore

UNFORESEEN = "something unforeseen happened; the server's log tells what"
AGAIN_SECONDS = 3.0
"""How long a store that could not be opened is left alone: a locked database, or a disk that is away, may pass."""
END_SECONDS = 10.0


class Opening:
    """The part of the extension that opens the store and begins the work in the background, in a thread."""

    log: Any
    server: Any
    pool: ThreadPoolExecutor
    ending: threading.Event
    store_configuration: StoreConfig
    kernel_namespaces: Any
    user_kernels: Any
    store_config: Any
    make_rules: Any
    hand_over: Any
    follow_store: Any
    keep_house: Any

    loop: asyncio.AbstractEventLoop
    opening: asyncio.Future[None] | None = None
    threads: list[threading.Thread]
    trouble = ""
    told = ""
    tried = 0.0
    store: EnvStore
    rules: AccessRules
    kernels: KernelSpecs

    def begin(self) -> asyncio.Future[None]:
        """Begin to open the store, on the loop: once, and again a while after it failed."""
        failed = self.opening is not None and self.opening.done() and bool(self.trouble)
        if self.opening is None or (failed and time.monotonic() - self.tried > AGAIN_SECONDS):
            self.loop = asyncio.get_running_loop()
            self.trouble = ""
            self.opening = self.loop.run_in_executor(self.pool, self.open_or_tell)
        return self.opening

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
        if self.trouble:
            raise StoreUnavailableError(self.trouble)

    def open_or_tell(self) -> None:
        """Open the store. Where that fails, the log says why, and so does the answer to every request."""
        try:
            self.open()
        except EnvStoreError as error:
            self.trouble = str(error)
            if self.told != self.trouble:
                self.log.error("envstore: %s", error)
        except Exception:
            self.trouble = UNFORESEEN
            self.log.exception("envstore: the store cannot be opened")
        self.told = self.trouble
        self.tried = time.monotonic()

    def open(self) -> None:
        """Open the store and begin the work in the background.

        Raises
        ------
        EnvStoreError
            It cannot be opened, or the configuration cannot be used.
        """
        self.store_configuration = self.store_config()
        directory = self.store_configuration.kernels_of(self.kernel_namespaces)
        with without_collections():
            from jupyter_envstore.application.change_watcher import Watcher
            from jupyter_envstore.kernels.kernel_specs import KernelSpecs
            from jupyter_envstore.services.store import EnvStore

            self.store = EnvStore.open(self.store_configuration)
        try:
            self.begin_work(directory, KernelSpecs, Watcher)
        except BaseException:
            self.store.close()
            raise

    def begin_work(self, directory: Path, specs: type[KernelSpecs], watcher: type[Watcher]) -> None:
        """Take what the configuration says of people and kernels, and begin the work in the background.

        Raises
        ------
        EnvStoreError
            The configuration cannot be used.
        """
        self.offer_kernels(directory)
        self.rules = self.make_rules()
        user = Path(jupyter_data_dir()) / "kernels" if self.user_kernels else None
        self.kernels = specs(self.store_configuration, self.store.database, self.kernel_namespaces, user)
        directory.mkdir(parents=True, exist_ok=True)
        rounds = (
            ("scheduler", self.store.scheduler.run),
            ("watcher", watcher(self.store, self.hand_over, self.follow_store).run),
            ("housekeeper", self.keep_house),
        )
        for name, run in rounds:
            thread = threading.Thread(target=run, args=(self.ending,), name=f"envstore-{name}", daemon=True)
            thread.start()
            self.threads.append(thread)

    def announce_kernels(self) -> None:
        """Let this server, and what it starts, find the kernels of the store, before it is open."""
        with contextlib.suppress(EnvStoreError):  # told when the store is opened
            give_to_children(self.store_config().kernels_of(self.kernel_namespaces).parent)

    def offer_kernels(self, directory: Path) -> None:
        """Add our kernelspecs to the server's, where it had looked for its own before it was told of ours."""
        directories = self.server.kernel_spec_manager.kernel_dirs
        if str(directory) not in directories:
            directories.append(str(directory))

    async def close(self) -> None:
        """End the work in the background; workers go on, and are found again at the next start."""
        self.ending.set()
        if self.opening is not None:
            await asyncio.wait({self.opening}, timeout=END_SECONDS)
        for thread in self.threads:
            await asyncio.to_thread(thread.join, 10)
        if self.opening is not None and self.opening.done() and not self.trouble:
            self.store.close()


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
