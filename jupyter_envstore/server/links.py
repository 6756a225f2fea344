"""Links that share an environment: made, listed and revoked by who may; followed by whoever has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_envstore.database.states import READY
from jupyter_envstore.errors import EnvStoreError, InvalidInputError, PermissionDeniedError
from jupyter_envstore.representation import moments
from jupyter_envstore.server.artifacts import with_address
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.file_responses import FileHandler
from jupyter_envstore.spec.address_reach import reach_of
from jupyter_envstore.spec.share_links import share_link

if TYPE_CHECKING:
    from jupyter_envstore.representation.artifacts import ArtifactView


class SharesHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/share/``"""

    async def get(self, namespace: str, name: str) -> None:
        """List the links to the environment that the caller may revoke."""
        self.check_place(namespace, name)
        self.require_login()
        self.require("environment::read", namespace, name)
        self.answer(await self.run(self.store.links.of_environment, self.identity, namespace, name))

    async def post(self, namespace: str, name: str) -> None:
        """Make a link with which anybody may look at the environment, until it ends or is revoked."""
        self.check_place(namespace, name)
        self.require_login()
        self.require("environment::read", namespace, name)
        body = self.json_body(("days", "expiration"))
        ends = moments.read_moment(body.get("expiration"), "expiration")
        if ends is not None and body.get("days") is not None:
            msg = "give days or expiration, not both"
            raise InvalidInputError(msg)
        place, days = (self.identity, namespace, name), self.field(body, "days", int, 7)
        token, view = await self.run(self.store.links.make, *place, days, ends)
        link = share_link(self._root(), token)
        self.answer({"token": token, "link": link, "reach": reach_of(link), **view}, status=201)

    def _root(self) -> str:
        """Return the address of this server: the configured one, else as the request has it."""
        return self.store.config.public_url or f"{self.request.protocol}://{self.request.host}{self.base_url}"


class ShareHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/share/{token_id}/``"""

    async def delete(self, namespace: str, name: str, token_id: str) -> None:
        """Revoke a link: one's own, or anybody's where one may delete the environment."""
        self.check_place(namespace, name)
        self.require_login()
        self.require("environment::read", namespace, name)
        number = self.read_id(token_id, "token")
        await self.run(self.store.links.revoke, self.identity, namespace, name, number)
        self.acknowledge()


class SharedHandler(FileHandler):
    """``shared/``: what whoever has a share link is told, in one answer."""

    for_links = True

    async def get(self) -> None:
        """Show the environment of the link, its files, the address of its image; with ``lock``, its build record."""
        link, with_lock = self.identity.link, self.flag("lock")
        if link is None:
            self.require_login()
            msg = "this address is for share links: send the token of one, which stands behind # in the link"
            raise PermissionDeniedError(msg)
        shown = await self.run(self.store.links.shown, link)
        build, artifacts, image, bond = shown["build_id"], [], None, None
        if build is not None:
            found = await self.run(self.store.artifacts.of_build, build)
            ready: list[ArtifactView] = [item for item in found if item["state"] == READY]
            artifacts = [with_address(item, self.api_path, build) for item in ready]
            if any(item["type"] == "docker" for item in ready):
                image = await self._image(build)
            self.note_once(build, "record" if with_lock else "shared")
            if with_lock:
                bond = await self.run(self.store.bonds.of_build, build, True)
        ends = moments.expiration_json(self.identity.expires_on)
        self.answer({**shown, "expiration": ends, "artifacts": artifacts, "image": image, "bond": bond})

    async def _image(self, build: int) -> str | None:
        """Return the address of the image, where Docker can reach this server and all its parts are there."""
        try:
            if (await self.run(self.store.images.state, build))["state"] != READY:
                return None
            host = self.context.registry.host(self.request)
            return await self.run(self.store.images.address, build, host)
        except EnvStoreError:
            return None


ROUTES = [
    ("environment/{namespace}/{name}/share/", SharesHandler),
    ("environment/{namespace}/{name}/share/{token_id}/", ShareHandler),
    ("shared/", SharedHandler),
]
