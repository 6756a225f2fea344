"""Kept packages for clients of conda and of Python's indexes: ``<base_url>envstore/channel/``."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.blobs.interface import Download
from jupyter_envstore.errors import AuthenticationError, NotFoundError
from jupyter_envstore.server.file_responses import FileHandler
from jupyter_envstore.server.json_handler import header_token

OCTETS = "application/octet-stream"
JSON_INDEX = "application/vnd.pypi.simple.v1+json"
INDEXES = {"repodata.json": False, "repodata.json.zst": True}
"""Names of an index, and whether it is packed."""


class ChannelHandler(FileHandler):
    """Base of the channel's handlers: a token says who asks, in the ``Authorization`` header or in the path.

    Cookies count for nothing here, so that no other site's page can use any. A token in the path (``/t/<token>/``, as
    conda's clients send it) is struck out before anybody logs the address.
    """

    basic = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Find the token; forget what else could say who asks."""
        for name in ("Cookie", "X-XSRFToken"):
            self.request.headers.pop(name, None)
        for known in (self.request.arguments, self.request.query_arguments, self.request.body_arguments):
            known.pop("token", None)
        token = header_token(self.request.headers.get("Authorization", ""))
        in_path = self.path_kwargs.pop("token", None)
        if in_path:
            text = str(in_path)
            self.request.uri = (self.request.uri or "").replace(f"/t/{text}/", "/t/***/")
            self.request.path = self.request.path.replace(f"/t/{text}/", "/t/***/")
            token = token or text
        if token:
            self.request.headers["Authorization"] = f"token {token}"
        await super().prepare()
        if not self.identity.authenticated and not self.identity.bindings:
            msg = "send a token: as the password of a login, or as /t/TOKEN/ in the address"
            raise AuthenticationError(msg)

    def check_xsrf_cookie(self) -> None:
        """No cookie counts here, so none can be abused."""

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Nothing but a token counts here."""
        return True

    def set_disposition(self, name: str, attachment: bool = False) -> None:
        """What clients fetch is no download of a browser."""

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Ask for a login where one is missing, in the way that pip and conda know how to answer."""
        error = keywords.get("exc_info", (None, None))[1]
        if isinstance(error, AuthenticationError):
            self.basic = True
        super().write_error(status_code, **keywords)

    def finish(self, *arguments: Any, **keywords: Any) -> Any:
        """Finish."""
        if self.basic:
            self.set_header("WWW-Authenticate", 'Basic realm="jupyter-envstore"')
        return super().finish(*arguments, **keywords)

    async def get(self, **place: str) -> None:
        """Send it."""
        await self.serve(**place)

    async def head(self, **place: str) -> None:
        """Say what would be sent."""
        await self.serve(**place)

    async def serve(self, **place: str) -> None:
        """Answer both."""
        raise NotImplementedError


class FileOfChannelHandler(ChannelHandler):
    """``channel/<subdir>/<file>``: an index, or a package.

    ``channel/sha256/<digest>/`` is the channel that is this file alone; lists of packages have such addresses, since of
    two files of one name only one can be in an index.
    """

    async def serve(self, **place: str) -> None:
        """Send the index of what the caller may read, or one package of it."""
        subdir, filename, digest = place["subdir"], place["filename"], place.get("digest", "")
        if filename in INDEXES:
            index = await self.run(self.store.package_channel.index, self.identity, subdir, INDEXES[filename], digest)
            await self.send_whole(index.data, index.digest, index.media_type, filename)
            return
        found, file = await self.run(self.store.package_channel.file, self.identity, subdir, filename, digest)
        self.note_once(file.build_id, "package")
        await self.send_file(found, file.digest, Download(filename, OCTETS, attachment=False))


class WheelHandler(ChannelHandler):
    """``channel/files/<digest>/<file>``: a file of a PyPI package."""

    async def serve(self, **place: str) -> None:
        """Send it."""
        filename, digest = place["filename"], place["digest"]
        found, file = await self.run(self.store.package_channel.wheel, self.identity, digest, filename)
        self.note_once(file.build_id, "package")
        await self.send_file(found, file.digest, Download(file.filename, OCTETS, attachment=False))


class SimpleHandler(ChannelHandler):
    """``channel/simple/``: the names of PyPI packages (PEP 503; PEP 691 where that is asked for)."""

    async def serve(self, **place: str) -> None:
        """Send them."""
        as_json = JSON_INDEX in self.request.headers.get("Accept", "")
        if "project" in place:
            found = await self.run(self.store.package_channel.simple_project, self.identity, place["project"], as_json)
        else:
            found = await self.run(self.store.package_channel.simple_index, self.identity, as_json)
        self.set_header("Vary", "Accept")
        await self.send_whole(found.data, found.digest, found.media_type, "index")


class NothingHandler(ChannelHandler):
    """Everything else below ``channel/``."""

    async def serve(self, **_place: str) -> None:
        """Say that there is nothing."""
        msg = f"the channel has nothing at {self.request.path[:200]}"
        raise NotFoundError(msg)


TOKEN = "(?P<token>[^/]+)"  # noqa: S105 - a pattern
PLACES = (
    "/envstore/channel",
    f"/envstore/channel/t/{TOKEN}",
    f"/envstore/t/{TOKEN}/channel",
    f"/t/{TOKEN}/envstore/channel",
)
"""Where the channel is: plain, and with a token where people, conda and rattler put one."""
PATHS: list[tuple[str, type[ChannelHandler]]] = [
    (r"/simple/?", SimpleHandler),
    (r"/simple/(?P<project>[^/]+)/?", SimpleHandler),
    (r"/files/(?P<digest>[0-9a-f]{64})/(?P<filename>[^/]+)", WheelHandler),
    (r"/sha256/(?P<digest>[0-9a-f]{64})/(?P<subdir>[a-z0-9-]+)/(?P<filename>[^/]+)", FileOfChannelHandler),
    (r"/(?P<subdir>[a-z0-9-]+)/(?P<filename>[^/]+)", FileOfChannelHandler),
    (r"(?:/.*)?", NothingHandler),
]
ROUTES = [(place + path, handler) for place in reversed(PLACES) for path, handler in PATHS]
