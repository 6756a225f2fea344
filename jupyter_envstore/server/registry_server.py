"""The registry on a port of its own, which serves nothing else; and connections that begin with TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.web import Application

from jupyter_envstore.server import registry

if TYPE_CHECKING:
    import logging

    from tornado.iostream import IOStream

    from jupyter_envstore.server.registry_address import RegistryAddress, RegistryOptions

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
    """Serves the registry on a port of its own, where the configuration has one.

    Parameters
    ----------
    address : RegistryAddress
        Told where the port cannot be had.
    settings : mapping
        Settings of the server's web application: who logs in, and the context of handlers.
    main : HTTPServer or None
        The server itself, where it serves the registry at its root too.
    """

    def __init__(
        self,
        options: RegistryOptions,
        address: RegistryAddress,
        settings: Mapping[str, Any],
        log: logging.Logger,
        main: Any = None,
    ) -> None:
        self._log = log
        self._options = options
        self._address = address
        self._settings = settings
        self._main = main
        self._server: HTTPServer | None = None

    def start(self) -> None:
        """Listen on the port of its own; what is wrong with it is told, and the server goes on."""
        options, address = self._options, self._address
        if address.at_root and isinstance(self._main, HTTPServer):
            refuse_tls(self._main)
        if not options.port:
            return
        settings = {key: value for key, value in self._settings.items() if key not in OWN}
        application = Application([*registry.ROUTES, (r"/(.*)", registry.NothingHandler)], **settings)
        try:
            certificates = self._certificates()
            server = HTTPServer(application, max_body_size=MAX_BODY, ssl_options=certificates, xheaders=False)
            refuse_tls(server)
            server.listen(options.port, address=options.ip)
        except (OSError, ssl.SSLError) as error:
            address.trouble = f"the registry cannot listen on {options.ip}:{options.port}: {error.strerror or error}"
            self._log.error("envstore: %s", address.trouble)
            return
        self._server = server
        self._log.info("envstore: Docker registry at %s:%d", options.ip, options.port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()

    def _certificates(self) -> ssl.SSLContext | None:
        if not self._options.certfile:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._options.certfile, self._options.keyfile or None)
        return context
