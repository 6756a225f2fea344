"""The registry: the server answers Docker and its kin (distribution specification of the OCI, 1.1; pull alone)."""

from __future__ import annotations

import asyncio
import http.cookies
import json
import re
from pathlib import Path
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
from jupyter_envstore.images.oci import INDEX, MANIFEST, sha256
from jupyter_envstore.images.record_artifact import RECORD, referrers_index
from jupyter_envstore.images.reference import DIGEST, MAX_NAME, NAME, TAG
from jupyter_envstore.server.base import header_token
from jupyter_envstore.server.file_responses import FileHandler
from jupyter_envstore.spec.names import DYNAMIC, spell, unspell

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
        if RECORD in accepted and TAG.fullmatch(reference) and await self._send_record(repository, reference):
            return
        image = await self.find_image(repository) if reference == "latest" else None
        if image is not None:
            await self.require_repository(repository)
            build = await self.context.image_waits.on_demand(image, self.identity)
        environment = await self.find_environment(repository)
        if reference.startswith("sha256:"):
            if not DIGEST.fullmatch(reference):
                msg = f"{reference[:100]!r} is no digest"
                raise RegistryError(msg, "DIGEST_INVALID", 400)
            build = await self.run(self.store.images.build_of_manifest, environment, reference.removeprefix("sha256:"))
            if build is None:
                digest = reference.removeprefix("sha256:")
                record = await self.run(self.store.shared_records.find_manifest, environment, digest)
                if record is None:
                    msg = f"{repository} has no image {reference}"
                    raise RegistryError(msg, "MANIFEST_UNKNOWN")
                await self._send_manifest(record)
                return
            digest = await self.context.image_waits.ready(build, self.identity.name)
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
            if build is None:
                msg = f"{repository} {await self.run(self.store.images.why_untagged, environment, reference)}"
                raise RegistryError(msg, "MANIFEST_UNKNOWN")
            digest = await self.context.image_waits.ready(build, self.identity.name)
        path = await self.run(self.store.artifacts.path, digest)
        self.set_header("Docker-Content-Digest", f"sha256:{digest}")
        if build is not None:
            self.note_once(build, "docker")
        await self.send_file(path, digest, MANIFEST, "manifest.json", attachment=False)

    head = get

    async def _send_record(self, repository: str, tag: str) -> bool:
        """Send the build record of a tag, which is there although its image is not; False where there is none."""
        environment = await self.find_environment(repository)
        build = await self.run(self.store.images.tagged_build, environment, tag)
        if build is None:
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
        listed = await self.run(self.store.shared_records.referrers, environment, digest.removeprefix("sha256:"))
        wanted = self.get_query_argument("artifactType", "")
        if wanted:
            listed = [item for item in listed if item["artifactType"] == wanted]
            self.set_header("OCI-Filters-Applied", "artifactType")
        data = referrers_index(listed)
        await self.send_whole(data, sha256(data), INDEX, "index.json")

    head = get


class BlobHandler(RegistryHandler):
    """``/v2/<name>/blobs/<digest>``: of an image of this very repository alone."""

    async def get(self, repository: str, digest: str) -> None:
        """Send the blob."""
        place = await self.require_repository(repository)
        if not DIGEST.fullmatch(digest):
            msg = f"{digest[:100]!r} is no digest"
            raise RegistryError(msg, "DIGEST_INVALID", 400)
        plain = digest.removeprefix("sha256:")
        found = await self.run(self.store.images.blob, *place, plain)
        if found is None:
            environment = await self.find_environment(repository)  # or there is not even that
            part = await self.run(self.store.shared_records.blob, environment, plain)
            if part is not None:
                await self._send_part(part, plain)
                return
            msg = f"no image of {repository} has {digest}; pull the image again, which makes anew what was lost"
            raise RegistryError(msg, "BLOB_UNKNOWN")
        path, size = found
        self.set_header("Docker-Content-Digest", digest)
        await self.send_file(path, plain, OCTETS, "blob", attachment=False, size=size)

    head = get

    async def _send_part(self, part: bytes | Path, digest: str) -> None:
        """Send a part of a build record."""
        self.set_header("Docker-Content-Digest", f"sha256:{digest}")
        if isinstance(part, bytes):
            await self.send_whole(part, digest, OCTETS, "blob")
        else:
            await self.send_file(part, digest, OCTETS, "blob", attachment=False)


class TagsHandler(RegistryHandler):
    """``/v2/<name>/tags/list``"""

    async def get(self, repository: str) -> None:
        """List the keys of the builds, and ``latest``."""
        environment = await self.find_environment(repository)
        tags = await self.run(self.store.images.tags, environment)
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
