"""Images that somebody waits for: made once, however many wait, and whether or not they still do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_envstore.database.awaited_artifacts import Wanted
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.errors import EnvStoreError, PermissionDeniedError, RegistryError
from jupyter_envstore.spec.names import DYNAMIC

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.server.artifact_waits import ArtifactWaits
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads
    from jupyter_envstore.spec.dynamic_images import DynamicImage


class ImageWaits:
    """Waits for images: they are asked for once, by whoever is the first."""

    def __init__(self, access: StoreAccess, threads: Threads, artifact_waits: ArtifactWaits) -> None:
        self._access = access
        self._threads = threads
        self._artifact_waits = artifact_waits
        self._waits: dict[int, asyncio.Task[str]] = {}
        self._turn = asyncio.Lock()

    async def ready(self, build: int, who: str) -> str:
        """Return the digest of a build's manifest once it is made; have it made, if nobody has yet.

        Raises
        ------
        RegistryError
            It cannot be made; the message has the reason.
        """
        known = self._waits.get(build)
        if known is None:
            known = self._waits[build] = asyncio.ensure_future(self._make(build, who))
            known.add_done_callback(lambda task: self._forget(build, task))
        return await asyncio.shield(known)

    async def made(self, build: int) -> str:
        """Return the digest of a build's manifest if its image is there; nothing is made, and nobody waits.

        Raises
        ------
        RegistryError
            It is not there.
        """
        state = await self._threads.run(self._access.store.images.state, build)
        if state["state"] != "ready":
            msg = "the image of the shared environment is not made; ask who shared it to make it"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        return str(state["digest"])

    def _forget(self, build: int, task: asyncio.Task[str]) -> None:
        self._waits.pop(build, None)
        if not task.cancelled():
            task.exception()  # nobody may be left who would hear of it

    async def on_demand(self, image: DynamicImage, identity: Identity) -> int:
        """Return the build of an image on demand.

        Pulls take turns here, so that an image is built once and nobody passes their limit by asking for many at once.

        Raises
        ------
        PermissionDeniedError, QuotaError
            The caller may have none made; or has as many as they may.
        """
        may_create = identity.may("environment:create", DYNAMIC, image.name)
        async with self._turn:
            build = await self._threads.run(self._access.store.dynamic_images.build, image, identity.name, may_create)
        if build is None:
            msg = f"you may not have images made: it needs environment:create on {DYNAMIC}/{image.name}"
            raise PermissionDeniedError(msg)
        return int(build)

    async def _make(self, build: int, who: str) -> str:
        store, wanted = self._access.store, Wanted(build, "docker")
        await self._artifact_waits.settled(wanted)
        state = await self._threads.run(store.images.state, build)
        if state["build"] != COMPLETED:
            msg = f"the environment cannot be built: {state['why'] or state['build']}"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        if state["state"] != "ready":
            try:
                await self._threads.run(store.artifacts.request, build, "docker", "", who)
            except EnvStoreError as error:
                raise RegistryError(str(error), "MANIFEST_UNKNOWN") from None
            await self._artifact_waits.settled(wanted)
            state = await self._threads.run(store.images.state, build)
        if state["state"] == "failed":
            msg = f"the image cannot be made: {state['reason']}"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        if state["state"] != "ready":
            msg = "the image was dropped while it was waited for; pull again"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        return str(state["digest"])
