"""Where the registry is reached: at the root of the server, or on a port of its own that serves nothing else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.web import Application

from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.server import registry

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.iostream import IOStream

    from jupyter_envstore.application.app import EnvStoreApp

TLS_HANDSHAKE = b"\x16"
MAX_BODY = 64 * 1024
"""Nothing is pushed here, so no request has a body worth reading."""
OWN = (
    "static_path",
    "static_url_prefix",
    "static_handler_class",
    "static_handler_args",
    "default_handler_class",
    "autoreload",
)
"""Settings of the server's application that would serve something else."""
NO_REGISTRY = (
    "no registry can be reached here: Docker knows no path, and this server stands behind {base!r}; its admin can set "
    "c.EnvStoreApp.docker_registry_port (and docker_registry_url, where the port has another name outside)"
)


def refuse_tls(server: HTTPServer) -> None:
    """Let a server that speaks plain HTTP end connections that begin with TLS at once.

    Docker and its kin try TLS first where they may speak plain HTTP too. A TLS greeting holds no end of an HTTP header,
    so tornado waits for one, and the client for ten seconds, before it tries again without.
    """
    if server.ssl_options is not None:
        return
    handle = server.handle_stream

    async def look_first(stream: IOStream, address: tuple[str, int]) -> None:
        if await _begins_with_tls(stream):
            stream.close()
        else:
            handle(stream, address)

    server.handle_stream = look_first  # type: ignore[method-assign,assignment]


async def _begins_with_tls(stream: IOStream) -> bool:
    """Wait for the first byte that a client sends, and leave it where it is; 22 is a TLS handshake (RFC 8446, 5.1)."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return bytes(stream.socket.recv(1, socket.MSG_PEEK)) == TLS_HANDSHAKE
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            return False  # gone: whoever reads next finds out
        readable = loop.create_future()
        loop.add_reader(stream.fileno(), _settle, readable)
        try:
            await readable
        finally:
            loop.remove_reader(stream.fileno())


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class RegistryServer:
    """Tells where the registry is, and serves it on a port of its own where the configuration has one."""

    def __init__(self, app: EnvStoreApp) -> None:
        self.app = app
        self.trouble = ""
        self._server: HTTPServer | None = None

    @property
    def at_root(self) -> bool:
        """Whether the server itself can be a registry: it stands at the root of its host."""
        return self.app.server.base_url == "/"

    def start(self) -> None:
        """Listen on the port of its own; what is wrong with it is told, and the server goes on."""
        app = self.app
        if self.at_root and isinstance(getattr(app.server, "http_server", None), HTTPServer):
            refuse_tls(app.server.http_server)
        if not app.docker_registry_port:
            return
        settings = {key: value for key, value in app.server.web_app.settings.items() if key not in OWN}
        application = Application(
            [*registry.ROUTES, (r"/(.*)", registry.NothingHandler)],
            **settings,
        )
        address = app.docker_registry_ip or app.server.ip
        try:
            options = self._certificates()
            server = HTTPServer(application, max_body_size=MAX_BODY, ssl_options=options, xheaders=False)
            refuse_tls(server)
            server.listen(app.docker_registry_port, address=address)
        except (OSError, ssl.SSLError) as error:
            self.trouble = (
                f"the registry cannot listen on {address}:{app.docker_registry_port}: {error.strerror or error}"
            )
            app.log.error("envstore: %s", self.trouble)
            return
        self._server = server
        app.log.info("envstore: Docker registry at %s:%d", address, app.docker_registry_port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()

    def host(self, request: HTTPServerRequest) -> str:
        """Return host and port that stand in addresses of images.

        Raises
        ------
        NotFoundError
            No registry can be reached; the message says how to get one.
        """
        app = self.app
        if self.trouble and not self.at_root:
            raise NotFoundError(self.trouble)
        if app.docker_registry_url:
            return app.docker_registry_url.partition("://")[2].rstrip("/") or app.docker_registry_url
        if app.docker_registry_port and not self.trouble:
            name = urlsplit(f"//{request.host}").hostname or "localhost"
            return f"[{name}]:{app.docker_registry_port}" if ":" in name else f"{name}:{app.docker_registry_port}"
        if self.at_root:
            return str(request.host)
        raise NotFoundError(self.trouble or NO_REGISTRY.format(base=app.server.base_url))

    def _certificates(self) -> ssl.SSLContext | None:
        app = self.app
        if not app.docker_registry_certfile:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(app.docker_registry_certfile, app.docker_registry_keyfile or None)
        return context
