"""What the handlers of the registry share: who asks, which repository is meant, and the form of errors."""

from __future__ import annotations

import asyncio
import http.cookies
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.web import HTTPError

from jupyter_envstore.errors import (
    AuthenticationError,
    BusyError,
    EnvStoreError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    RangeError,
    RegistryError,
    StorageError,
    TooLargeError,
)
from jupyter_envstore.images.reference import MAX_NAME, NAME
from jupyter_envstore.server.file_responses import FileHandler
from jupyter_envstore.server.json_handler import header_token
from jupyter_envstore.spec.names import DYNAMIC, unspell

if TYPE_CHECKING:
    from jupyter_envstore.spec.dynamic_images import DynamicImage

OCTETS = "application/octet-stream"
ENVIRONMENT_ON_DEMAND = re.compile(r"[a-z0-9-]+-[0-9a-f]{12}")
MOST = 1000
"""Names on a page of a listing, at most."""
CODES: list[tuple[type[EnvStoreError], str]] = [
    (AuthenticationError, "UNAUTHORIZED"),
    (PermissionDeniedError, "DENIED"),
    (NotFoundError, "NAME_UNKNOWN"),
    (RangeError, "RANGE_INVALID"),
    (TooLargeError, "SIZE_INVALID"),
    (BusyError, "TOOMANYREQUESTS"),
    (QuotaError, "TOOMANYREQUESTS"),
    (InvalidInputError, "NAME_INVALID"),
    (StorageError, "UNAVAILABLE"),
]
"""Codes of errors that are not the registry's own (distribution specification, "error codes")."""


class RegistryHandler(FileHandler):
    """Base of the registry's handlers: only the ``Authorization`` header says who asks; errors have its own form."""

    for_links = True

    async def prepare(self) -> None:  # type: ignore[override]
        """Forget what else could say who asks: a registry is for programs, and a cookie or an address is none."""
        self.set_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name in ("Cookie", "X-XSRFToken"):
            self.request.headers.pop(name, None)
        for known in (self.request.arguments, self.request.query_arguments, self.request.body_arguments):
            known.pop("token", None)
        header = self.request.headers.get("Authorization", "")
        token = header_token(header)
        if header and token is None:
            msg = "the Authorization header cannot be read; docker login -u anything -p TOKEN writes a right one"
            raise AuthenticationError(msg)
        if token is not None:
            self.request.headers["Authorization"] = f"token {token}"
        await super().prepare()
        if not self.identity.authenticated and not self.identity.bindings:
            msg = "log in: docker login -u anything -p TOKEN, with a token of the server or of its tokens page"
            raise AuthenticationError(msg)

    def check_xsrf_cookie(self) -> None:
        """No cookie counts here, so none can be abused."""

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Nothing but a header that no other site's page can send counts here."""
        return True

    def check_host(self) -> bool:
        """Any name of this machine will do: who is tricked into asking another one brings no cookie."""
        return True

    async def require_repository(self, repository: str) -> tuple[str, str]:
        """Return namespace and name of an environment that a repository is, and that the caller may read.

        Raises
        ------
        RegistryError, PermissionDeniedError, AuthenticationError
            It can be none; or the caller may not see it, whether or not it is there.
        """
        parts = [unspell(part) for part in repository.split("/")]
        image = await self.find_image(repository)
        if image is not None:
            parts = [DYNAMIC, image.name]
        if len(parts) != 2 or None in parts:
            msg = f"{repository[:100]!r} is no repository here: they are called NAMESPACE/ENVIRONMENT"
            raise RegistryError(msg, "NAME_UNKNOWN")
        namespace, name = str(parts[0]), str(parts[1])
        if not self.identity.may("environment::read", namespace, name):
            if not self.identity.authenticated:
                msg = f"log in to pull {repository}"
                raise AuthenticationError(msg)
            msg = f"you may not read {namespace}/{name}"
            raise PermissionDeniedError(msg)
        return namespace, name

    async def only_build(self) -> int | None:
        """Return the one build that a share link gives; None for everybody else, to whom none is closed.

        Raises
        ------
        RegistryError
            The environment of the link has no build.
        """
        link = self.identity.link
        if link is None:
            return None
        build = await self.shared_build(link)
        if build is None:
            msg = "the environment of the share link has not been built yet"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        return build

    async def find_image(self, repository: str) -> DynamicImage | None:
        """Return the image on demand that a repository is by its constraints; None where it is none.

        The environment of one, which stands in the addresses that the panel shows, is a repository like any other.

        Raises
        ------
        RegistryError
            It is no name of a repository, or no image on demand.
        """
        if len(repository) > MAX_NAME or not NAME.fullmatch(repository):
            msg = f"{repository[:100]!r} is no name of a repository: lower case, NAMESPACE/ENVIRONMENT"
            raise RegistryError(msg, "NAME_INVALID", 400)
        namespace, _, rest = repository.partition("/")
        if namespace != DYNAMIC:
            return None
        if ENVIRONMENT_ON_DEMAND.fullmatch(rest):
            known = await self.run(self.store.images.environment_id, namespace, rest, True)
            if known is not None:
                return None
        return await self.run(self.store.dynamic_images.parse, repository)

    async def find_environment(self, repository: str) -> int:
        """Return the id of the environment that a repository is.

        Raises
        ------
        RegistryError, PermissionDeniedError, AuthenticationError
            There is no such environment, or as :meth:`require_repository`.
        """
        namespace, name = await self.require_repository(repository)
        found = await self.run(self.store.images.environment_id, namespace, name, True)
        if found is None:
            msg = f"there is no environment {namespace}/{name}"
            raise RegistryError(msg, "NAME_UNKNOWN")
        return int(found)

    def answer_names(self, names: list[str], key: str, below: str, more: dict[str, Any]) -> None:
        """Send a listing, or the part of it that ``n`` and ``last`` name, with the address of the next in ``Link``.

        Raises
        ------
        RegistryError
            The size of the page is no number.
        """
        count = self.get_query_argument("n", "")
        if count and not re.fullmatch(r"[0-9]{1,6}", count):
            msg = f"n is {count[:20]!r}, not a number of up to six digits"
            raise RegistryError(msg, "PAGINATION_NUMBER_INVALID", 400)
        last = self.get_query_argument("last", "")
        found = sorted(name for name in names if name > last)
        size = min(int(count), MOST) if count else MOST
        shown = found[:size]
        if len(found) > len(shown) and shown:
            address = f"/v2/{below}?n={size}&last={quote(shown[-1], safe='')}"
            self.set_header("Link", f'<{address}>; rel="next"')
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({**more, key: shown}), set_content_type="application/json")

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
        """Send what is written, without the cookies that Jupyter gives to browsers."""
        if not self._headers_written:
            self._new_cookie = http.cookies.SimpleCookie()
        return super().flush(include_footers)

    def set_disposition(self, name: str, attachment: bool = False) -> None:
        """What clients pull is no download of a browser."""

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Render every error as the distribution specification has it."""
        error = keywords.get("exc_info", (None, None))[1]
        code, message = "UNKNOWN", ""
        if isinstance(error, EnvStoreError):
            status_code, message = error.status, str(error)
            code = next((code for kind, code in CODES if isinstance(error, kind)), "UNKNOWN")
            code = error.registry_code if isinstance(error, RegistryError) else code
            if isinstance(error, RangeError):
                self.set_header("Content-Range", f"bytes */{error.size}")
            if isinstance(error, BusyError):
                self.set_header("Retry-After", "5")
        elif isinstance(error, HTTPError):
            code = {401: "UNAUTHORIZED", 403: "DENIED", 405: "UNSUPPORTED"}.get(status_code, "UNKNOWN")
            message = error.log_message or "the request cannot be answered"
        else:
            incident = getattr(self, "_incident", "")
            message = f"something unforeseen happened; the server's log has it as {incident}"
        if status_code == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="jupyter-envstore"')
        self.set_status(status_code)
        self.set_header("Content-Type", "application/json")
        body = {"errors": [{"code": code, "message": message, "detail": None}]}
        self.finish(json.dumps(body), set_content_type="application/json")

    async def post(self, *_path: str, **_names: str) -> None:
        """Refuse: images are made of builds, nobody pushes any."""
        msg = "this registry is for pulling: its images are made of builds"
        raise RegistryError(msg, "UNSUPPORTED", 405)

    put = delete = post
    patch = allow_unauthenticated(post)
