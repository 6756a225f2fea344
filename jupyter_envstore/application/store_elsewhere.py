"""A store elsewhere behind the server extension: its API is handed on, its changes are told."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_envstore import __version__
from jupyter_envstore.errors import RemoteStoreUnavailableError
from jupyter_envstore.remote.change_stream import ChangeStream, RemoteNews
from jupyter_envstore.remote.connection import RemoteConnection
from jupyter_envstore.remote.credentials import Credential
from jupyter_envstore.remote.logins import Logins, default_file
from jupyter_envstore.server.forwarding import SETTING, Forwarding, LentTo, forwarding_routes
from jupyter_envstore.server.kernel_environment import KernelEnvironment

if TYPE_CHECKING:
    import logging

    from jupyter_server.serverapp import ServerApp

    from jupyter_envstore.application.change_events import ChangeEvents

FOLDER = "envstore-client"
"""Folder in the user's Jupyter data directory with what a client of a store needs."""


@dataclass(frozen=True)
class RemoteOptions:
    """What the configuration says of a store elsewhere.

    Parameters
    ----------
    url : str
        Its address, which ends with ``/envstore``.
    token_file : str
        File with the token; empty for none.
    ca_file : str
        Certificates that count beside those of the system; empty for none.
    with_hub_token : bool
        Whether it may be asked with the token that a JupyterHub gave to this server.
    lent_to : LentTo
        Who of the users of this server may use its login.
    token_hours : float
        How long the token of a kernel holds, in hours; 0 hands out none.
    """

    url: str
    token_file: str
    ca_file: str
    with_hub_token: bool
    lent_to: LentTo
    token_hours: float


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
        except (RemoteStoreUnavailableError, asyncio.TimeoutError, LookupError, TypeError) as error:
            self._log.warning("envstore: a kernel starts without a token of the store: %s", error or "it is slow")
            return ""


TOKEN_SECONDS = 5.0
"""How long the start of a kernel waits for its token."""
LONGEST_HOURS = 24 * 7


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

    def __init__(self, options: RemoteOptions, server: ServerApp, events: ChangeEvents, log: logging.Logger) -> None:
        self._events = events
        credential = Credential(options.url, options.token_file, Logins(default_file()), options.with_hub_token)
        self._connection = RemoteConnection(options.url, credential, options.ca_file, __version__)
        self._stream = ChangeStream(self._connection, self._tell, log)
        self._following: asyncio.Task[None] | None = None
        server.web_app.settings[SETTING] = Forwarding(self._connection, options.lent_to, server.base_url)
        tokens = RemoteKernelTokens(self._connection, options.lent_to, options.token_hours, log)
        KernelEnvironment(tokens, _folder, lambda: str(server.connection_url)).install(server.kernel_manager)
        log.info("envstore: this server shows the store at %s", options.url)

    @property
    def routes(self) -> list[tuple[str, type[Any]]]:
        """What is served, below the server's base URL."""
        return forwarding_routes()

    def begin(self) -> None:
        """Begin to follow the store, once the loop runs."""
        self._following = asyncio.ensure_future(self._stream.run())

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
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._connection.close()

    def _tell(self, news: RemoteNews) -> None:
        if news.reset:
            self._events.tell_all(news.revision)
        self._events.tell_ids(news.revision, news.environments, news.builds, news.progressing)


def _folder() -> Path:
    """Return the folder that the client for notebooks is put into."""
    folder = Path(jupyter_data_dir()) / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
