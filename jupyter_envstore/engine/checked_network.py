"""Requests to the network that do not reach this machine and its private networks, whoever names the address.

People name channels, indexes, lockfiles and base images, so the account that builds opens addresses for them. Programs
that do so are given a proxy, which is this process: it resolves each name, refuses private addresses, and connects to
the very address that it has checked. So neither redirects nor names that resolve to something else later lead past it.
The proxy speaks HTTP/1.1: CONNECT, and requests with a whole address (RFC 9110, 7.2 and 9.3.6).
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import re
import socket
import socketserver
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

from jupyter_envstore.engine.network_relay import proxies, relay, short_path
from jupyter_envstore.engine.sandbox import NONE, Sandbox

SOCKET = "network"
"""Name of the socket in a folder of a program that runs in a sandbox."""
LARGEST_HEAD = 64 << 10
PIECE = 1 << 16
CONNECT_SECONDS = 20.0
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that stand for those of IPv4 (RFC 6052)."""
MOST_REFUSED = 5


class RefusedAddressError(Exception):
    """An address that must not be reached, with the reason."""


@dataclass(frozen=True)
class AddressRules:
    """Which addresses may be reached.

    Parameters
    ----------
    allowed : sequence of str
        Private ones that may be: a host, a host with its port, or a network (``10.1.0.0/16``).
    """

    allowed: Sequence[str] = ()

    def check(self, host: str, port: int, address: str) -> None:
        """Refuse an address that a host has.

        Raises
        ------
        RefusedAddressError
            It is none of the internet's, and is not allowed.
        """
        if {host.lower(), f"{host.lower()}:{port}"} & {entry.lower() for entry in self.allowed}:
            return
        found = _plain(address)
        if found.is_global and not found.is_multicast:
            return
        for entry in self.allowed:
            with contextlib.suppress(ValueError):
                if found in ipaddress.ip_network(entry, strict=False):
                    return
        shown = host if host == address else f"{host} is {address}, which"
        msg = (
            f"{shown} is an address of this machine or of a private network; an admin can allow it (allowed_addresses)"
        )
        raise RefusedAddressError(msg)


@dataclass
class CheckedNetwork:
    """The proxy of this process.

    Parameters
    ----------
    rules : AddressRules
        What it lets through.
    """

    rules: AddressRules
    refused: list[str] = field(default_factory=list)
    _upstream: dict[str, str] = field(default_factory=dict)
    _direct: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Listen on loopback, and let the programs that this process starts, and its own libraries, go this way."""
        before = getproxies()
        self._upstream = {kind: url for kind, url in before.items() if kind in ("http", "https")}
        self._direct = {"no": before.get("no", "")}
        server = _Server(("127.0.0.1", 0), _Connection)
        server.network = self
        threading.Thread(target=server.serve_forever, name="checked-network", daemon=True).start()
        os.environ.update(proxies(server.server_address[1]))
        for name in ("no_proxy", "NO_PROXY"):
            os.environ.pop(name, None)

    def listen(self, path: Path) -> None:
        """Listen at a file, too, for programs that have no network of the machine; until this process ends.

        Raises
        ------
        OSError
            It cannot be made.
        """
        with short_path(path) as place:
            server = _FileServer(place, _Connection)
        server.network = self
        threading.Thread(target=server.serve_forever, name="checked-network-file", daemon=True).start()

    def connect(self, scheme: str, host: str, port: int) -> tuple[socket.socket, str]:
        """Return a connection to a host, and the address of the proxy of the site if it leads there, else empty.

        Raises
        ------
        RefusedAddressError
            None of its addresses may be reached.
        OSError
            It cannot be reached.
        """
        upstream = self._upstream.get(scheme, "")
        if upstream and not proxy_bypass_environment(host, self._direct):
            with contextlib.suppress(ValueError):  # of a name, the proxy of the site finds the address
                ipaddress.ip_address(host)
                self.rules.check(host, port, host)
            parts = urlsplit(upstream)
            place = (parts.hostname or "", parts.port or 3128)
            return socket.create_connection(place, CONNECT_SECONDS), upstream
        refusal: Exception = OSError(f"{host} has no address")
        for _, _, _, _, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            address = str(found[0])
            try:
                self.rules.check(host, port, address)
                return socket.create_connection((address, port), CONNECT_SECONDS), ""
            except (RefusedAddressError, OSError) as error:
                refusal = error
        raise refusal

    def note(self, reason: str) -> None:
        """Keep a refusal, for the message of what fails by it."""
        if reason not in self.refused and len(self.refused) < MOST_REFUSED:
            self.refused.append(reason)

    def with_refusals(self, message: str) -> str:
        """Return the message of a failure with what was refused before it."""
        return "; ".join([message, *(reason for reason in self.refused if reason not in message)])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    network: CheckedNetwork


class _FileServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    network: CheckedNetwork


class _Connection(socketserver.BaseRequestHandler):
    """One connection of a program: one request, and then what it and the other end say."""

    server: _Server | _FileServer
    request: socket.socket

    def handle(self) -> None:
        """Lead it there, or refuse."""
        try:
            head, rest = self._head()
            self._lead(head, rest)
        except RefusedAddressError as error:
            self.server.network.note(str(error))
            self._answer("403 Forbidden", str(error))
        except (ValueError, UnicodeError):
            self._answer("400 Bad Request", "this is no request to a proxy")
        except OSError as error:
            self._answer("502 Bad Gateway", error.strerror or str(error))

    def _lead(self, head: bytes, rest: bytes) -> None:
        first, _, fields = head.partition(b"\r\n")
        method, target, version = first.decode("ascii").split(" ")
        if method == "CONNECT":
            scheme, parts = "https", urlsplit(f"//{target}")
        else:
            parts = urlsplit(target)
            scheme = parts.scheme
        if not parts.hostname or scheme not in ("http", "https"):
            msg = "no host"
            raise ValueError(msg)
        port = parts.port or (443 if scheme == "https" else 80)
        network = self.server.network
        other, upstream = network.connect(scheme, parts.hostname, port)
        with other:
            other.settimeout(None)
            kept = _without_connection(fields)
            if upstream:
                other.sendall(
                    first + b"\r\n" + _login(upstream) + (kept if method != "CONNECT" else fields) + b"\r\n" + rest
                )
            elif method == "CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                other.sendall(rest)
            else:
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                other.sendall(f"{method} {path} {version}\r\n".encode("ascii") + kept + b"\r\n" + rest)
            relay(self.request, other)

    def _head(self) -> tuple[bytes, bytes]:
        """Return the head of the request, and what came behind it."""
        self.request.settimeout(CONNECT_SECONDS)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(PIECE)
            if not piece or len(data) > LARGEST_HEAD:
                msg = "no head"
                raise ValueError(msg)
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        self.request.settimeout(None)
        return head, rest

    def _answer(self, status: str, reason: str) -> None:
        body = f"{reason}\n".encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            self.request.sendall(head.encode() + body)


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address, as one of IPv4 where it stands for one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped
        if found.sixtofour is not None:
            return found.sixtofour
        if found in TRANSLATED:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def _without_connection(fields: bytes) -> bytes:
    """Return the fields of a request for the one that it goes to: each connection here has one request."""
    lines = [line for line in fields.split(b"\r\n") if line]
    kept = [line for line in lines if not re.match(rb"(?i)(proxy-[\w-]*|connection|keep-alive)\s*:", line)]
    return b"".join(line + b"\r\n" for line in [*kept, b"Connection: close"])


def _login(upstream: str) -> bytes:
    """Return the field with the login to the proxy of the site, where it has one."""
    parts = urlsplit(upstream)
    if not parts.username:
        return b""
    word = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return b"Proxy-Authorization: Basic " + base64.b64encode(word) + b"\r\n"


_network: list[CheckedNetwork] = []


def guard_network(block: bool, allowed: Sequence[str]) -> None:
    """Let nothing of this process reach private addresses from now on, if it is to be so; once is enough."""
    if block and not _network:
        network = CheckedNetwork(AddressRules(tuple(allowed)))
        network.start()
        _network.append(network)


def way_out(folder: Path, sandbox: Sandbox) -> Path | None:
    """Return a socket in a folder at which the checked network is asked, for a sandbox; None where it is not checked.

    Without a sandbox, programs are given the proxy itself.

    Raises
    ------
    OSError
        It cannot be made.
    """
    if not _network or sandbox.name == NONE:
        return None
    path = folder / SOCKET
    _network[0].listen(path)
    return path


def with_refusals(message: str) -> str:
    """Return the message of a failure with the addresses that were refused before it."""
    return _network[0].with_refusals(message) if _network else message
