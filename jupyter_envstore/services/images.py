"""Images as a registry has them: repositories, tags, manifests, blobs."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_envstore.blobs.interface import BlobFile, BlobStore
from jupyter_envstore.builds.deletion import is_gone
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import images
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.states import ABSENT, COMPLETED, READY
from jupyter_envstore.errors import ConflictError, NotFoundError
from jupyter_envstore.images.image_archive import ImageArchive
from jupyter_envstore.images.reference import LATEST, Reference
from jupyter_envstore.services.artifact_files import are_there, artifact_file, digests_of
from jupyter_envstore.services.values import ImageState
from jupyter_envstore.spec.names import spell


class Images:
    """What the registry asks."""

    def __init__(self, config: StoreConfig, database: Database, blobs: BlobStore) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs

    def environment_id(self, namespace: str, name: str, exactly: bool = False) -> int | None:
        """Return the id of an environment, where there is one; if ``exactly``, one that is written so, case and all."""
        with self._database.read() as session:
            try:
                space, environment = rows.find_environment(session, namespace, name)
            except NotFoundError:
                return None
        return None if exactly and (space.name, environment.name) != (namespace, name) else environment.id

    def tagged_build(self, environment_id: int, tag: str) -> int | None:
        """Return the id of the completed build that a tag names: its key, or ``latest`` for the active one."""
        with self._database.read() as session:
            return images.tagged_build(session, environment_id, None if tag == LATEST else tag)

    def why_untagged(self, environment_id: int, tag: str) -> str:
        """Return why no completed build of an environment is called so: none completed, or there are others."""
        with self._database.read() as session:
            builds = rows.list_builds(session, environment_id)
        named = next((build for build in builds if build.key == tag), None)
        if named is None and any(build.status == COMPLETED for build in builds):
            return f"has no build {tag!r}; there are its builds' keys, and {LATEST}"
        said = named or next(iter(builds), None)
        if said is None:
            return "has no build yet"
        reason = said.status_info.strip().partition("\n")[0][:300]
        state = f"{said.status}: {reason}" if reason else said.status
        if named is None:
            return f"has no completed build, and so no image; build {said.number}, the last, is {state}"
        return f"has no image of build {said.number}, which is {state}"

    def build_of_manifest(self, environment_id: int, digest: str, only: int | None = None) -> int | None:
        """Return the id of the environment's build whose ready image has a manifest, by its digest.

        Parameters
        ----------
        only : int or None
            The one build that is looked at; None for all.
        """
        with self._database.read() as session:
            return images.build_of_manifest(session, environment_id, digest, only)

    def blob(self, namespace: str, name: str, digest: str, only: int | None = None) -> BlobFile | None:
        """Return a blob that a ready image of an environment consists of; None where none does."""
        with self._database.read() as session:
            found = images.environment_has_blob(session, namespace, name, digest, only)
        if not found:
            return None
        try:
            return self._blobs.file(digest)
        except FileNotFoundError:
            return None

    def tags(self, environment_id: int, only: int | None = None) -> list[str]:
        """Return the tags of an environment; with ``only``, those of this build."""
        with self._database.read() as session:
            tags = images.tags_of(session, environment_id, only)
            active = images.tagged_build(session, environment_id, None)
        return [*tags, LATEST] if active is not None else tags

    def repositories(self) -> list[tuple[str, str]]:
        """Return namespace and name of all environments that have an image, or could have one."""
        with self._database.read() as session:
            return images.repositories(session)

    def address(self, build_id: int, host: str) -> str:
        """Return what ``docker pull`` is given for a build's image.

        Raises
        ------
        NotFoundError, ConflictError
            There is no such build; it did not complete.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        if row.build.status != COMPLETED:
            msg = f"build {build_id} is {row.build.status}; images are made of completed builds"
            raise ConflictError(msg)
        return f"{host}/{spell(row.namespace.name)}/{spell(row.environment.name)}:{row.build.key}"

    def state(self, build_id: int) -> ImageState:
        """Return how an image stands (``state``, ``digest``, ``reason``), and its build (``build``, ``why``)."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            artifact = rows.find_artifact(session, build_id, images.DOCKER, "")
            ready = artifact is not None and artifact.state == READY
            digests = digests_of(session, artifact) if artifact is not None and ready else set()
        whole = ready and are_there(self._blobs, digests)
        state = artifact.state if artifact is not None and (artifact.state != READY or whole) else ABSENT
        return {
            "state": state,
            "digest": artifact.digest if artifact is not None else None,
            "reason": artifact.reason if artifact is not None else "",
            "build": row.build.status,
            "why": row.build.status_info,
        }

    def archive(self, build_id: int) -> ImageArchive:
        """Return the image of a build as one file, with the name that it has once it is loaded.

        Raises
        ------
        NotFoundError
            There is no image, or a part of it is gone.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id, deleted=True)
            artifact = rows.find_artifact(session, build_id, images.DOCKER, "")
            gone = is_gone(self._config, session, row.build, images.DOCKER)
        if gone or artifact is None or artifact.state != READY or not artifact.digest:
            msg = f"build {build_id} has no image that is ready"
            raise NotFoundError(msg)
        name = f"{spell(row.namespace.name)}/{spell(row.environment.name)}:{row.build.key}"
        artifact_file(self._blobs, artifact.digest)
        archive = ImageArchive(self._blobs, artifact.digest, name)
        if self._blobs.present(archive.parts) != set(archive.parts):
            msg = "a layer of the image is gone from the store; have it made again"
            raise NotFoundError(msg)
        return archive

    def push(self, digest: str, target: Reference, report: Callable[[str, int, bool], None]) -> int:
        """Copy an image to another registry; return how many bytes were sent.

        Parameters
        ----------
        digest : str
            SHA-256 of its manifest, in hexadecimal.
        report : callable
            Told of each part: its digest, its bytes, whether it was sent or is there already.

        Raises
        ------
        RegistryUnreachableError, ImageError
            The registry does not answer, or refuses.
        """
        from jupyter_envstore.images.push import push_image

        return push_image(self._blobs, digest, target, report, self._config.docker_insecure_registries)
