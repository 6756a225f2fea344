"""EnvStoreApp: configuration in, the wired server extension out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, List, Unicode, default

from jupyter_envstore import __version__
from jupyter_envstore.application.change_events import ChangeEvents
from jupyter_envstore.application.own_store import KernelOptions, OwnStore
from jupyter_envstore.application.remote_configuration import RemoteTraits
from jupyter_envstore.application.serving_configuration import ServingTraits
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.server.forwarding import EVERYBODY, LentTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

LAPTOP = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
"""Jupyter's own identity providers: who holds the token or password is the one user."""


class ServedStore(Protocol):
    """The store that the extension serves: that of this machine, or one elsewhere."""

    @property
    def routes(self) -> Sequence[tuple[Any, ...]]:
        """What is served, below the server's base URL."""

    def begin(self) -> None:
        """Begin the work in the background, once the loop runs."""

    async def ready(self) -> None:
        """Wait until it can be used.

        Raises
        ------
        StoreUnavailableError
            It cannot be used.
        """

    async def stop(self) -> None:
        """End the work in the background."""


class EnvStoreApp(ServingTraits, RemoteTraits, ExtensionApp):
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
        """Register the events' schemas and wire the store, here or elsewhere. It opens once the server runs."""
        for path in sorted((Path(__file__).parent / "events").glob("*.yaml")):
            self.events.register_event_schema(path)
        self.changes = ChangeEvents(self.events, self.server.web_app.settings, self.log)
        try:
            self.served: ServedStore = self._store_elsewhere() if self.remote_url else self._own_store()
        except EnvStoreError as error:
            from jupyter_envstore.application.unusable_store import UnusableStore

            self.log.error("envstore: %s", error)
            self.served = UnusableStore(str(error))

    def _own_store(self) -> ServedStore:
        return OwnStore(self, self._kernel_options, self.server, self.changes, self.log)

    @property
    def _kernel_options(self) -> KernelOptions:
        return KernelOptions(tuple(self.kernel_namespaces), self.user_kernels, self.kernel_token_hours)

    def _store_elsewhere(self) -> ServedStore:
        """Return the store that this server is a client of.

        Raises
        ------
        InvalidInputError
            The configuration cannot be used.
        """
        from jupyter_envstore.application.store_elsewhere import RemoteOptions, StoreElsewhere

        client = self.client_of(self.remote_url, self.store_config())
        options = RemoteOptions(client, self.credential_of(client), self._lends_login, self._kernel_options)
        return StoreElsewhere(options, self.server, self.changes, self.log)

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
        self.handlers.extend(self.served.routes)

    @property
    def _lends_login(self) -> LentTo:
        """To whom this server lends its login to a store elsewhere."""
        if self.account_owner:
            return LentTo(self.account_owner)
        return LentTo("") if self.shared else LentTo(EVERYBODY)

    # -- its life ----------------------------------------------------------------------------------------------------

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        """Begin to open the store, once the loop runs."""
        self.served.begin()

    async def stop_extension(self) -> None:
        """End the work in the background."""
        await self.served.stop()

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened, or reached.
        """
        await self.served.ready()

    def current_activity(self) -> dict[str, int] | None:
        """Tell Jupyter's own shutdown of builds that run, so that it waits for them."""
        return {"jobs": self.changes.working} if self.changes.working else None
