"""The store of this machine behind the server extension: opened, watched, served, its kernels offered."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_envstore.application.handler_context import make_context
from jupyter_envstore.application.store_opener import StoreOpener, without_collections
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.server.context import SETTING
from jupyter_envstore.server.kernel_environment import (
    KernelEnvironment,
    OwnKernelTokens,
    give_to_children,
    offer_kernels,
)
from jupyter_envstore.server.registry import ROUTES as REGISTRY_ROUTES
from jupyter_envstore.server.registry_server import RegistryServer
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.threads import Threads

if TYPE_CHECKING:
    import logging

    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.background_work import OpenedStore
    from jupyter_envstore.application.change_events import ChangeEvents
    from jupyter_envstore.application.change_watcher import News
    from jupyter_envstore.application.serving_configuration import ServingTraits
    from jupyter_envstore.services.store import EnvStore


@dataclass(frozen=True)
class KernelOptions:
    """What the configuration says of kernels.

    Parameters
    ----------
    namespaces : tuple of str
        Namespaces whose environments become kernels; empty for all.
    for_user : bool
        Whether they are linked into the user's own Jupyter directory too.
    token_hours : float
        How long the token of a kernel holds, in hours; 0 hands out none.
    """

    namespaces: tuple[str, ...]
    for_user: bool
    token_hours: float


class OwnStore:
    """Serves the store of this machine.

    Parameters
    ----------
    traits : ServingTraits
        The configuration.
    server : ServerApp
        The server that it is served by.
    events : ChangeEvents
        Told of what changes in the store.
    """

    def __init__(
        self,
        traits: ServingTraits,
        kernels: KernelOptions,
        server: ServerApp,
        events: ChangeEvents,
        log: logging.Logger,
    ) -> None:
        self._traits = traits
        self._kernels = kernels
        self._server = server
        self._events = events
        self._log = log
        self._ending = threading.Event()
        self._registry: RegistryServer | None = None
        self._threads = Threads()
        self._opener = StoreOpener(self._threads.pool, self._open, self._log)
        self._context = make_context(traits, self._opener, self._threads, self._ending, server.base_url, self._log)
        server.web_app.settings[SETTING] = self._context
        with contextlib.suppress(EnvStoreError):  # told when the store is opened
            give_to_children(traits.store_config().kernels_of(kernels.namespaces).parent)
        tokens = OwnKernelTokens(self._opener, self._threads, self._context.identities, kernels.token_hours)
        root, url = lambda: self._opener.configuration.root, lambda: str(server.connection_url)
        KernelEnvironment(tokens, root, url).install(server.kernel_manager)

    @property
    def routes(self) -> list[tuple[str, type[Any]]]:
        """What is served, below the server's base URL."""
        return [*routes(), *(REGISTRY_ROUTES if self._context.registry.at_root else [])]

    def begin(self) -> None:
        """Begin to open the store, once the loop runs."""
        self._opener.begin()
        self._registry = RegistryServer(
            self._traits.registry_options(),
            self._context.registry,
            self._server.web_app.settings,
            self._log,
            getattr(self._server, "http_server", None),
        )
        self._registry.start()

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened.
        """
        await self._opener.ready()

    async def stop(self) -> None:
        """End the work in the background."""
        self._ending.set()
        await self._context.artifact_waits.stop()
        if self._registry is not None:
            await self._registry.stop()
        await self._opener.close()
        self._threads.stop()

    def _open(self, loop: asyncio.AbstractEventLoop) -> OpenedStore:
        """Open the store and begin the work in the background; in a thread, since it imports much."""
        traits, namespaces = self._traits, self._kernels.namespaces
        configuration = traits.store_config()
        with without_collections():
            from jupyter_envstore.application.background_work import OpenedStore
            from jupyter_envstore.kernels.kernel_specs import KernelSpecs
            from jupyter_envstore.kernels.stored_builds import StoredBuilds
        user = Path(jupyter_data_dir()) / "kernels" if self._kernels.for_user else None
        offer_kernels(self._server.kernel_spec_manager, str(configuration.kernels_of(namespaces)))

        def kernels_of(store: EnvStore) -> KernelSpecs:
            found = KernelSpecs(configuration, StoredBuilds(configuration, store.database), namespaces, user)
            found.make_folders()
            return found

        opened = OpenedStore(configuration, traits.make_rules, kernels_of, self._ending)
        opened.begin(loop, self._tell, traits.collect_hours, self._log)
        return opened

    def _tell(self, news: News) -> None:
        self._context.change_feed.tell(news.revision, news.changed, news.progressing)
        self._events.tell(news)
