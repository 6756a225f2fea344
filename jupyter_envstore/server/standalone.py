"""The HTTP server of a store that runs alone: our routes, and nothing of a Jupyter server's own."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth import AllowAllAuthorizer, IdentityProvider
from jupyter_server.log import log_request
from jupyter_server.utils import url_path_join
from tornado.httpserver import HTTPServer
from tornado.web import Application, RedirectHandler, RequestHandler

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.server.context import SETTING, ServerContext
from jupyter_envstore.server.metrics import MetricsHandler
from jupyter_envstore.server.pages import MissingPageHandler
from jupyter_envstore.server.registry import ROUTES as REGISTRY_ROUTES
from jupyter_envstore.server.request_summaries import request_summary
from jupyter_envstore.server.routes import routes
from jupyter_envstore.server.start_page import StartPageHandler
from jupyter_envstore.server.store_pages import ROUTES as STORE_PAGES

if TYPE_CHECKING:
    from jupyter_server.auth import User

LARGEST_BODY = max(getattr(route[1], "max_body", 0) for route in routes()) + 4096
"""Bytes of a request that are read at all; each handler has a limit of its own, which is lower or the same."""
BODY_SECONDS = 60.0
"""How long a request may take to arrive."""
IDLE_SECONDS = 75.0
"""How long a connection may say nothing between two requests."""


@dataclass(frozen=True)
class Listening:
    """Where the server listens.

    Parameters
    ----------
    ip : str
        Address; empty for all.
    port : int
        Port.
    base_url : str
        Where it stands on its host, with slashes around it.
    certfile, keyfile : str
        Certificate and key, for TLS; empty for plain HTTP.
    trust_proxy : bool
        Whether the headers of a reverse proxy say who asks and by which scheme.
    """

    ip: str
    port: int
    base_url: str
    certfile: str = ""
    keyfile: str = ""
    trust_proxy: bool = False


class TokensOnly(IdentityProvider):
    """Nobody logs in: tokens of the store say who asks."""

    def get_user(self, handler: Any) -> User | None:
        """Return that it is not known."""
        del handler
        return None

    @property
    def auth_enabled(self) -> bool:
        """Whether anything is closed to who is not known."""
        return True

    @property
    def login_available(self) -> bool:
        """Whether there is a page to log in at."""
        return False


def _quiet(page: type[RequestHandler]) -> type[RequestHandler]:
    """Return a page of another package whose requests are logged without their query, which may hold a token."""
    return type(page.__name__, (page,), {"_request_summary": request_summary})


class StandaloneServer:
    """Serves a store.

    Parameters
    ----------
    login : IdentityProvider
        Who logs in, beside the tokens of the store.
    pages : sequence
        Routes of the login, below the base URL.
    cookie_secret : bytes or None
        What cookies are signed with, the same for all servers of one store; by default a random one.
    """

    def __init__(
        self,
        listening: Listening,
        context: ServerContext,
        login: IdentityProvider,
        pages: Sequence[Any] = (),
        cookie_secret: bytes | None = None,
    ) -> None:
        self._listening = listening
        base = listening.base_url
        own_pages = [(route[0], _quiet(route[1]), *route[2:]) for route in pages]
        start = [("/envstore/start/?", StartPageHandler), ("/envstore/metrics", MetricsHandler)]
        found = [*routes(), *own_pages, *start, *(STORE_PAGES if own_pages else [("/envstore/?", StartPageHandler)])]
        if context.registry.at_root:
            found += REGISTRY_ROUTES
        handlers = [(url_path_join(base, route[0]), *route[1:]) for route in found]
        first = RedirectHandler, {"url": url_path_join(base, "envstore/"), "permanent": False}
        handlers += [(base, *first), *([(base.rstrip("/"), *first)] if base != "/" else [])]
        settings: dict[str, Any] = {
            SETTING: context,
            "allow_remote_access": True,  # a name of any kind is right behind a proxy
            "api_last_activity": datetime.now(timezone.utc),
            "authorizer": AllowAllAuthorizer(identity_provider=login),
            "base_url": base,
            "cookie_secret": cookie_secret or secrets.token_bytes(32),
            "default_handler_class": MissingPageHandler,
            "identity_provider": login,
            "log_function": partial(log_request, record_prometheus_metrics=False),
            "xsrf_cookie_kwargs": {"path": base},
            "xsrf_cookies": False,  # Tornado asks for it before it is known who asks; JupyterHandler asks when it is
        }
        self.settings = settings
        self._application = Application(handlers, **settings)
        self.server: HTTPServer | None = None

    def start(self) -> None:
        """Listen.

        Raises
        ------
        InvalidInputError
            The port cannot be had, or the certificate not be read.
        """
        place = self._listening
        for file in filter(None, (place.certfile, place.keyfile)):
            if not Path(file).is_file():
                msg = f"there is no file {file}, which is to be the certificate or its key"
                raise InvalidInputError(msg)
        try:
            certificates = None
            if place.certfile:
                certificates = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                certificates.load_cert_chain(place.certfile, place.keyfile or None)
            server = HTTPServer(
                self._application,
                ssl_options=certificates,
                xheaders=place.trust_proxy,
                max_body_size=LARGEST_BODY,
                body_timeout=BODY_SECONDS,
                idle_connection_timeout=IDLE_SECONDS,
            )
            server.listen(place.port, address=place.ip)
        except (OSError, ssl.SSLError) as error:
            msg = f"the service cannot listen on {place.ip or '*'}:{place.port}: {error.strerror or error}"
            raise InvalidInputError(msg) from None
        self.server = server

    async def stop(self) -> None:
        """Listen no more, and end the connections."""
        if self.server is not None:
            self.server.stop()
            await self.server.close_all_connections()
