"""A store that runs alone, for a team: configuration in, the wired service out. It is no Jupyter server."""

from __future__ import annotations

import asyncio
import hmac
import os
import resource
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_server.auth import IdentityProvider
from jupyter_server.utils import url_path_join
from traitlets import Bool, Integer, Set, Unicode, default

from jupyter_envstore.application.configuration import ConfigurationFiles
from jupyter_envstore.application.handler_context import make_context
from jupyter_envstore.application.serving_configuration import ServingTraits
from jupyter_envstore.application.store_opener import StoreOpener, without_collections
from jupyter_envstore.engine.sandbox import NONE, check_sandbox, sandbox_for
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.kernels.no_kernels import NoKernels
from jupyter_envstore.policy.access import check_roles
from jupyter_envstore.server.metrics import metrics
from jupyter_envstore.server.registry_server import RegistryServer
from jupyter_envstore.server.standalone import Listening, StandaloneServer, TokensOnly
from jupyter_envstore.server.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from jupyter_envstore.application.background_work import OpenedStore
    from jupyter_envstore.application.change_watcher import News
    from jupyter_envstore.policy.access import AccessRules
    from jupyter_envstore.policy.directory import Directory

PORT = 8890
FILES = 65_536
"""How many files and connections the service may have open, if the system lets it."""
HUB_VARIABLES = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_SERVICE_NAME")
UNSANDBOXED = (
    "whoever may make an environment runs code of packages as this account, which can read and write the whole store: "
    "set c.EnvStoreApp.sandbox = 'bubblewrap', or c.EnvStoreService.allow_unsandboxed = True if you trust everybody "
    "who may build"
)

AS_ROOT = (
    "the service runs as root: there is no second layer behind the sandbox of code of packages then, and no limit "
    "of its processes; give the service an account of its own"
)

NOBODY = (
    "c.EnvStoreApp.predefined_tokens names no token, and nobody logs in without a JupyterHub: only tokens that the "
    "store made before let anybody in"
)


class EnvStoreService(ServingTraits, ConfigurationFiles):
    """A store of environments for a team, without Jupyter."""

    name = "jupyter-envstore-service"
    description = __doc__ or ""

    ip = Unicode(
        help="Address that the service listens on. Default: that of JUPYTERHUB_SERVICE_URL, or 127.0.0.1."
    ).tag(config=True)
    port = Integer(min=0, max=65_535, help=f"Port. Default: that of JUPYTERHUB_SERVICE_URL, or {PORT}.").tag(
        config=True
    )
    base_url = Unicode(
        help="Path under which a reverse proxy shows the service. Default: JUPYTERHUB_SERVICE_PREFIX, or /."
    ).tag(config=True)
    certfile = Unicode("", help="Certificate for TLS. Default: none; a reverse proxy in front speaks TLS.").tag(
        config=True
    )
    keyfile = Unicode("", help="Key of that certificate.").tag(config=True)
    trust_proxy = Bool(
        help="Whether X-Forwarded-For and X-Forwarded-Proto say who asks and by which scheme. Turn it on only if "
        "nobody reaches the service but through the proxy. Default: yes if the service listens on loopback alone."
    ).tag(config=True)
    allow_unsandboxed = Bool(
        False,
        help="Whether the service starts without a sandbox for code of packages. Everybody who may build can then "
        "read and change everything in the store.",
    ).tag(config=True)
    hub_login = Bool(
        help="Whether people are those of a JupyterHub, and log in there. Default: yes if JUPYTERHUB_API_TOKEN is set."
    ).tag(config=True)
    hub_admins = Bool(True, help="Whether admins of the JupyterHub may do everything in the store.").tag(config=True)
    hub_groups = Set(
        Unicode(),
        help="Groups of the JupyterHub whose members may use the store. Default: everybody who may use the service. "
        "Whoever is in none of them any more loses their tokens of the store too; of who only loses the scope that "
        "opens the service, these tokens go on.",
    ).tag(config=True)
    hub_seconds = Integer(
        60,
        min=1,
        max=60,
        help="How long what the JupyterHub said of a person or a token counts, in seconds. Whoever is removed there "
        "loses what they had within this time, and requests go on for this time while the hub is away.",
    ).tag(config=True)
    group_role = Unicode(
        "developer",
        help="Role that members of a JupyterHub group have in the namespace of the group's name; empty for none.",
    ).tag(config=True)

    @default("ip")
    def _default_ip(self) -> str:
        return urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "")).hostname or "127.0.0.1"

    @default("port")
    def _default_port(self) -> int:
        return urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "")).port or PORT

    @default("base_url")
    def _default_base_url(self) -> str:
        return os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")

    @default("trust_proxy")
    def _default_trust_proxy(self) -> bool:
        return self.ip in ("127.0.0.1", "::1", "localhost")

    @default("hub_login")
    def _default_hub_login(self) -> bool:
        return bool(os.environ.get("JUPYTERHUB_API_TOKEN"))

    @default("shared")
    def _default_shared(self) -> bool:
        return True

    @default("allow_local_files")
    def _default_allow_local_files(self) -> bool:
        return False

    @default("block_private_addresses")
    def _default_block_private_addresses(self) -> bool:
        return True

    @property
    def listen_ip(self) -> str:
        """The address that the service listens on."""
        return str(self.ip)

    # -- what it is made of ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Put together what requests share. The store opens once the service listens.

        Raises
        ------
        InvalidInputError
            The configuration cannot be used, or nothing bounds code of packages.
        """
        configuration = self.store_config()
        if configuration.sandbox == NONE and not self.allow_unsandboxed:
            raise InvalidInputError(UNSANDBOXED)
        check_sandbox(sandbox_for(configuration))
        self._check()
        if os.geteuid() == 0:
            self.log.warning("envstore: %s", AS_ROOT)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
        self.ending = threading.Event()
        self.directory: Directory | None = None
        self.cookie_secret: bytes | None = None
        login, pages = self._login()
        base_url = url_path_join("/", self.base_url, "/")
        self.make_rules("default")  # a fault in them is told before anybody asks
        self.threads = Threads()
        self.opener = StoreOpener(self.threads.pool, self._open_store, self.log)
        self.context = make_context(
            self, self.opener, self.threads, self.ending, base_url, self.log, has_terminals=False
        )
        listening = Listening(self.ip, self.port, base_url, self.certfile, self.keyfile, self.trust_proxy)
        self.web = StandaloneServer(listening, self.context, login, pages, self.cookie_secret)

    def _check(self) -> None:
        """Refuse what would give people more than they should have."""
        if not self.shared:
            msg = "a service is for several people, so c.EnvStoreApp.shared cannot be False"
            raise InvalidInputError(msg)
        if self.group_role:
            check_roles([self.group_role])
        if any(roles for roles in self.unauthenticated_role_bindings.values()):
            self.log.warning("envstore: without a token one may: %s", dict(self.unauthenticated_role_bindings))
        if not self.hub_login:
            if not self.predefined_tokens:
                self.log.warning("envstore: %s", NOBODY)
            return
        if self.identity_mapper is not None:
            msg = "people of a JupyterHub keep their names, so that the hub can be asked about them: no identity_mapper"
            raise InvalidInputError(msg)
        lacking = [name for name in HUB_VARIABLES if not os.environ.get(name)]
        if lacking:
            msg = f"{', '.join(lacking)} must be set, as a JupyterHub does for its services, or turn hub_login off"
            raise InvalidInputError(msg)

    def _login(self) -> tuple[IdentityProvider, Sequence[Any]]:
        """Return who logs in, and the routes of it."""
        if not self.hub_login:
            return TokensOnly(parent=self), ()
        try:
            from jupyter_envstore.server.hub_login import HubDirectory, HubLogin, mapper_of
        except ImportError:
            msg = "the package jupyterhub is needed to log in at a JupyterHub: pip install 'jupyter-envstore[hub]'"
            raise InvalidInputError(msg) from None
        self.identity_mapper = mapper_of(self.hub_admins)
        login = HubLogin(parent=self, seconds=self.hub_seconds, groups=self.hub_groups)
        hub = login.hub_auth
        self.directory = HubDirectory(hub.api_url, hub.api_token, self.hub_admins, self.hub_groups, self.hub_seconds)
        # the same for all servers of the service, so that none asks who has logged in at another one to do it again
        self.cookie_secret = hmac.digest(hub.api_token.encode(), b"cookies of jupyter-envstore", "sha256")
        os.environ.pop("JUPYTERHUB_API_TOKEN", None)  # workers inherit the environment
        return login, login.get_handlers()

    def make_rules(self, default_namespace: str) -> AccessRules:
        """Return what the configuration says about people and tokens.

        Raises
        ------
        InvalidInputError
            A name, a role or an entity in it cannot be used.
        """
        rules = super().make_rules(default_namespace)
        if not self.hub_login:
            return rules
        return replace(rules, group_role=self.group_role, directory=self.directory)

    def _open_store(self, loop: asyncio.AbstractEventLoop) -> OpenedStore:
        """Open the store and begin the work in the background; in a thread, since it imports much."""
        with without_collections():
            from jupyter_envstore.application.background_work import OpenedStore
        opened = OpenedStore(self.store_config(), self.make_rules, lambda _store: NoKernels(), self.ending)
        opened.begin(loop, self._tell, self.collect_hours, self.log)
        return opened

    def _tell(self, news: News) -> None:
        """Tell those who follow the store, and take over its numbers for Prometheus."""
        self.context.change_feed.tell(news.revision, news.changed, news.progressing)
        if news.numbers is not None:
            metrics().set(news.numbers)

    # -- its life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Serve until a signal ends it.

        Raises
        ------
        InvalidInputError
            It cannot listen, or the configuration has something that cannot be used.
        """
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        self.web.start()
        registry = RegistryServer(
            self.registry_options(), self.context.registry, self.web.settings, self.log, self.web.server
        )
        registry.start()
        opening = self.opener.begin()
        opening.add_done_callback(lambda _: ended.set() if self.opener.misconfigured else None)
        scheme = "https" if self.certfile else "http"
        place = url_path_join(f"{scheme}://{self.ip or 'localhost'}:{self.port}", self.base_url, "envstore/")
        self.log.info("envstore: the store in %s is served at %s", self.root_dir, place)
        await ended.wait()
        self.ending.set()
        await self.context.artifact_waits.stop()
        await registry.stop()
        await self.web.stop()
        await self.opener.close()
        self.threads.stop()
        if self.opener.misconfigured:
            raise InvalidInputError(self.opener.misconfigured)
