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
from jupyter_server.utils import url_path_join
from traitlets import Bool, Dict, Float, Integer, List, Set, Unicode, default
from traitlets import Callable as CallableTrait

from jupyter_envstore import __version__
from jupyter_envstore.application.access_configuration import access_rules
from jupyter_envstore.application.change_events import ChangeEvents
from jupyter_envstore.application.configuration import StoreTraits
from jupyter_envstore.application.store_opener import StoreOpener, without_collections
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.server.artifact_waits import ArtifactWaits
from jupyter_envstore.server.context import SETTING, ServerContext
from jupyter_envstore.server.download_notes import DownloadNotes
from jupyter_envstore.server.identities import Identities
from jupyter_envstore.server.image_waits import ImageWaits
from jupyter_envstore.server.kernel_environment import KernelEnvironment, give_to_children
from jupyter_envstore.server.log_feeds import LogFeeds
from jupyter_envstore.server.registry import ROUTES as REGISTRY_ROUTES
from jupyter_envstore.server.registry_address import RegistryAddress, RegistryOptions
from jupyter_envstore.server.registry_server import RegistryServer
from jupyter_envstore.server.retention_plan import RetentionPlan
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.solver_service import SolverService
from jupyter_envstore.server.specification_reader import SpecificationReader
from jupyter_envstore.server.threads import Threads

if TYPE_CHECKING:
    import asyncio

    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.background_work import OpenedStore
    from jupyter_envstore.policy.access import AccessRules

LAPTOP = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
"""Jupyter's own identity providers: who holds the token or password is the one user."""


class EnvStoreApp(StoreTraits, ExtensionApp):
    """Environments that can be shared and brought back exactly."""

    name = "envstore"
    extension_url = "/envstore/tokens"
    load_other_extensions = True
    description = __doc__ or ""
    version = __version__

    shared = Bool(
        help="Whether several people use this store. If not, whoever is logged in is its one user and may do "
        "everything. Default: no with Jupyter's own identity providers (token, password), yes with any other."
    ).tag(config=True)
    admins = Set(
        Unicode(),
        help="Names of people, or group:NAME, who may do everything in a shared store. "
        "Default: the owner of a JupyterHub server.",
    ).tag(config=True)
    role_bindings = Dict(
        help="What people may do in a shared store: the name of a person, group:NAME, or * for everybody who is "
        'logged in, to {"namespace/name": ["viewer", "developer" or "admin"]}; * stands for any name.'
    ).tag(config=True)
    unauthenticated_role_bindings = Dict(
        help="What may be done without logging in: entity to roles. Default: nothing."
    ).tag(config=True)
    predefined_tokens = Dict(
        help='Tokens for services and for pulling images: token to {"primary_namespace": "...", '
        '"role_bindings": {entity: [roles]}, "name": "..."}. Make them long and random.'
    ).tag(config=True)
    identity_mapper: Any = CallableTrait(
        None,
        allow_none=True,
        help="Function of jupyter_server's User that returns a stable name, or a name and a list of groups. "
        "Default: the account's own name for one person, the user name for several.",
    ).tag(config=True)

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

    artifact_wait_seconds = Float(
        50.0,
        min=0.0,
        help="How long a download waits for an artifact that is being made, in seconds; then it is told to ask again. "
        "Keep it below the limit of proxies in front, which cut a connection that says nothing: 60 seconds in nginx.",
    ).tag(config=True)

    docker_registry_url = Unicode(
        "",
        help="Host, and port where it has one, that addresses of images show: hub.example:5000. Default: that of the "
        "request, where the server or its registry can be reached at the root of it.",
    ).tag(config=True)
    docker_registry_port = Integer(
        0,
        min=0,
        max=65_535,
        help="Port of its own for the Docker registry, which Docker needs where the server stands behind a path, as "
        "those of a JupyterHub do. 0: none; the registry is at /v2/ of the server itself.",
    ).tag(config=True)
    docker_registry_ip = Unicode("", help="Address that this port listens on. Default: that of the server.").tag(
        config=True
    )
    docker_registry_certfile = Unicode(
        "", help="Certificate of the registry on its own port, for TLS: Docker takes plain HTTP from localhost alone."
    ).tag(config=True)
    docker_registry_keyfile = Unicode("", help="Key of that certificate.").tag(config=True)

    collect_hours = Float(
        6.0,
        min=0.0,
        help="How often the server frees what the retention settings do not keep, in hours; 0 never, so that only "
        "jupyter envstore gc does.",
    ).tag(config=True)

    @default("shared")
    def _default_shared(self) -> bool:
        provider = self.serverapp.identity_provider if self.serverapp else None
        return type(provider) not in LAPTOP

    @default("admins")
    def _default_admins(self) -> set[str]:
        owner = os.environ.get("JUPYTERHUB_USER")
        return {owner} if owner else set()

    # -- what it is made of ------------------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """Register the events' schemas and put together what requests share. The store opens once the server runs."""
        self.ending = threading.Event()
        self.registry_server: RegistryServer | None = None
        self.threads = Threads()
        self.opener = StoreOpener(self.threads.pool, self._open_store, self.log)
        self.changes = ChangeEvents(self.events, self.server.web_app.settings, self.log)
        self.context = self._make_context()
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

    def _make_context(self) -> ServerContext:
        """Return what handlers are given."""
        opener, threads = self.opener, self.threads
        artifact_waits = ArtifactWaits(opener, threads)
        return ServerContext(
            access=opener,
            threads=threads,
            identities=Identities(opener, threads, self.identity_mapper),
            solver=SolverService(opener, threads, self.ending),
            specifications=SpecificationReader(opener, threads, self.ending),
            artifact_waits=artifact_waits,
            image_waits=ImageWaits(opener, threads, artifact_waits),
            log_feeds=LogFeeds(opener, threads, self.log),
            registry=RegistryAddress(self._registry_options(), self.server.base_url),
            retention_plan=RetentionPlan(opener, threads),
            download_notes=DownloadNotes(),
            api_url=url_path_join(self.server.base_url, "envstore/api/v1/"),
            artifact_wait_seconds=self.artifact_wait_seconds,
        )

    def _registry_options(self) -> RegistryOptions:
        return RegistryOptions(
            url=self.docker_registry_url,
            port=self.docker_registry_port,
            ip=self.docker_registry_ip or self.server.ip,
            certfile=self.docker_registry_certfile,
            keyfile=self.docker_registry_keyfile,
        )

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

    def make_rules(self, default_namespace: str) -> AccessRules:
        """Return what the configuration says about people and tokens.

        Raises
        ------
        InvalidInputError
            A name, a role or an entity in it cannot be used.
        """
        return access_rules(
            self.shared,
            default_namespace,
            self.admins,
            self.role_bindings,
            self.unauthenticated_role_bindings,
            self.predefined_tokens,
            os.environ.get("JUPYTERHUB_USER", ""),
        )

    def _open_store(self, loop: asyncio.AbstractEventLoop) -> OpenedStore:
        """Open the store and begin the work in the background; in a thread, since it imports much."""
        configuration = self.store_config()
        with without_collections():
            from jupyter_envstore.application.background_work import OpenedStore
        user = Path(jupyter_data_dir()) / "kernels" if self.user_kernels else None
        self._offer_kernels(str(configuration.kernels_of(self.kernel_namespaces)))
        opened = OpenedStore(configuration, self.make_rules, self.kernel_namespaces, user, self.ending)
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
            self._registry_options(),
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
