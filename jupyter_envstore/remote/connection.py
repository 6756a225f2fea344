"""Requests to a store elsewhere from the loop of a server: streamed, with connections that are used again.

httpx sends them. Tornado's own client opens a connection for each request, and cannot end one that says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_envstore.errors import BusyError, RemoteStoreUnavailableError
from jupyter_envstore.remote.answers import check_answer, check_encoding, heeds_proxies, silent, strange, why_silent
from jupyter_envstore.remote.headers import VERSION
from jupyter_envstore.remote.trust import trusted

if TYPE_CHECKING:
    import httpx

    from jupyter_envstore.remote.credentials import Credential

API = "/api/v1/"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 660.0
"""How long a store may say nothing: it solves for up to ten minutes before it answers."""
ASK_SECONDS = 30.0
"""The same, where the server itself asks."""
KEPT_SECONDS = 4.0
"""How long a connection is kept for the next request: JupyterHub's proxy closes those that are idle for 5 s."""
CONNECTIONS = 100
OWN_CONNECTIONS = 10
MOST_GUESTS = 40
"""How many requests with tokens of others may wait at once: they must not keep the server's owner from the store."""
LARGEST = 64 << 20
"""Bytes of an answer that the server itself reads."""
REPEATABLE = ("GET", "HEAD")


@dataclass(frozen=True)
class Outgoing:
    """A request.

    Parameters
    ----------
    method : str
        Its method.
    path : str
        Path and query behind the address of the server that the store is at, quoted.
    headers : dict
        Its headers, but for the token.
    body : bytes or None
        Its body.
    token : str
        What is sent in the place of the server's own login; empty for that.
    silence : float
        How long the store may say nothing, in seconds.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    token: str = ""
    silence: float = ANSWER_SECONDS


@dataclass(frozen=True)
class _Clients:
    """The clients of httpx: that of forwarded requests, and that of the server's own, which wait for none of them."""

    forwarding: httpx.AsyncClient
    own: httpx.AsyncClient


class RemoteConnection:
    """Sends requests to a store elsewhere.

    Parameters
    ----------
    url : str
        Address of the store, which ends with ``/envstore``.
    credential : Credential
        The server's own login there.
    ca_file : str
        Certificates (PEM) that count beside those of the system; empty for none.
    version : str
        The version of this package, which the store is told.

    Raises
    ------
    InvalidInputError
        The certificates cannot be read.
    """

    def __init__(self, url: str, credential: Credential, ca_file: str, version: str) -> None:
        self.url = url
        self._server = url.removesuffix("/envstore")
        self._credential = credential
        self._version = version
        self._trust = trusted(ca_file)
        self._clients: _Clients | None = None
        self._guests = 0
        self._opening = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def send(self, request: Outgoing) -> AsyncIterator[httpx.Response]:
        """Send a request and give its answer, whose body is not read yet.

        Raises
        ------
        RemoteStoreUnavailableError
            The store does not answer; or it does not take the server's login, or something else than a store answers.
        BusyError
            Too many requests with tokens of others wait for it.
        """
        if not request.token:
            token = await self.own_token()
        elif self._guests < MOST_GUESTS:
            token = request.token
        else:
            msg = "too many requests with tokens wait for the store; try again later"
            raise BusyError(msg)
        self._guests += bool(request.token)
        try:
            async with self._sent(await self._opened(), request, token) as answer:
                yield answer
        finally:
            self._guests -= bool(request.token)

    @contextlib.asynccontextmanager
    async def _sent(
        self, clients: _Clients, request: Outgoing, token: str, is_own: bool = False
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        client = clients.own if is_own else clients.forwarding
        headers = {**request.headers, VERSION: self._version, "Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(request.silence, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        address = self._server + request.path
        built = client.build_request(request.method, address, headers=headers, content=request.body, timeout=timeout)
        for name in ("User-Agent", "Accept", "Accept-Encoding"):  # httpx has its own where none are given
            if name not in request.headers:
                built.headers.pop(name, None)
        try:
            answer = await self._answer_of(client, built)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise why_silent(self.url, error) from None
        try:
            self._check(answer, is_own=not request.token)
            yield answer
        finally:
            await answer.aclose()

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the store with the server's own login, and return the data that it answers.

        Parameters
        ----------
        path : str
            Path and query below ``api/v1/``.

        Raises
        ------
        RemoteStoreUnavailableError
            As in :meth:`send`, or the store refuses.
        """
        headers = {"Accept-Encoding": "gzip", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body).encode()
        request = Outgoing(method, f"/envstore{API}{path}", headers, text)
        try:
            status, data = await asyncio.wait_for(self.read(request), ASK_SECONDS)
        except asyncio.TimeoutError:
            raise silent(self.url, "it took too long") from None
        try:
            found = json.loads(data)
            if status >= 400:
                msg = f"the store at {self.url} refuses: {str(found['message'])[:300]}"
                raise RemoteStoreUnavailableError(msg, is_refused=status in (401, 403))
            return found["data"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise strange(self.url) from None

    async def read(self, request: Outgoing) -> tuple[int, bytes]:
        """Send a request that is the server's own, and return the status and the body of its answer.

        Raises
        ------
        RemoteStoreUnavailableError
            As in :meth:`send`; or the body is larger than anything that a store tells.
        """
        async with self.follow(request) as answer:
            return answer.status_code, await self.body(answer)

    async def body(self, answer: httpx.Response) -> bytes:
        """Return the body of an answer.

        Raises
        ------
        RemoteStoreUnavailableError
            It is cut off, or larger than anything that a store tells.
        """
        data = bytearray()
        async for piece in self.pieces(answer, decoded=True):
            data += piece
            if len(data) > LARGEST:
                raise strange(self.url)
        return bytes(data)

    @contextlib.asynccontextmanager
    async def follow(self, request: Outgoing) -> AsyncIterator[httpx.Response]:
        """Send a request that is the server's own, and give its answer, whose body is not read yet.

        Raises
        ------
        RemoteStoreUnavailableError
            As in :meth:`send`.
        """
        async with self._sent(await self._opened(), request, await self.own_token(), is_own=True) as answer:
            yield answer

    async def pieces(self, answer: httpx.Response, decoded: bool = False) -> AsyncIterator[bytes]:
        """Yield the body of an answer as it comes; ``decoded`` where it is packed.

        Raises
        ------
        RemoteStoreUnavailableError
            It is cut off, or cannot be unpacked.
        """
        import httpx

        if decoded:
            check_encoding(self.url, answer)
        try:
            async for piece in answer.aiter_bytes() if decoded else answer.aiter_raw():
                yield piece
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise why_silent(self.url, error) from None

    async def close(self) -> None:
        """End all requests."""
        if self._clients is not None:
            await self._clients.forwarding.aclose()
            await self._clients.own.aclose()

    async def _opened(self) -> _Clients:
        async with self._opening:
            if self._clients is None:
                self._clients = await asyncio.to_thread(self._open)
            return self._clients

    def _open(self) -> _Clients:
        """Return the clients; in a thread, since that imports much."""
        import httpx

        def client(connections: int) -> httpx.AsyncClient:
            limits = httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEPT_SECONDS
            )
            return httpx.AsyncClient(
                verify=self._trust, limits=limits, follow_redirects=False, trust_env=heeds_proxies(self.url)
            )

        return _Clients(client(CONNECTIONS), client(OWN_CONNECTIONS))

    async def own_token(self) -> str:
        """Return the server's own login.

        Raises
        ------
        RemoteStoreUnavailableError
            There is none.
        """
        if self._credential.is_at_hand:
            return self._credential.token()
        return await asyncio.to_thread(self._credential.token)

    async def _answer_of(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        """Send a request; once more where a connection that was kept had just been closed."""
        import httpx

        try:
            return await client.send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if request.method not in REPEATABLE:
                raise
            return await client.send(request, stream=True)

    def _check(self, answer: httpx.Response, is_own: bool) -> None:
        """Refuse what no store answers.

        Raises
        ------
        RemoteStoreUnavailableError
            The login is not taken, another place is named, or a page for people comes.
        """
        if answer.status_code == 401 and is_own:
            self._credential.forget()
            msg = f"the store at {self.url} does not take {self._credential.refused()}"
            raise RemoteStoreUnavailableError(msg, is_refused=True)
        check_answer(self.url, answer)
