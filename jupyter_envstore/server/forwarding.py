"""The API of a store elsewhere at the addresses of this server: each request is handed on, each answer streamed back.

Requests are forwarded, not answered by use cases that ask the store: so each answer is the store's own, of whatever
version it is, and nothing is held in between.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, unquote_plus

from tornado.iostream import StreamClosedError

from jupyter_envstore.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RemoteStoreUnavailableError,
    TooLargeError,
)
from jupyter_envstore.policy.access import TOKEN_PREFIX
from jupyter_envstore.remote.connection import Outgoing
from jupyter_envstore.remote.headers import API_PATH, VERSION
from jupyter_envstore.server.json_handler import JsonHandler, header_token
from jupyter_envstore.server.shared_page import SharedPageHandler
from jupyter_envstore.server.tokens import own_command
from jupyter_envstore.server.tokens_page import TokensPageHandler

if TYPE_CHECKING:
    import httpx

    from jupyter_envstore.remote.connection import RemoteConnection
    from jupyter_envstore.server.environments import Presence
    from jupyter_envstore.server.store_access import KernelState

SETTING = "envstore_forwarding"
"""The key of the :class:`Forwarding` in the settings of the web application."""
LONG_ANSWER = 1 << 18
"""Bytes of an answer that is read in a thread: the loop would wait for some milliseconds."""
LARGEST_BODY = 9 << 20
"""Bytes of a request; what a store reads is less."""
SENT = (
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Range",
    "User-Agent",
)
RETURNED = (
    "Accept-Ranges", "Allow", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Length",
    "Content-Range", "Content-Type", "ETag", "Last-Modified", "Link", "Retry-After", "Vary", VERSION,
    "WWW-Authenticate", "X-Accel-Buffering",
)  # fmt: skip
STORE_TOKEN = re.compile(rf"{TOKEN_PREFIX}[A-Za-z0-9_-]{{8,256}}")
FORMS = ("application/x-www-form-urlencoded", "multipart/")
SHOWN = re.compile(
    r"(?:application/(?:json|x-ndjson|yaml|toml|zip|gzip|zstd|x-tar|octet-stream|vnd\.[a-z0-9.+-]+)|text/(?:plain|yaml))"
    r"(?:; *charset=[a-zA-Z0-9-]+)?",
)
"""Media types of answers that are handed back as they are; what else comes is bytes."""
UNCACHED = ("Accept-Encoding", "If-None-Match", "If-Modified-Since")
"""Headers of a request whose answer is changed here."""
OWN_ARGUMENTS = ("token", "_xsrf")
"""What stands in a query for this server, and is nobody else's business."""
EVERYBODY = None


@dataclass(frozen=True)
class LentTo:
    """Who of the users of this server may use its login to the store.

    Parameters
    ----------
    name : str or None
        The one who may; None for everybody, empty for nobody.
    """

    name: str | None

    def allows(self, user: str) -> bool:
        """Whether a user may."""
        return self.name is EVERYBODY or (bool(self.name) and self.name == user)

    def check(self, user: str) -> None:
        """Refuse who may not.

        Raises
        ------
        PermissionDeniedError
            The login is somebody else's.
        """
        if self.name == "":
            msg = "several people use this server, so it has no login to the store; send a token of your own"
            raise PermissionDeniedError(msg)
        if not self.allows(user):
            msg = f"this server has the login of {self.name} to the store; use your own server, or send a token"
            raise PermissionDeniedError(msg)


@dataclass(frozen=True)
class Forwarding:
    """What forwarding handlers need.

    Parameters
    ----------
    connection : RemoteConnection
        The store.
    lent_to : LentTo
        Who may use the server's login there.
    base_url : str
        Where this server stands on its host, with slashes around it.
    kernels : RemoteKernelStates
        The kernels of the store's environments here.
    """

    connection: RemoteConnection
    lent_to: LentTo
    base_url: str
    kernels: RemoteKernelStates


class RemoteKernelStates(Protocol):
    """The kernels that this server offers."""

    def state(self, environment_id: int) -> KernelState:
        """Return the kernels of an environment."""

    def presence(self, environment_id: int) -> Presence | None:
        """Return whether an environment is on this machine, or how far it is; None where it has no build."""

    async def bring(self, environment_id: int) -> None:
        """Begin to bring an environment to this machine."""

    async def offer(self, build_id: int) -> tuple[str, ...]:
        """Let a build that is not active have kernels of its own; return their ids."""


def forwarding_of(settings: Mapping[str, Any]) -> Forwarding:
    """Return what the settings of a web application hold."""
    found: Forwarding = settings[SETTING]
    return found


class ForwardHandler(JsonHandler):
    """Hands a request on.

    It is sent with the token of the request, if that is one of a store; else with the server's own login, if Jupyter
    knows the user, and the user is whose login it is. Nothing else that a request logs in with is handed on: it
    is meant for this server, or for what stands in front of it.
    """

    @property
    def content_security_policy(self) -> str:
        """That of the API; besides, nothing of an answer acts as a page of this server."""
        return f"{super().content_security_policy}; sandbox; form-action 'none'"

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out with whose token the request is handed on."""
        if len(self.request.body) > LARGEST_BODY:
            msg = f"the body has {len(self.request.body)} bytes; at most {LARGEST_BODY} are sent to the store"
            raise TooLargeError(msg)
        if self.request.headers.get("Content-Type", "").lower().startswith(FORMS):
            msg = "a form is not handed on to the store; send JSON"  # Jupyter reads its token from forms, too
            raise InvalidInputError(msg)
        given = header_token(self.request.headers.get("Authorization", "")) or ""
        self._token = given if STORE_TOKEN.fullmatch(given) else ""
        self.is_by_own_token = bool(self._token)
        await super().prepare()
        if self._finished or self._token:
            return
        user = self.current_user
        if user is None:
            msg = "log in; or send a token of the store, which begins with es_" if given else "log in, or send a token"
            raise AuthenticationError(msg)
        if not self.token_authenticated:
            self.check_same_site()
        await self.require_authorized(user)
        forwarding_of(self.settings).lent_to.check(user.username)

    async def get(self) -> None:
        """Hand the request on, and the answer back."""
        self._work = asyncio.ensure_future(self._forward())
        try:
            await self._work
        except asyncio.CancelledError:
            if not self.gone.is_set():
                raise

    head = post = put = delete = get

    async def _forward(self) -> None:
        connection = forwarding_of(self.settings).connection
        async with connection.send(self._outgoing()) as answer:
            self.set_status(answer.status_code, answer.reason_phrase or None)
            self.clear_header("Content-Type")
            try:
                for name in RETURNED:
                    if name in answer.headers:
                        self.set_header(name, answer.headers[name])
            except ValueError:
                msg = f"the store at {connection.url} answers with a header that cannot be one"
                raise RemoteStoreUnavailableError(msg) from None
            if not SHOWN.fullmatch(answer.headers.get("Content-Type", "")):
                self.set_header("Content-Type", "application/octet-stream")
            try:
                await self._stream(connection, answer)
            except StreamClosedError:
                return
            except RemoteStoreUnavailableError as error:
                self.log.warning("envstore: %s", error)
                self.detach().close()  # cut off, so that it is not taken for the end

    async def _forward_changed(self, change: Callable[[Any], None]) -> None:
        """Hand the request on, and its JSON back with something changed in it; what is not as expected goes as it is.

        Parameters
        ----------
        change : callable
            Changes an answer in place.
        """
        connection = forwarding_of(self.settings).connection
        outgoing = self._outgoing()
        for name in UNCACHED:
            outgoing.headers.pop(name, None)
        async with connection.send(outgoing) as answer:
            text = await connection.body(answer)
            self.set_status(answer.status_code, answer.reason_phrase or None)
        is_long = len(text) > LONG_ANSWER
        self.finish(await asyncio.to_thread(_changed, text, change) if is_long else _changed(text, change))

    async def _stream(self, connection: RemoteConnection, answer: httpx.Response) -> None:
        await self.flush()
        async for piece in connection.pieces(answer):
            self.write(piece)
            await self.flush()
        self.finish()

    def _outgoing(self) -> Outgoing:
        """Return what is sent to the store.

        Raises
        ------
        NotFoundError
            The path leads out of the store.
        """
        forwarding = forwarding_of(self.settings)
        path = self.request.path[len(forwarding.base_url) - 1 :]  # as it was sent: names in it are quoted
        decoded = unquote(unquote(path))
        if {".", ".."} & set(re.split(r"[/\\]", decoded)) or re.search(r"[\x00-\x20\x7f]", path):
            msg = f"there is nothing at {self.request.path}"
            raise NotFoundError(msg)
        parts = self.request.query.split("&")
        query = "&".join(part for part in parts if part and unquote_plus(part.partition("=")[0]) not in OWN_ARGUMENTS)
        given = {name: self.request.headers.get(name, "") for name in SENT}
        headers = {name: text for name, text in given.items() if text and text.isascii()}
        headers[API_PATH] = f"{forwarding.base_url}envstore/api/v1/"
        return Outgoing(
            str(self.request.method),
            f"{path}{'?' if query else ''}{query}",
            headers,
            self.request.body or None,
            self._token,
        )

    _work: asyncio.Future[None] | None = None

    def on_connection_close(self) -> None:
        """End the request to the store, too: the client is gone."""
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()


def _changed(text: bytes, change: Callable[[Any], None]) -> bytes:
    """Return JSON with something changed in it; as it came where it is something else."""
    try:
        found = json.loads(text)
        change(found)
        return json.dumps(found).encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return text


class ForwardEnvironmentsHandler(ForwardHandler):
    """Hands a request about environments on, and puts the kernels that they have here into the answer."""

    async def _forward(self) -> None:
        if self.request.method != "GET":
            await super()._forward()
            return
        await self._forward_changed(self._put_kernels)

    def _put_kernels(self, found: Any) -> None:
        kernels = forwarding_of(self.settings).kernels
        data = found.get("data") or []
        for row in data if isinstance(data, list) else [data]:
            state = kernels.state(row["id"])
            row["kernels"], row["languages"] = list(state.ids), list(state.languages)
            row["path"] = None  # that of the machine of the store
            row["presence"] = kernels.presence(row["id"])
            row["kernel_note"] = state.reason or None if row["current_build_id"] else None


class PermissionForwardHandler(ForwardHandler):
    """``permission/``: how the store is worked with in a terminal is told by this server."""

    async def _forward(self) -> None:
        if self.request.method != "GET" or self._token:
            await super()._forward()
            return
        await self._forward_changed(self._put_command)

    def _put_command(self, found: Any) -> None:
        if found["data"]["authenticated"]:
            found["data"]["command"] = own_command("--store", forwarding_of(self.settings).connection.url)


class BringForwardHandler(ForwardHandler):
    """``environment/{namespace}/{name}/bring/``: what this server answers by itself."""

    async def _forward(self) -> None:
        if self.request.method != "POST" or self._token:  # with another's token nothing is started here
            await super()._forward()
            return
        forwarding = forwarding_of(self.settings)
        outgoing = self._outgoing()
        place = outgoing.path.partition("?")[0].rstrip("/").removesuffix("/bring")
        shown = Outgoing("GET", f"{place}/", {"Accept": "application/json"})
        status, text = await forwarding.connection.read(shown)
        if status != 200:
            self.set_status(status)
            self.finish(text)
            return
        await forwarding.kernels.bring(int(json.loads(text)["data"]["id"]))
        self.acknowledge("it is being brought to this server", 202)


class OfferForwardHandler(ForwardHandler):
    """``build/{build_id}/kernel/``: kernels are those of this server."""

    async def _forward(self) -> None:
        if self.request.method != "POST" or self._token:  # with another's token nothing is started here
            await super()._forward()
            return
        number = re.search(r"/build/([0-9]{1,18})/kernel", self._outgoing().path)
        if number is None:
            await super()._forward()
            return
        kernels = await forwarding_of(self.settings).kernels.offer(int(number[1]))
        self.answer({"kernels": list(kernels)})


def forwarding_routes() -> list[tuple[str, type[Any]]]:
    """Return the patterns of what is handed on, and of the pages beside it, below the server's base URL."""
    return [
        *((f"/{prefix}/api/v[12]/environment/?", ForwardEnvironmentsHandler) for prefix in ("envstore", "conda-store")),
        ("/envstore/api/v1/environment/[^/]+/[^/]+/?", ForwardEnvironmentsHandler),
        ("/envstore/api/v1/environment/[^/]+/[^/]+/bring/?", BringForwardHandler),
        ("/envstore/api/v1/build/[^/]+/kernel/?", OfferForwardHandler),
        ("/envstore/api/v1/permission/?", PermissionForwardHandler),
        ("/envstore/api(?:/.*)?", ForwardHandler),
        ("/envstore/channel(?:/(?!t/).*)?", ForwardHandler),  # a token in a path would be logged; the store takes it
        ("/conda-store/api(?:/.*)?", ForwardHandler),
        ("/envstore/tokens/?", TokensPageHandler),
        ("/envstore/shared/?", SharedPageHandler),
    ]
