"""A store elsewhere behind the server extension: its API is handed on, its changes are told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_envstore.application.remote_kernels import RemoteKernels
from jupyter_envstore.application.task_end import end_tasks
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.remote.change_stream import ChangeStream, RemoteNews
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.connection import RemoteConnection
from jupyter_envstore.remote.credentials import Credential
from jupyter_envstore.remote.headers import own_version
from jupyter_envstore.server.forwarding import SETTING, Forwarding, LentTo, forwarding_routes
from jupyter_envstore.server.kernel_environment import KernelEnvironment, give_to_children, offer_kernels
from jupyter_envstore.server.tokens import LONGEST_HOURS

if TYPE_CHECKING:
    import logging

    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.change_events import ChangeEvents
    from jupyter_envstore.application.own_store import KernelOptions


@dataclass(frozen=True)
class RemoteOptions:
    """What the configuration says of a store elsewhere.

    Parameters
    ----------
    client : ClientConfiguration
        How it is reached, and where its environments are brought to.
    credential : Credential
        The login there.
    lent_to : LentTo
        Who of the users of this server may use its login.
    kernels : KernelOptions
        What the configuration says of kernels.
    """

    client: ClientConfiguration
    credential: Credential
    lent_to: LentTo
    kernels: KernelOptions


class RemoteKernelTokens:
    """Tokens of a store elsewhere, for kernels of the user whose login this server has.

    Parameters
    ----------
    hours : float
        How long a token holds, in hours; 0 hands out none.
    """

    def __init__(self, connection: RemoteConnection, lent_to: LentTo, hours: float, log: logging.Logger) -> None:
        self._connection = connection
        self._lent_to = lent_to
        self._hours = hours
        self._log = log

    async def ready(self) -> None:
        """Return at once: a kernel starts without a token where the store is away."""

    async def make(self, user: Any) -> str:
        """Return a token for a kernel that a user starts; empty where the store gives none."""
        if not self._hours or not self._lent_to.allows(user.username):
            return ""
        try:
            asked = self._connection.ask("POST", "token/kernel/", {"hours": min(self._hours, LONGEST_HOURS)})
            found = await asyncio.wait_for(asked, TOKEN_SECONDS)
            return str(found["token"] or "")
        except asyncio.TimeoutError:
            reason = f"it does not answer within {TOKEN_SECONDS:g} s"
        except Exception as error:  # whatever a store says, kernels start
            reason = str(error) or type(error).__name__
        self._log.warning("envstore: a kernel starts without a token of the store: %s", reason)
        return ""


TOKEN_SECONDS = 5.0
"""How long the start of a kernel waits for its token."""


class StoreElsewhere:
    """Serves a store elsewhere: this server is its client.

    Parameters
    ----------
    options : RemoteOptions
        The configuration.
    server : ServerApp
        The server that it is served by.
    events : ChangeEvents
        Told of what changes in the store.

    Raises
    ------
    InvalidInputError
        The configuration cannot be used.
    """

    def __init__(
        self,
        options: RemoteOptions,
        server: ServerApp,
        events: ChangeEvents,
        log: logging.Logger,
    ) -> None:
        self._events = events
        self._log = log
        client = options.client
        self._config = config = StoreConfig.from_text(client.store)
        self._specs = replace(config, root_dir=str(config.root / "logins" / options.credential.mark))
        self._connection = RemoteConnection(client.url, options.credential, client.ca_file, own_version())
        self._stream = ChangeStream(self._connection, self._note, log)
        self._news: asyncio.Queue[RemoteNews] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._make_folder(client)
        user = Path(jupyter_data_dir()) / "kernels" if options.kernels.for_user else None
        self._kernels = RemoteKernels(
            self._connection, self._specs, config.root, options.kernels.namespaces, user, self._moved, log
        )
        self._offer_kernels(server, options.kernels)
        server.web_app.settings[SETTING] = Forwarding(self._connection, options.lent_to, server.base_url, self._kernels)
        tokens = RemoteKernelTokens(self._connection, options.lent_to, options.kernels.token_hours, log)
        KernelEnvironment(tokens, lambda: config.root, lambda: str(server.connection_url)).install(
            server.kernel_manager
        )
        log.info("envstore: this server shows the store at %s", client.url)

    @property
    def routes(self) -> list[tuple[str, type[Any]]]:
        """What is served, below the server's base URL."""
        return forwarding_routes()

    def begin(self) -> None:
        """Begin to follow the store, once the loop runs."""
        for work in (self._stream.run(), self._tell(), self._kernels.watch()):
            self._tasks.append(asyncio.ensure_future(work))

    async def ready(self) -> None:
        """Wait until the store answers.

        Raises
        ------
        RemoteStoreUnavailableError
            It does not.
        """
        await self._connection.ask("GET", "")

    async def stop(self) -> None:
        """Follow it no more, and end all requests."""
        await end_tasks(self._tasks)
        await self._connection.close()

    def _make_folder(self, client: ClientConfiguration) -> None:
        """Make the folder that environments are brought to.

        Raises
        ------
        InvalidInputError
            It cannot be made.
        """
        try:
            self._config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self._specs.root.parent, self._specs.root):
                folder.mkdir(mode=0o700, exist_ok=True)
            client.write(self._specs.root)
        except OSError as error:
            msg = f"environments cannot be brought to {self._config.root} (c.EnvStoreApp.remote_cache_dir): "
            raise InvalidInputError(msg + str(error.strerror)) from None

    def _offer_kernels(self, server: ServerApp, kernels: KernelOptions) -> None:
        """Add the folder of the kernelspecs to those that this server, and what it starts, looks through."""
        folder = self._specs.kernels_of(kernels.namespaces)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        give_to_children(folder.parent)
        offer_kernels(server.kernel_spec_manager, str(folder))

    def _note(self, news: RemoteNews) -> None:
        """Tell progress at once; what changes kernels, when these are there."""
        if news.reset or news.environments or news.builds:
            self._news.put_nowait(news)
        self._events.tell_ids(news.revision, (), (), news.progressing)

    def _moved(self) -> None:
        """Tell that an environment that is being brought is further: its row is another now."""
        self._events.tell_all(0)

    async def _tell(self) -> None:
        """Bring kernels up to date with what changed, then tell of it."""
        while True:
            news = await self._news.get()
            while not self._news.empty():
                news = news.with_later(self._news.get_nowait())
            try:
                await self._kernels.follow(news)
            except Exception:
                self._log.exception("envstore: the kernels of %s are not up to date", self._connection.url)
            if news.reset:
                self._events.tell_all(news.revision)
            self._events.tell_ids(news.revision, news.environments, news.builds, ())
