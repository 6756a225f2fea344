"""EnvStoreApp: configuration in, the wired server extension out."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, List, Unicode, default

from jupyter_envstore import __version__
from jupyter_envstore.application.change_events import ChangeEvents
from jupyter_envstore.application.handler_context import make_context
from jupyter_envstore.application.serving_configuration import ServingTraits
from jupyter_envstore.application.store_opener import StoreOpener, without_collections
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.server.context import SETTING
from jupyter_envstore.server.kernel_environment import KernelEnvironment, give_to_children
from jupyter_envstore.server.registry import ROUTES as REGISTRY_ROUTES
from jupyter_envstore.server.registry_server import RegistryServer
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.threads import Threads

if TYPE_CHECKING:
    import asyncio

    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.background_work import OpenedStore
    from jupyter_envstore.services.store import EnvStore

LAPTOP = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
"""Jupyter's own identity providers: who holds the token or password is the one user."""


class EnvStoreApp(ServingTraits, ExtensionApp):
    """Environments that can be shared and brought back exactly."""

    name = "envstore"
    extension_url = "/envstore/tokens"
    load_other_extensions = True
    description = __doc__ or ""
    version = __version__

    kernel_namespaces = List(
        Unicode(),
        help="Namespaces whose environments become kernels of this server; * stands for any characters. Everybody who "
        "may use the server sees its kernels. Default: all.",
    ).tag(config=True)
    user_kernels = Bool(
        False,
        help="Whether the kernels are linked into the user's own Jupyter directory too, so that everything that the "
        "user runs finds them, not only what this server starts.",
    ).tag(config=True)
    kernel_token_hours = Float(
        24.0 * 7,
        min=0.0,
        help="How long the token that a kernel is started with holds, in hours; 0 hands out none. It may look, "
        "download and build where its user may.",
    ).tag(config=True)

    @default("shared")
    def _default_shared(self) -> bool:
        provider = self.serverapp.identity_provider if self.serverapp else None
        return type(provider) not in LAPTOP

    @default("admins")
    def _default_admins(self) -> set[str]:
        return {self.account_owner} if self.account_owner else set()

    @property
    def account_owner(self) -> str:
        """The owner of a JupyterHub server; empty elsewhere."""
        return os.environ.get("JUPYTERHUB_USER", "")

    @property
    def listen_ip(self) -> str:
        """The address that the server listens on."""
        return str(self.server.ip)

    # -- what it is made of ------------------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """Register the events' schemas and put together what requests share. The store opens once the server runs."""
        self.ending = threading.Event()
        self.registry_server: RegistryServer | None = None
        self.threads = Threads()
        self.opener = StoreOpener(self.threads.pool, self._open_store, self.log)
        self.changes = ChangeEvents(self.events, self.server.web_app.settings, self.log)
        self.context = make_context(self, self.opener, self.threads, self.ending, self.server.base_url, self.log)
        self.server.web_app.settings[SETTING] = self.context
        for path in sorted((Path(__file__).parent / "events").glob("*.yaml")):
            self.events.register_event_schema(path)
        with contextlib.suppress(EnvStoreError):  # told when the store is opened
            give_to_children(self.store_config().kernels_of(self.kernel_namespaces).parent)
        kernels = KernelEnvironment(
            self.opener,
            self.threads,
            self.context.identities,
            lambda: str(self.server.connection_url),
            self.kernel_token_hours,
        )
        kernels.install(self.server.kernel_manager)

    @property
    def server(self) -> ServerApp:
        """The server that this is an extension of."""
        assert self.serverapp is not None  # noqa: S101 - for the type checker
        return self.serverapp

    @property
    def events(self) -> EventLogger:
        """Where events are emitted."""
        assert self.server.event_logger is not None  # noqa: S101 - for the type checker
        return self.server.event_logger

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(routes())
        if self.context.registry.at_root:
            self.handlers.extend(REGISTRY_ROUTES)

    def _open_store(self, loop: asyncio.AbstractEventLoop) -> OpenedStore:
        """Open the store and begin the work in the background; in a thread, since it imports much."""
        configuration = self.store_config()
        with without_collections():
            from jupyter_envstore.application.background_work import OpenedStore
            from jupyter_envstore.kernels.kernel_specs import KernelSpecs
        user = Path(jupyter_data_dir()) / "kernels" if self.user_kernels else None
        self._offer_kernels(str(configuration.kernels_of(self.kernel_namespaces)))

        def kernels_of(store: EnvStore) -> KernelSpecs:
            found = KernelSpecs(configuration, store.database, self.kernel_namespaces, user)
            found.make_folders()
            return found

        opened = OpenedStore(configuration, self.make_rules, kernels_of, self.ending)
        opened.begin(loop, self.changes.tell, self.collect_hours, self.log)
        return opened

    def _offer_kernels(self, directory: str) -> None:
        """Add our kernelspecs to the server's, where it had looked for its own before it was told of ours."""
        manager = self.server.kernel_spec_manager
        assert manager is not None  # noqa: S101 - for the type checker
        directories = manager.kernel_dirs
        if directory not in directories:
            directories.append(directory)

    # -- its life ----------------------------------------------------------------------------------------------------

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        """Begin to open the store, once the loop runs."""
        self.opener.begin()
        self.registry_server = RegistryServer(
            self.registry_options(),
            self.context.registry,
            self.server.web_app.settings,
            self.log,
            getattr(self.server, "http_server", None),
        )
        self.registry_server.start()

    async def stop_extension(self) -> None:
        """End the work in the background."""
        self.ending.set()
        await self.context.artifact_waits.stop()
        if self.registry_server is not None:
            await self.registry_server.stop()
        await self.opener.close()
        self.threads.stop()

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened.
        """
        await self.opener.ready()

    def current_activity(self) -> dict[str, int] | None:
        """Tell Jupyter's own shutdown of builds that run, so that it waits for them."""
        return {"jobs": self.changes.working} if self.changes.working else None
