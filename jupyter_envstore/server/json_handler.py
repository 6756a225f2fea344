"""What all handlers of the API share: answers and errors as JSON, and requests of other sites' pages."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import uuid
from collections.abc import Sequence
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from jupyter_envstore.errors import (
    AuthenticationError,
    BusyError,
    ChannelUnreachableError,
    EnvStoreError,
    NotReadyError,
    PermissionDeniedError,
    RangeError,
    SpecificationError,
    UnknownPlacesError,
)
from jupyter_envstore.server.request_summaries import request_summary

if TYPE_CHECKING:
    from jupyter_server.auth.identity import User

    from jupyter_envstore.database.paging import Page

VERBS = ("get", "head", "post", "put", "delete")
CODES = {400: "bad_request", 401: "not_authenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
OTHER_SITE = "this request comes from another site; send a token in the Authorization header instead of a cookie"


class JsonHandler(APIHandler):
    """A handler that answers in JSON, errors too. Its ``prepare`` decides who may; no verb asks for Jupyter's login."""

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

    def check_same_site(self) -> None:
        """Refuse a request that another site's page made with the cookie of who looks at it.

        Browsers say so in ``Sec-Fetch-Site`` (W3C Fetch Metadata); older ones in ``Referer`` or ``Origin``.

        Raises
        ------
        PermissionDeniedError
            It was.
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

    async def require_authorized(self, user: User) -> None:
        """Refuse whom Jupyter's Authorizer does not let use environments.

        Raises
        ------
        PermissionDeniedError
            It does not.
        """
        action = "read" if self.request.method in ("GET", "HEAD", "OPTIONS") else "write"
        if not await ensure_async(self.authorizer.is_authorized(self, user, action, "envstore")):
            msg = f"the server's authorizer does not let {user.username} {action} environments"
            raise PermissionDeniedError(msg)

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
