"""What all handlers share: who asks, what they may, how input is read and errors are told."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from http.client import responses
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from jupyter_envstore.errors import (
    AuthenticationError,
    BusyError,
    ChannelUnreachableError,
    EnvStoreError,
    NotFoundError,
    NotReadyError,
    PermissionDeniedError,
    RangeError,
    SpecificationError,
    StoreUnavailableError,
    TooLargeError,
    UnknownPlacesError,
)
from jupyter_envstore.images.reference import LATEST
from jupyter_envstore.policy.access import TOKEN_PREFIX, Identity
from jupyter_envstore.server.context import context_of
from jupyter_envstore.server.request_reader import Reader
from jupyter_envstore.server.request_summaries import request_summary

if TYPE_CHECKING:
    from jupyter_envstore.database.paging import Page
    from jupyter_envstore.policy.access import SharedLink
    from jupyter_envstore.server.context import ServerContext
    from jupyter_envstore.services.interfaces import Store

P = ParamSpec("P")
T = TypeVar("T")
VERBS = ("get", "head", "post", "put", "delete")
CODES = {400: "bad_request", 401: "not_authenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
JSON = "application/json"
LOG_TELLS = "the server's log tells why"
NOT_FOR_LINKS = "a share link opens one environment: its address shared/, the files of its active build, and its image"
OTHER_SITE = "this request comes from another site; send a token in the Authorization header instead of a cookie"


class EnvStoreHandler(Reader):
    """Base of all handlers. A verb is reached when Jupyter's Authorizer lets it; it then asks for our permission.

    Who asks is found before anything else: one of our tokens, Jupyter's own identity, or nobody.
    """

    max_body: ClassVar[int] = 256 * 1024
    for_links: ClassVar[bool] = False
    """Whether whoever has a share link reaches it, to read. All that is not for links is closed to them."""
    identity: Identity
    place: tuple[str, str]

    def initialize(self) -> None:
        """Begin with a client that waits."""
        self.gone = threading.Event()
        self.is_by_own_token = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Let every verb be reached without Jupyter's own login: :meth:`prepare` decides who may."""
        super().__init_subclass__(**keywords)
        for verb in VERBS:
            if verb in cls.__dict__:
                setattr(cls, verb, allow_unauthenticated(cls.__dict__[verb]))

    # -- the store -------------------------------------------------------------------------------------------------

    @property
    def context(self) -> ServerContext:
        """What the application gives to handlers."""
        return context_of(self.settings)

    @property
    def store(self) -> Store:
        """The open store."""
        return self.context.access.store

    async def run(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run a function that waits for the database or the disk, in a thread."""
        return await self.context.threads.run(function, *arguments, **keywords)

    # -- who asks --------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out who asks; refuse what is too large, or comes from another site with nothing but a cookie."""
        if len(self.request.body) > self.max_body:
            msg = f"the body has {len(self.request.body)} bytes; at most {self.max_body} are read here"
            raise TooLargeError(msg)
        self.mend_query()
        await self._await_store()
        known = await self._identity_of_token()
        self.is_by_own_token = known is not None
        await super().prepare()
        if self._finished:
            return
        user: User | None = self.current_user
        if known is not None:
            user = User(known.name or "token")
            self.current_user = user
        elif user is not None:
            if not self.token_authenticated:
                self._check_same_site()
            known = await self.context.identities.of_user(user)
        if known is None and user is None and self.request.headers.get("Authorization"):
            msg = "the token is not known, neither to Jupyter nor to the store; check it, or make another"
            raise AuthenticationError(msg)
        self.identity = known or self.context.access.rules.nobody()
        if self.identity.link is not None and not (self.for_links and self.request.method in ("GET", "HEAD")):
            raise PermissionDeniedError(NOT_FOR_LINKS)
        if user is not None:
            action = "read" if self.request.method in ("GET", "HEAD", "OPTIONS") else "write"
            if not await ensure_async(self.authorizer.is_authorized(self, user, action, "envstore")):
                msg = f"the server's authorizer does not let {user.username} {action} environments"
                raise PermissionDeniedError(msg)

    async def _await_store(self) -> None:
        """Wait until the store is open; only who is logged in to Jupyter hears why it cannot be."""
        try:
            await self.context.access.ready()
        except StoreUnavailableError:
            await super().prepare()
            if not self.current_user:
                raise StoreUnavailableError(LOG_TELLS) from None
            raise

    async def _identity_of_token(self) -> Identity | None:
        token = header_token(self.request.headers.get("Authorization", ""))
        if token is None or not (token.startswith(TOKEN_PREFIX) or self.context.access.rules.tokens):
            return None
        return await self.context.identities.of_token(token)

    def check_xsrf_cookie(self) -> None:
        """Ask for the XSRF token where a cookie says who asks; a token in a header needs none, and nobody has none."""
        is_nobody = hasattr(self, "_jupyter_current_user") and self._jupyter_current_user is None
        if not self.is_by_own_token and not is_nobody:  # while it is found out, a hub asks before it believes a cookie
            super().check_xsrf_cookie()

    def _request_summary(self) -> str:
        return request_summary(self)

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Refuse another site's page in words, where Jupyter says that there is nothing.

        Raises
        ------
        PermissionDeniedError
            A page of another site sends the request.
        """
        if super().check_origin(origin_to_satisfy_tornado):
            return True
        raise PermissionDeniedError(OTHER_SITE)

    def skip_check_origin(self) -> bool:
        """A token in a header comes from no other site's page by accident."""
        return self.is_by_own_token or super().skip_check_origin()

    def _check_same_site(self) -> None:
        """Refuse a request that another site's page made with the cookie of who looks at it.

        Browsers say so in ``Sec-Fetch-Site`` (W3C Fetch Metadata); older ones in ``Referer`` or ``Origin``.
        """
        site = self.request.headers.get("Sec-Fetch-Site")
        place = self.request.headers.get("Origin") or self.request.headers.get("Referer")
        if site in ("same-origin", "none") or self.allow_origin == "*":
            return
        if place is None and site is None:
            return
        if place is not None:
            origin = f"{urlsplit(place).scheme}://{urlsplit(place).netloc}"
            if site is None and urlsplit(place).netloc == self.request.headers.get("Host"):
                return
            if self.allow_origin == origin or (self.allow_origin_pat and re.match(self.allow_origin_pat, origin)):
                return
        raise PermissionDeniedError(OTHER_SITE)

    def require(self, permission: str, namespace: str, name: str = "*") -> None:
        """Refuse who lacks a permission of ours."""
        self.identity.require(permission, namespace, name)

    def require_somewhere(self, permission: str) -> None:
        """Refuse who holds a permission nowhere."""
        if self.identity.visible(permission) == ():
            self.require(permission, self.identity.primary_namespace)

    def require_login(self) -> None:
        """Refuse who is not known.

        Raises
        ------
        AuthenticationError
            Nobody is logged in.
        """
        if not self.identity.authenticated:
            msg = "log in, or send a token"
            raise AuthenticationError(msg)

    async def require_on_build(self, permission: str, text: str, deleted: bool = False) -> int:
        """Return the id of a build (of a deleted one too, if so asked) on whose environment the permission is held.

        ``place`` holds namespace and name of the environment from then on.

        Raises
        ------
        AuthenticationError, PermissionDeniedError
            Nobody is logged in, or the permission is missing.
        NotFoundError
            There is no such build, or the caller may not know of it: with a share link, any but the active one.
        """
        build_id = self.build_id(text)
        if not self.identity.authenticated and not self.identity.bindings:
            self.require_login()
        self.place = namespace, name = await self.run(self.store.builds.place, build_id, deleted)
        link = self.identity.link
        is_shared = link is None or build_id == await self.shared_build(link)
        if not is_shared or not self.identity.may("environment::read", namespace, name):  # ids can be counted
            msg = f"there is no build {build_id}"
            raise NotFoundError(msg)
        self.require(permission, namespace, name)
        return build_id

    async def shared_build(self, link: SharedLink) -> int | None:
        """Return the build that a share link gives: the active one of its environment; None where there is none."""
        return await self.run(self.store.images.tagged_build, link.environment_id, LATEST)

    # -- answers ---------------------------------------------------------------------------------------------------

    def answer(self, data: Any = None, message: str | None = None, status: int = 200) -> None:
        """Send ``data``."""
        self.set_status(status)
        self.finish(json.dumps({"status": "ok", "data": data, "message": message}))

    def acknowledge(self, message: str | None = None, status: int = 200) -> None:
        """Say that it is done."""
        self.set_status(status)
        self.finish(json.dumps({"status": "ok", "message": message}))

    def answer_page(self, count: int, data: Sequence[Any], page: Page) -> None:
        """Send a page of a listing."""
        body = {"status": "ok", "message": None, "data": data, "page": page.number, "size": page.size, "count": count}
        self.finish(json.dumps(body))

    def send_text(self, text: str | bytes, media_type: str = "text/plain; charset=utf-8") -> None:
        """Send text."""
        self.finish(text, set_content_type=media_type)

    def on_connection_close(self) -> None:
        """Let work end that nobody waits for any more."""
        self.gone.set()
        super().on_connection_close()

    async def moved_on(self) -> bool:
        """Send what is written so far; whether the client is gone."""
        try:
            await self.flush()
        except StreamClosedError:
            return True
        return False

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Render every error as JSON, with a message and a code; of an unforeseen one nothing but its number."""
        error = keywords.get("exc_info", (None, None))[1]
        body: dict[str, Any] = {"status": "error"}
        if isinstance(error, EnvStoreError):
            self.set_status(error.status)
            body |= {"message": str(error), "code": error.code}
            if isinstance(error, SpecificationError):
                body["faults"] = [{"message": f.message, "line": f.line, "field": f.field} for f in error.faults]
            if error.suggestions:
                body["suggestions"] = {name: list(found) for name, found in error.suggestions.items()}
            if isinstance(error, ChannelUnreachableError) and error.last_index:
                body["last_index"] = error.last_index
            if isinstance(error, UnknownPlacesError):
                body["places"] = error.places
            if isinstance(error, BusyError | NotReadyError):
                self.set_header("Retry-After", "5")
            if isinstance(error, RangeError):
                self.set_header("Content-Range", f"bytes */{error.size}")
            if isinstance(error, AuthenticationError):
                self.set_header("WWW-Authenticate", 'Bearer realm="jupyter-envstore"')
        elif isinstance(error, HTTPError):
            message = error.log_message or responses.get(status_code, "error")
            body |= {"message": message.split("\n")[0], "code": CODES.get(status_code, "error")}
            if status_code == 405:
                verbs = [verb.upper() for verb in VERBS if self._has(verb)]
                self.set_header("Allow", ", ".join(verbs))
        else:
            number = getattr(self, "_incident", uuid.uuid4().hex[:8])
            body |= {
                "message": f"something unforeseen happened; the server's log has it as {number}",
                "code": "internal",
            }
        self.finish(json.dumps(body))

    def _has(self, verb: str) -> bool:
        return getattr(type(self), verb) is not getattr(APIHandler, verb)

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """Log what was unforeseen with its number, and nothing that a user could cause."""
        if isinstance(value, EnvStoreError | StreamClosedError | asyncio.CancelledError):
            return
        if isinstance(value, HTTPError):
            if value.status_code >= 500:
                super().log_exception(kind, value, trace)
            return
        self._incident = uuid.uuid4().hex[:8]
        self.log.error(
            "envstore: %s: %s failed", self._incident, self._request_summary(), exc_info=(kind, value, trace)
        )

    def get_login_url(self) -> str:
        """An API has no page to log in at."""
        msg = "log in, or send a token"
        raise AuthenticationError(msg)


class NotFoundHandler(EnvStoreHandler):
    """Answers what no other route does."""

    async def get(self, _path: str = "") -> None:
        """Say so."""
        msg = f"there is nothing at {self.request.path}"
        raise NotFoundError(msg)

    head = post = put = delete = get


def header_token(header: str) -> str | None:
    """Return the token of an ``Authorization`` header: ``Bearer``, ``token``, or the password of ``Basic``."""
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    if not rest:
        return None
    if scheme.lower() in ("bearer", "token"):
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
        except ValueError:
            return None
    return None


def route(template: str) -> str:
    """Return the pattern of a path such as ``build/{build_id}/``; a slash at its end may stand or not."""
    pieces = re.split(r"(\{\w+\})", template.rstrip("/"))
    pattern = "".join(f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(piece) for piece in pieces)
    return f"{pattern}/?"


def http_date(moment: datetime) -> str:
    """Return a moment (UTC, naive) as HTTP writes it (RFC 9110, 5.6.7)."""
    return moment.replace(tzinfo=timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
