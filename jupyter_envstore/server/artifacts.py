"""Artifacts of builds: their states, made on request, downloaded."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_envstore.blobs.interface import BlobFile, Download
from jupyter_envstore.database.awaited_artifacts import Standing, Wanted
from jupyter_envstore.database.states import ABSENT, COMPLETED, DROPPED, READY, UNSETTLED
from jupyter_envstore.errors import (
    ClientGoneError,
    ConflictError,
    InvalidInputError,
    NotReadyError,
    PermissionDeniedError,
)
from jupyter_envstore.policy.artifact_kinds import artifact_kinds, artifact_name
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.file_responses import PLAIN, FileHandler
from jupyter_envstore.services.values import LISTED, Document

if TYPE_CHECKING:
    from jupyter_envstore.representation.artifacts import ArtifactView

TAR = "application/x-tar"
PLACES = {
    "yaml": "yaml/",
    "lockfile": "conda-lock.yml",
    "explicit": "explicit/",
    "archive": "archive/",
    "docker": "docker/",
    "installer": "installer/",
}
"""Where artifacts are downloaded that have an address of their own, below ``build/{build_id}/``."""
SHOWN = re.compile(r"text/plain\b|application/([\w.-]+\+)?json\b")
"""Media types that a browser shows in a tab, and in which it runs nothing."""
OPTIONS = ("variant", "format", "channel")
"""Options of a query that say which one of several files is meant."""


class ArtifactsHandler(EnvStoreHandler):
    """``build/{build_id}/artifacts/``"""

    async def get(self, build_id: str) -> None:
        """List the artifacts of a build in every state."""
        number = await self.require_on_build("environment::read", build_id)
        found = await self.run(self.store.artifacts.of_build, number)
        self.answer([with_address(item, self.api_path, number) for item in found])


class MakeHandler(EnvStoreHandler):
    """``build/{build_id}/artifacts/{kind}/``"""

    async def get(self, build_id: str, kind: str) -> None:
        """Show the state of one."""
        number = await self.require_on_build("environment::read", build_id)
        found = await self.run(self.store.artifacts.find, number, artifact_name(kind), self.text_argument("variant"))
        self.answer(with_address(found, self.api_path, number))

    async def post(self, build_id: str, kind: str) -> None:
        """Have it made, or made again after it failed."""
        number = await self.require_on_build("environment::update", build_id)
        body = self.json_body(("variant",))
        variant = self.field(body, "variant", str, "")
        made = await self.run(self.store.artifacts.request, number, artifact_name(kind), variant, self.identity.name)
        found = await self.run(self.store.artifacts.get, made)
        self.answer(with_address(found, self.api_path, number), status=202)


class DownloadHandler(FileHandler):
    """``build/{build_id}/<artifact>/``"""

    for_links = True
    kind = ""
    heeds: tuple[str, ...] = ("variant",)
    """Which of the :data:`OPTIONS` it heeds."""
    hold: asyncio.Task[Standing] | None = None
    """What waits for the artifact."""

    async def get(self, **place: str) -> None:
        """Send it."""
        await self.serve(**place)

    async def head(self, **place: str) -> None:
        """Say what would be sent."""
        await self.serve(**place)

    async def serve(self, **place: str) -> None:
        """Find the build and send its artifact."""
        self.check_options(self.heeds)
        await self.send_artifact(await self.find_build(**place), self.kind, self.variant())

    def check_options(self, known: Sequence[str]) -> None:
        """Refuse what says which file is meant at another address, and says nothing here.

        Raises
        ------
        InvalidInputError
            With the option.
        """
        for key in OPTIONS:
            if key not in known and self.text_argument(key):
                known_here = ", ".join(("download", *known))
                msg = f"the query option {key} is not known at this address; known: {known_here}"
                raise InvalidInputError(msg)

    async def find_build(self, **place: str) -> int:
        """Return the build that the path names."""
        return await self.require_on_build("environment::read", place["build_id"], deleted=True)

    def variant(self) -> str:
        """Return which one of several is asked for."""
        return self.text_argument("variant")

    async def ready_artifact(self, number: int, kind: str, variant: str = "") -> ArtifactView:
        """Return the state of a ready artifact.

        One that is being made, or was not asked for by now, is waited for: no byte of HTTP/1.1 can be sent before the
        status is known, so the wait has an end (``artifact_wait_seconds``). ``HEAD`` tells the state at once.

        Raises
        ------
        NotFoundError, ConflictError
            It was never asked for, and the caller may not have it made; it could not be made; or not in time.
        ClientGoneError
            Nobody waits any more.
        """
        wanted = Wanted(number, kind, variant)
        if self.request.method == "HEAD":
            self._check_settled(wanted, await self.context.artifact_waits.standing(wanted))
        else:
            await self._have_made(wanted)
        found = await self.run(self.store.artifacts.find, number, kind, variant)
        if found["state"] != READY:
            place = f"build/{number}/artifacts/{kind}/"
            reasons = {
                "failed": f"could not be made: {found['reason']}; POST {place} tries again",
                "dropped": f"was dropped to save space; POST {place} makes it again",
            }
            msg = f"the {kind} of build {number} {reasons.get(found['state'], 'is being made; ask again in a while')}"
            raise (ConflictError if found["state"] in reasons else NotReadyError)(msg)
        return found

    async def _have_made(self, wanted: Wanted) -> None:
        """Wait until an artifact stands still; have it made, where that lacks and the caller may."""
        end = time.monotonic() + self.context.artifact_wait_seconds
        standing = await self._settled(wanted, end)
        may = self.identity.may("environment::update", *self.place)
        if may and standing.build == COMPLETED and standing.artifact in (ABSENT, DROPPED):
            await self.run(self.store.artifacts.request, *wanted, self.identity.name)
            await self._settled(wanted, end)

    async def _settled(self, wanted: Wanted, end: float) -> Standing:
        """Return how an artifact stands once it does, or when the time is over."""
        waits = self.context.artifact_waits
        standing = await waits.standing(wanted)
        if not standing.moves:
            return standing
        self.hold = asyncio.ensure_future(waits.settled(wanted))
        done, _ = await asyncio.wait([self.hold], timeout=max(0.0, end - time.monotonic()))
        if not done:
            self.hold.cancel()
            standing = await waits.standing(wanted)
            self._check_settled(wanted, standing)
            return standing
        if self.hold.cancelled():
            msg = "nobody waits for the artifact any more"
            raise ClientGoneError(msg)
        return self.hold.result()

    def _check_settled(self, wanted: Wanted, standing: Standing) -> None:
        if standing.build in UNSETTLED:
            msg = f"build {wanted.build} is {standing.build}, its {wanted.kind} comes after; ask again in a while"
            raise NotReadyError(msg)

    def on_connection_close(self) -> None:
        """Stop waiting."""
        if self.hold is not None:
            self.hold.cancel()
        super().on_connection_close()

    async def send_artifact(self, number: int, kind: str, variant: str = "") -> None:
        """Send an artifact, once it is ready."""
        found = await self.ready_artifact(number, kind, variant)
        file = await self.run(self.store.artifacts.file, found["sha256"] or "")
        self.noted = (number, kind)
        is_file = not is_shown(kind, found["media_type"])
        download = Download(found["file_name"], found["media_type"], is_file)
        await self.send_file(file, found["sha256"] or "", download)


class YamlHandler(DownloadHandler):
    """``build/{build_id}/yaml/``"""

    kind = "yaml"


class ListHandler(DownloadHandler):
    """A list of packages; with ``channel=kept`` their addresses are those of the channel of kept packages."""

    heeds: tuple[str, ...] = ("variant", "channel")

    async def send_artifact(self, number: int, kind: str, variant: str = "") -> None:
        """Send it."""
        kept = await self.kept_list(number, kind, variant)
        if kept is None:
            await super().send_artifact(number, kind, variant)
            return
        self.noted = (number, kind)
        name = "conda-lock.yml" if kind == "lockfile" else "explicit.txt"
        await self.send_whole(kept.data, kept.digest, kept.media_type, name)

    async def kept_list(self, number: int, kind: str, variant: str = "") -> Document | None:
        """Return the list with the addresses of kept packages; None where it is asked for as it is.

        Raises
        ------
        InvalidInputError
            It is asked for with another channel.
        PermissionDeniedError
            It is asked for with a share link, to which that channel is closed.
        """
        channel = self.text_argument("channel")
        if not channel:
            return None
        if self.identity.link is not None:
            msg = "the channel of kept packages is not open to share links; leave channel= away"
            raise PermissionDeniedError(msg)
        if channel != "kept":
            msg = f"channel {channel[:60]!r} is not known here; known: kept"
            raise InvalidInputError(msg)
        address = f"{self.request.protocol}://{self.request.host}{self.base_url}envstore/channel"
        return await self.run(self.store.package_channel.rewritten_list, number, kind, address, variant)


class ExplicitHandler(ListHandler):
    """``build/{build_id}/explicit/``"""

    kind = "explicit"


class ArchiveHandler(DownloadHandler):
    """``build/{build_id}/archive/``: always ``tar.gz`` unless ``format`` says ``tar.zst``."""

    kind = "archive"
    heeds: tuple[str, ...] = ("format",)

    def variant(self) -> str:
        """Return the format."""
        form = self.text_argument("format")
        return "" if form == "tar.gz" else form


class LockYamlHandler(ListHandler):
    """``build/{build_id}/conda-lock.yml``"""

    kind = "lockfile"
    heeds: tuple[str, ...] = ("channel",)


class LockJsonHandler(LockYamlHandler):
    """``build/{build_id}/lockfile/``: the lock as JSON text."""

    async def send_artifact(self, number: int, kind: str, variant: str = "") -> None:
        """Send the lockfile, which is YAML, as JSON."""
        kept = await self.kept_list(number, kind)
        if kept is None:
            digest = (await self.ready_artifact(number, kind))["sha256"] or ""
            text = await self.run(_lock_as_json, digest, self.store.artifacts.file)
        else:
            digest, text = kept.digest, await self.run(lock_text_as_json, kept.data)
        self.noted = (number, kind)
        await self.send_whole(text, f"{digest}-json", PLAIN, "conda-lock.json")


class InstallerHandler(DownloadHandler):
    """``build/{build_id}/installer/``"""

    kind = "installer"


class FileOfKindHandler(ListHandler):
    """``build/{build_id}/artifacts/{kind}/file/``: any artifact, those that other packages make too."""

    async def serve(self, **place: str) -> None:
        """Find the build and send its artifact."""
        kind = artifact_name(place["kind"])
        self.check_options(self.heeds if kind in LISTED else ("variant",))
        await self.send_artifact(await self.find_build(**place), kind, self.variant())


class ImageHandler(DownloadHandler):
    """``build/{build_id}/docker/``: the image's address; with ``download``, all of it as one file."""

    kind = "docker"
    heeds: tuple[str, ...] = ()

    async def send_artifact(self, number: int, kind: str, variant: str = "") -> None:
        """Send the address as text, or the image."""
        if not self.flag("download"):
            host = self.context.registry.host(self.request)
            address = await self.run(self.store.images.address, number, host)
            await self.send_whole(address.encode(), hashlib.sha256(address.encode()).hexdigest(), PLAIN, "address.txt")
            return
        found = await self.ready_artifact(number, kind)
        archive = await self.run(self.store.images.archive, number)
        self.noted = (number, kind)
        await self.send_pieces(archive.pieces(), archive.size, found["sha256"] or "", TAR, found["file_name"])


class _OfEnvironment(DownloadHandler):
    """The path names an environment: its active build is meant."""

    for_links = False

    async def find_build(self, **place: str) -> int:
        namespace, name = place["namespace"], place["name"]
        self.check_place(namespace, name)
        self.require("environment::read", namespace, name)
        self.place = namespace, name
        return (await self.run(self.store.builds.find, namespace, name)).id


class CurrentLockJsonHandler(_OfEnvironment, LockJsonHandler):
    """``environment/{namespace}/{name}/lockfile/``"""


class CurrentLockYamlHandler(_OfEnvironment, LockYamlHandler):
    """``environment/{namespace}/{name}/conda-lock.yml``"""


def with_address(view: ArtifactView, api_url: str, build_id: int) -> dict[str, Any]:
    """Return an artifact's state with the address that it is downloaded from."""
    kind = view["type"]
    url = f"{api_url}build/{build_id}/{PLACES.get(kind, f'artifacts/{kind}/file/')}"
    if view["variant"]:
        url += f"?{'format' if view['type'] == 'archive' else 'variant'}={quote(view['variant'], safe='')}"
    return {**view, "url": url}


def is_shown(kind: str, media_type: str) -> bool:
    """Whether a browser shows an artifact in a tab, instead of saving it as a file."""
    found = artifact_kinds().get(kind)
    return found is not None and found.text and SHOWN.match(media_type) is not None


@functools.lru_cache(maxsize=4)
def _lock_as_json(digest: str, find: Callable[[str], BlobFile]) -> bytes:
    with find(digest).open() as file:
        return lock_text_as_json(file.read())


def lock_text_as_json(text: bytes) -> bytes:
    """Return a lockfile, which is YAML, as JSON."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return json.dumps(yaml.load(text, Loader=loader), default=str).encode()  # noqa: S506 - a safe loader


ROUTES = [
    ("build/{build_id}/artifacts/", ArtifactsHandler),
    ("build/{build_id}/artifacts/{kind}/", MakeHandler),
    ("build/{build_id}/artifacts/{kind}/file/", FileOfKindHandler),
    ("build/{build_id}/yaml/", YamlHandler),
    ("build/{build_id}/explicit/", ExplicitHandler),
    ("build/{build_id}/lockfile/", LockJsonHandler),
    ("build/{build_id}/conda-lock.yml", LockYamlHandler),
    ("build/{build_id}/conda-lock.yaml", LockYamlHandler),
    ("build/{build_id}/archive/", ArchiveHandler),
    ("build/{build_id}/installer/", InstallerHandler),
    ("build/{build_id}/docker/", ImageHandler),
    ("environment/{namespace}/{name}/lockfile/", CurrentLockJsonHandler),
    ("environment/{namespace}/{name}/conda-lock.yml", CurrentLockYamlHandler),
    ("environment/{namespace}/{name}/conda-lock.yaml", CurrentLockYamlHandler),
]
