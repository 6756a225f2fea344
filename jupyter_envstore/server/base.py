"""What all handlers share: who asks, what they may, how input is read and errors are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar, ParamSpec, TypeVar

from jupyter_server.auth.identity import User

from jupyter_envstore.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    StoreUnavailableError,
    TooLargeError,
)
from jupyter_envstore.images.reference import LATEST
from jupyter_envstore.policy.access import TOKEN_PREFIX, Identity
from jupyter_envstore.remote.headers import API_PATH, VERSION, own_version
from jupyter_envstore.server.context import context_of
from jupyter_envstore.server.json_handler import header_token
from jupyter_envstore.server.request_reader import Reader

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import SharedLink
    from jupyter_envstore.server.context import ServerContext
    from jupyter_envstore.services.interfaces import Store

P = ParamSpec("P")
T = TypeVar("T")
LOG_TELLS = "the server's log tells why"
NOT_FOR_LINKS = "a share link opens one environment: its address shared/, the files of its active build, and its image"
SHOWN_PATH = re.compile(r"/(?:[\w.~%@+-]+/)+", re.ASCII)


class EnvStoreHandler(Reader):
    """Base of all handlers. A verb is reached when Jupyter's Authorizer lets it; it then asks for our permission.

    Who asks is found before anything else: one of our tokens, Jupyter's own identity, or nobody.
    """

    max_body: ClassVar[int] = 256 * 1024
    for_links: ClassVar[bool] = False
    """Whether whoever has a share link reaches it, to read. All that is not for links is closed to them."""
    identity: Identity
    place: tuple[str, str]

    def set_default_headers(self) -> None:
        """Say which version answers, beside what Jupyter says."""
        super().set_default_headers()
        self.set_header(VERSION, own_version())

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
                self.check_same_site()
            known = await self.context.identities.of_user(user)
        if known is None and user is None and self.request.headers.get("Authorization"):
            msg = "the token is not known, neither to Jupyter nor to the store; check it, or make another"
            raise AuthenticationError(msg)
        self.identity = known or self.context.access.rules.nobody()
        if self.identity.link is not None and not (self.for_links and self.request.method in ("GET", "HEAD")):
            raise PermissionDeniedError(NOT_FOR_LINKS)
        if user is not None:
            await self.require_authorized(user)

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

    def require(self, permission: str, namespace: str, name: str = "*") -> None:
        """Refuse who lacks a permission of ours."""
        self.identity.require(permission, namespace, name)

    def require_somewhere(self, permission: str, named: Callable[[], tuple[str, str]] | None = None) -> None:
        """Refuse who holds a permission nowhere; ``named`` gives the place that is told then, by default their own."""
        if self.identity.visible(permission) == ():
            self.require(permission, *(named() if named else (self.identity.primary_namespace,)))

    async def require_namespace(self, namespace: str) -> None:
        """Refuse who may not make a namespace, where it is not there.

        Raises
        ------
        AuthenticationError, PermissionDeniedError
            Nobody is logged in, or they may not.
        """
        if await self.run(self.store.namespaces.exists, namespace):
            return
        if self.identity.authenticated and not self.identity.may("namespace::create", namespace):
            msg = (
                f"there is no namespace {namespace}, and {self.identity.name} lacks the permission namespace::create; "
                "ask an admin of the store to make it, or name another namespace"
            )
            raise PermissionDeniedError(msg)
        self.require("namespace::create", namespace)

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

    @property
    def api_path(self) -> str:
        """Path of the REST API for who asks: a server that is a client of this one shows it at a path of its own."""
        shown = self.request.headers.get(API_PATH, "")
        return shown if SHOWN_PATH.fullmatch(shown) else self.context.api_url

    # -- answers ---------------------------------------------------------------------------------------------------


class NotFoundHandler(EnvStoreHandler):
    """Answers what no other route does."""

    async def get(self, _path: str = "") -> None:
        """Say so."""
        msg = f"there is nothing at {self.request.path}"
        raise NotFoundError(msg)

    head = post = put = delete = get


def route(template: str) -> str:
    """Return the pattern of a path such as ``build/{build_id}/``; a slash at its end may stand or not."""
    pieces = re.split(r"(\{\w+\})", template.rstrip("/"))
    pattern = "".join(f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(piece) for piece in pieces)
    return f"{pattern}/?"


def http_date(moment: datetime) -> str:
    """Return a moment (UTC, naive) as HTTP writes it (RFC 9110, 5.6.7)."""
    return moment.replace(tzinfo=timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
