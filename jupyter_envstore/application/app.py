"""EnvStoreApp: configuration in, the wired server extension out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import getpass
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, Dict, Float, Integer, List, Set, Unicode, default
from traitlets import Callable as CallableTrait

from jupyter_envstore import __version__
from jupyter_envstore.application.configuration import StoreTraits
from jupyter_envstore.application.store_opener import Opening
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.access import AccessRules, Identity, PredefinedToken, check_bindings, token_hash
from jupyter_envstore.server.artifact_waits import BeingMade
from jupyter_envstore.server.artifacts import lock_text_as_json
from jupyter_envstore.server.image_waits import ImagesBeingMade
from jupyter_envstore.server.kernel_environment import hand_tokens_to_kernels
from jupyter_envstore.server.logs import LogFeeds
from jupyter_envstore.server.metrics import metrics
from jupyter_envstore.server.registry import ROUTES as REGISTRY_ROUTES
from jupyter_envstore.server.registry_server import RegistryServer
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.solver_service import Questions
from jupyter_envstore.server.specification_reader import Texts
from jupyter_envstore.spec import check_name

if TYPE_CHECKING:
    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.change_watcher import News
    from jupyter_envstore.builds.retention import Plan
    from jupyter_envstore.server.base import EnvStoreHandler

T = TypeVar("T")
THREADS = 8
SLOW_THREADS = 4
PLAN_SECONDS = 300.0
FIRST_HOUSEKEEPING = 600.0
CLEARING_SECONDS = 60.0
"""How often is looked for deleted environments whose time to come back is over."""
"""Seconds after the start: not while people log in."""
SOLVES = 2
"""How many solves and searches run at once."""
SCHEMAS = "https://events.jupyter.org/jupyter_envstore/"
LAPTOP = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
"""Jupyter's own identity providers: who holds the token or password is the one user."""


class EnvStoreApp(Opening, Questions, Texts, StoreTraits, ExtensionApp):
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

    # -- set-up ----------------------------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """Register the events' schemas and make what requests share. The store is opened once the server runs."""
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="envstore")
        self.slow_pool = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="envstore-slow")
        self.turns = {"solve": asyncio.Semaphore(SOLVES), "search": asyncio.Semaphore(SOLVES)}
        self.ending = threading.Event()
        self.threads = []
        self.working = 0
        self.noted_parts: dict[object, float] = {}
        self.notes: set[asyncio.Task[None]] = set()
        self.planned: tuple[float, asyncio.Future[Plan]] | None = None
        self.log_feeds = LogFeeds(self)
        self.being_made = BeingMade(self)
        self.images = ImagesBeingMade(self)
        self.registry = RegistryServer(self)
        self.api_url = url_path_join(self.server.base_url, "envstore/api/v1/")
        for path in sorted((Path(__file__).parent / "events").glob("*.yaml")):
            self.events.register_event_schema(path)
        self.announce_kernels()
        hand_tokens_to_kernels(self)

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
        if self.registry.at_root:
            self.handlers.extend(REGISTRY_ROUTES)

    def make_rules(self) -> AccessRules:
        """Return what the configuration says about people and tokens.

        Raises
        ------
        InvalidInputError
            A name, a role or an entity in it is none.
        """
        tokens: list[PredefinedToken] = []
        for token, entry in self.predefined_tokens.items():
            if len(token) < 16 or not isinstance(entry, dict):
                msg = "a predefined token has at least 16 characters, and a primary_namespace and role_bindings"
                raise InvalidInputError(msg)
            space = check_name("namespace", str(entry.get("primary_namespace", "default")))
            name = str(entry.get("name") or space)
            if name in {known.name for known in tokens}:
                msg = f"two predefined tokens are called {name!r}; give each a 'name' of its own"
                raise InvalidInputError(msg)
            tokens.append(
                PredefinedToken(token_hash(token), name, space, check_bindings(entry.get("role_bindings", {})))
            )
        return AccessRules(
            shared=self.shared,
            default_namespace=self.store.settings.effective()["default_namespace"],
            admins=frozenset(self.admins),
            bindings={who: check_bindings(bindings) for who, bindings in self.role_bindings.items()},
            unauthenticated=check_bindings(self.unauthenticated_role_bindings),
            tokens=tuple(tokens),
        )

    def follow_store(self) -> None:
        """Bring what depends on the store up to date: kernels, and the namespace of who has no other."""
        self.kernels.sync()
        wanted = self.store.settings.effective()["default_namespace"]
        if wanted != self.rules.default_namespace:
            self.rules = replace(self.rules, default_namespace=wanted)

    def keep_house(self, ending: threading.Event) -> None:
        """Free what the settings do not keep, now and then, and what was deleted, until the server ends."""
        due = time.monotonic() + min(FIRST_HOUSEKEEPING, self.collect_hours * 3600)
        while not ending.wait(CLEARING_SECONDS):
            try:
                self.store.retention.clear_deleted()
                if self.collect_hours and time.monotonic() >= due:
                    due = time.monotonic() + self.collect_hours * 3600
                    self.store.dynamic_images.forget_old()
                    self.log.info("envstore: %d bytes freed", self.store.retention.collect().size)
            except Exception:
                self.log.exception("envstore: what the store does not need could not be freed; it is tried again")

    async def plan_of_collection(self) -> Plan:
        """Return what could be freed, as of the last minutes: it is a walk through the caches, and all admins ask."""
        if self.planned is None or time.monotonic() - self.planned[0] > PLAN_SECONDS:
            self.planned = (
                time.monotonic(),
                asyncio.ensure_future(self.run_slowly(self.store.retention.collect, True)),
            )
        try:
            return await asyncio.shield(self.planned[1])
        except Exception:
            self.planned = None
            raise

    async def free(self, who: str) -> Plan:
        """Free what the retention settings do not want kept; what could be freed is looked for anew then."""
        plan = await self.run_slowly(self.store.retention.free, who)
        self.planned = None
        return plan

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        """Begin to open the store, once the loop runs."""
        self.begin()
        self.registry.start()

    async def stop_extension(self) -> None:
        """End the work in the background."""
        await self.being_made.stop()
        await self.registry.stop()
        await self.close()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.slow_pool.shutdown(wait=False, cancel_futures=True)

    # -- while it runs ---------------------------------------------------------------------------------------------

    async def run_slowly(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Run a function that waits for a process or the network, in a thread that listings do not need."""
        call = functools.partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self.slow_pool, call)

    async def run(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Run a function that waits for the database or the disk, in a thread."""
        call = functools.partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self.pool, call)

    def current_activity(self) -> dict[str, int] | None:
        """Tell Jupyter's own shutdown of builds that run, so that it waits for them."""
        return {"jobs": self.working} if self.working else None

    def hand_over(self, news: News) -> None:
        """Bring news from the watcher's thread to the loop."""
        with contextlib.suppress(RuntimeError):  # the loop has just ended
            self.loop.call_soon_threadsafe(self.on_news, news)

    def on_news(self, news: News) -> None:
        """Tell all who listen that something changed; ids only, since everybody on this server can listen."""
        self.working = news.working
        if news.numbers is not None:
            metrics().set(news.numbers)
        if news.working:
            self.server.web_app.settings["envstore_last_activity"] = datetime.now(timezone.utc)
        emitted = {"environments": news.environments, "builds": news.builds, "progress": news.progressing}
        for kind, ids in emitted.items():
            if ids:
                self.emit(kind, {"revision": news.revision, "ids": list(ids)})

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        """Emit an event; a listener's trouble is not ours."""
        try:
            self.events.emit(schema_id=f"{SCHEMAS}{kind}/v1", data=data)
        except Exception:
            self.log.exception("envstore: the event %s could not be emitted", kind)

    async def identify(self, user: Any, _handler: EnvStoreHandler) -> Identity:
        """Return the identity of a user that Jupyter knows."""
        groups: Sequence[str] = ()
        if self.identity_mapper is not None:
            mapped: Any = self.identity_mapper(user)
            name, groups = (mapped, ()) if isinstance(mapped, str) else mapped
        elif self.rules.shared:
            name = user.username
        else:
            name = account_name()
        if not self.rules.shared:
            return self.rules.person(name)
        return await self.run(self.store.people.identify, self.rules, name, groups)

    def lock_as_json(self, digest: str) -> bytes:
        """Return a lockfile as JSON."""
        return _lock_as_json(self.store.artifacts.path(digest))


@functools.lru_cache(maxsize=4)
def _lock_as_json(path: Path) -> bytes:
    return lock_text_as_json(path.read_bytes())


@functools.cache
def account_name() -> str:
    """Return the name of the account that the server runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"
