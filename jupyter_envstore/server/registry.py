"""The registry: the server answers Docker and its kin (distribution specification of the OCI, 1.1; pull alone)."""

from __future__ import annotations

import re

from jupyter_envstore.blobs.interface import BlobFile, Download
from jupyter_envstore.errors import PermissionDeniedError, RegistryError
from jupyter_envstore.images.oci import INDEX, MANIFEST, sha256
from jupyter_envstore.images.record_artifact import RECORD, referrers_index
from jupyter_envstore.images.reference import DIGEST, LATEST, TAG
from jupyter_envstore.server.registry_base import OCTETS, RegistryHandler
from jupyter_envstore.spec.names import spell


class BaseHandler(RegistryHandler):
    """``/v2/``: what ``docker login`` asks."""

    async def get(self) -> None:
        """Say that the caller is known."""
        self.finish("{}", set_content_type="application/json")

    head = get


class ManifestHandler(RegistryHandler):
    """``/v2/<name>/manifests/<tag or digest>``: an image that is not made yet is made now."""

    async def get(self, repository: str, reference: str) -> None:
        """Send the manifest."""
        accepted = self._check_accept()
        self.set_header("Vary", "Accept")
        build: int | None = None
        only = await self.only_build()
        if RECORD in accepted and TAG.fullmatch(reference) and await self._send_record(repository, reference, only):
            return
        image = await self.find_image(repository) if reference == LATEST else None
        if image is not None:
            await self.require_repository(repository)
            if only is not None:
                msg = "a share link has no images built on demand"
                raise PermissionDeniedError(msg)
            build = await self.context.image_waits.on_demand(image, self.identity)
        environment = await self.find_environment(repository)
        if reference.startswith("sha256:"):
            if not DIGEST.fullmatch(reference):
                msg = f"{reference[:100]!r} is no digest"
                raise RegistryError(msg, "DIGEST_INVALID", 400)
            digest = reference.removeprefix("sha256:")
            build = await self.run(self.store.images.build_of_manifest, environment, digest, only)
            if build is None:
                record = await self.run(self.store.shared_records.find_manifest, environment, digest, only)
                if record is None:
                    msg = f"{repository} has no image {reference}"
                    raise RegistryError(msg, "MANIFEST_UNKNOWN")
                await self._send_manifest(record)
                return
            digest = await self._ready_image(build)
            if reference != f"sha256:{digest}":
                msg = (
                    f"{repository}: parts of {reference} were lost, and today's tools make sha256:{digest} of its build"
                )
                raise RegistryError(msg, "MANIFEST_UNKNOWN")
        else:
            if not TAG.fullmatch(reference):
                msg = f"{reference[:100]!r} is no tag"
                raise RegistryError(msg, "TAG_INVALID", 400)
            build = build or await self.run(self.store.images.tagged_build, environment, reference)
            if only not in (None, build):
                msg = f"the share link has the active build of {repository} alone; its tag is latest"
                raise RegistryError(msg, "MANIFEST_UNKNOWN")
            if build is None:
                msg = f"{repository} {await self.run(self.store.images.why_untagged, environment, reference)}"
                raise RegistryError(msg, "MANIFEST_UNKNOWN")
            digest = await self._ready_image(build)
        file = await self.run(self.store.artifacts.file, digest)
        self.set_header("Docker-Content-Digest", f"sha256:{digest}")
        if build is not None:
            self.note_once(build, "docker")
        await self.send_file(file, digest, Download("manifest.json", MANIFEST, attachment=False))

    head = get

    async def _ready_image(self, build: int) -> str:
        """Return the digest of a build's manifest; for a share link, nothing is made."""
        if self.identity.link is None:
            return await self.context.image_waits.ready(build, self.identity.name)
        return await self.context.image_waits.made(build)

    async def _send_record(self, repository: str, tag: str, only: int | None) -> bool:
        """Send the build record of a tag, which is there although its image is not; False where there is none."""
        environment = await self.find_environment(repository)
        build = await self.run(self.store.images.tagged_build, environment, tag)
        if build is None or only not in (None, build):
            return False
        self.note_once(build, "record")
        await self._send_manifest(await self.run(self.store.shared_records.manifest, build))
        return True

    async def _send_manifest(self, data: bytes) -> None:
        digest = sha256(data)
        self.set_header("Docker-Content-Digest", f"sha256:{digest}")
        await self.send_whole(data, digest, MANIFEST, "manifest.json")

    def _check_accept(self) -> set[str]:
        """Return what a client takes. Refuse who takes no OCI manifest. Clients send several ``Accept`` headers."""
        accepted = ",".join(self.request.headers.get_list("Accept"))
        kinds = {
            kind.partition(";")[0].strip().lower()
            for kind in accepted.split(",")
            if not re.search(r";\s*q=0(\.0*)?\s*(;|$)", kind)  # "not acceptable" (RFC 9110, 12.4.2)
        } - {""}
        if accepted.strip() and not kinds & {MANIFEST, "*/*", "application/*"}:
            msg = f"the image is an OCI image, {MANIFEST}, which the request does not accept; use a newer client"
            raise RegistryError(msg, "MANIFEST_UNKNOWN")
        return kinds


class ReferrersHandler(RegistryHandler):
    """``/v2/<name>/referrers/<digest>``: the build record of an image."""

    async def get(self, repository: str, digest: str) -> None:
        """List what refers to an image; nothing where there is no such image."""
        environment = await self.find_environment(repository)
        if not DIGEST.fullmatch(digest):
            msg = f"{digest[:100]!r} is no digest"
            raise RegistryError(msg, "DIGEST_INVALID", 400)
        plain, only = digest.removeprefix("sha256:"), await self.only_build()
        listed = await self.run(self.store.shared_records.referrers, environment, plain, only)
        wanted = self.get_query_argument("artifactType", "")
        if wanted:
            listed = [item for item in listed if item["artifactType"] == wanted]
            self.set_header("OCI-Filters-Applied", "artifactType")
        data = referrers_index(listed)
        await self.send_whole(data, sha256(data), INDEX, "index.json")

    head = get


BLOB = Download("blob", OCTETS, attachment=False)


class BlobHandler(RegistryHandler):
    """``/v2/<name>/blobs/<digest>``: of an image of this very repository alone."""

    async def get(self, repository: str, digest: str) -> None:
        """Send the blob."""
        place = await self.require_repository(repository)
        if not DIGEST.fullmatch(digest):
            msg = f"{digest[:100]!r} is no digest"
            raise RegistryError(msg, "DIGEST_INVALID", 400)
        plain, only = digest.removeprefix("sha256:"), await self.only_build()
        found = await self.run(self.store.images.blob, *place, plain, only)
        if found is None:
            environment = await self.find_environment(repository)  # or there is not even that
            part = await self.run(self.store.shared_records.blob, environment, plain, only)
            if part is not None:
                await self._send_part(part, plain)
                return
            msg = f"no image of {repository} has {digest}; pull the image again, which makes anew what was lost"
            raise RegistryError(msg, "BLOB_UNKNOWN")
        self.set_header("Docker-Content-Digest", digest)
        await self.send_file(found, plain, BLOB)

    head = get

    async def _send_part(self, part: bytes | BlobFile, digest: str) -> None:
        """Send a part of a build record."""
        self.set_header("Docker-Content-Digest", f"sha256:{digest}")
        if isinstance(part, bytes):
            await self.send_whole(part, digest, OCTETS, "blob")
        else:
            await self.send_file(part, digest, BLOB)


class TagsHandler(RegistryHandler):
    """``/v2/<name>/tags/list``"""

    async def get(self, repository: str) -> None:
        """List the keys of the builds, and ``latest``."""
        environment = await self.find_environment(repository)
        tags = await self.run(self.store.images.tags, environment, await self.only_build())
        self.answer_names(tags, "tags", f"{repository}/tags/list", {"name": repository})

    head = get


class CatalogHandler(RegistryHandler):
    """``/v2/_catalog``"""

    async def get(self) -> None:
        """List the repositories that the caller may read."""
        found = await self.run(self.store.images.repositories)
        names = [
            f"{spell(namespace)}/{spell(name)}"
            for namespace, name in found
            if self.identity.may("environment::read", namespace, name)
        ]
        self.answer_names(names, "repositories", "_catalog", {})

    head = get


class NothingHandler(RegistryHandler):
    """Everything else below ``/v2/``."""

    async def get(self, *_path: str) -> None:
        """Say that there is nothing."""
        msg = f"there is nothing at {self.request.path[:200]}"
        raise RegistryError(msg, "NAME_UNKNOWN")

    head = get


REPOSITORY = r"(?P<repository>.+)"
ROUTES: list[tuple[str, type[RegistryHandler]]] = [
    (r"/v2/?", BaseHandler),
    (r"/v2/_catalog", CatalogHandler),
    (rf"/v2/{REPOSITORY}/tags/list", TagsHandler),
    (rf"/v2/{REPOSITORY}/manifests/(?P<reference>[^/]+)", ManifestHandler),
    (rf"/v2/{REPOSITORY}/blobs/(?P<digest>[^/]+)", BlobHandler),
    (rf"/v2/{REPOSITORY}/referrers/(?P<digest>[^/]+)", ReferrersHandler),
    (r"/v2/(.*)", NothingHandler),
]
"""At the root of a host: Docker knows no path in front."""
