"""Artifacts: asked for, looked at, found on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from jupyter_envstore import policy
from jupyter_envstore.artifacts.applicability import applies, check_applies
from jupyter_envstore.artifacts.base import find_maker, made_for
from jupyter_envstore.blobs.interface import BlobFile, BlobStore
from jupyter_envstore.builds.deletion import is_gone
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import images, people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.awaited_artifact_queries import standings
from jupyter_envstore.database.awaited_artifacts import Standing, Wanted
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.jobs import ARTIFACT, enqueue
from jupyter_envstore.database.models import Artifact
from jupyter_envstore.database.states import ABSENT, COMPLETED, MAKING, PENDING, READY
from jupyter_envstore.errors import ConflictError, NotFoundError, PolicyError
from jupyter_envstore.policy.artifact_kinds import artifact_kinds, small_kinds
from jupyter_envstore.representation.artifacts import ArtifactView, artifact_view
from jupyter_envstore.services.artifact_files import GONE, are_there, artifact_file, digests_of
from jupyter_envstore.services.images import Images

PIECE = 1 << 20


class Artifacts:
    """What builds are turned into."""

    def __init__(
        self, config: StoreConfig, database: Database, blobs: BlobStore, scheduler: Scheduler, images: Images
    ) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs
        self._scheduler = scheduler
        self._images = images

    def request(self, build_id: int, kind: str, variant: str = "", who: str = "") -> int:
        """Have an artifact made, unless it is ready or being made; return its id.

        Raises
        ------
        InvalidInputError
            There is no such type or variant.
        ConflictError
            The build did not complete, has no packages of the kind that the artifact is of, or was taken over and
            has never been brought.
        """
        maker = find_maker(kind)
        maker.check_variant(variant)
        whole = self._whole(build_id, kind, variant)
        with self._database.write() as session:
            row = rows.find_build(session, build_id)
            build = row.build
            if build.status != COMPLETED:
                msg = f"build {build.number} is {build.status}; artifacts are made of completed builds"
                raise ConflictError(msg)
            if not build.is_made and kind not in small_kinds():  # what its scripts make is not known
                msg = f"the files of {row} are not here yet; bring them first: jupyter envstore restore {row}"
                raise ConflictError(msg)
            scopes = settings_rows.scope_settings(session, row.namespace.id, row.environment.id)
            settings = policy.effective([self._config.settings, *scopes])
            if kind not in (allowed := settings["build_artifacts"]):
                place = f"{row.namespace.name}/{row.environment.name}"
                msg = f"{place}: artifact {kind} is not made here; allowed: {', '.join(allowed)} (build_artifacts)"
                raise PolicyError(msg)
            if not variant:  # the rows of packages are those of the build's own platform
                check_applies(kind, build.number, rows.sources_of(session, build_id))
            artifact = rows.find_artifact(session, build_id, kind, variant)
            if artifact is None:
                artifact = Artifact(build_id=build_id, type=kind, variant=variant, state=PENDING, created_on=now())
                session.add(artifact)
                session.flush()
            elif artifact.state in (PENDING, MAKING) or (
                artifact.state == READY
                and artifact.tools.get("settings", "") == made_for(kind, settings)
                and artifact.digest == whole
            ):
                return artifact.id
            artifact.state, artifact.reason = PENDING, ""
            enqueue(session, ARTIFACT, build_id, artifact.id)
            rows.changed(session, "build", build_id)
            people.audit(session, who, "artifact.request", f"build:{build_id}:{kind}", {"variant": variant})
        self._scheduler.wake()
        return artifact.id

    def _whole(self, build_id: int, kind: str, variant: str) -> str | None:
        """Return the digest of an artifact that is ready, and whose files are all there."""
        with self._database.read() as session:
            artifact = rows.find_artifact(session, build_id, kind, variant)
            if artifact is None or artifact.state != READY:
                return None
            digests = digests_of(session, artifact)
        return artifact.digest if are_there(self._blobs, digests) else None

    def standings(self, wanted: Collection[Wanted]) -> dict[Wanted, Standing]:
        """Return how artifacts stand that somebody waits for."""
        with self._database.read() as session:
            return standings(session, wanted)

    def find(self, build_id: int, kind: str, variant: str = "") -> ArtifactView:
        """Return the state of an artifact of a build, with its media type.

        Raises
        ------
        NotFoundError
            It was never asked for.
        ConflictError
            The build has no packages of the kind that the artifact is of.
        """
        find_maker(kind).check_variant(variant)
        with self._database.read() as session:
            row = rows.find_build(session, build_id, deleted=True)
            artifact = rows.find_artifact(session, build_id, kind, variant)
            gone = is_gone(self._config, session, row.build, kind)
            sources = rows.sources_of(session, build_id)
        if gone or (row.build.deleted_on is not None and (artifact is None or artifact.state != READY)):
            msg = f"build {build_id} was deleted"
            raise NotFoundError(msg)
        if artifact is None and row.build.status != COMPLETED:
            msg = f"build {build_id} is {row.build.status}; artifacts are made of completed builds"
            raise NotFoundError(msg)
        if artifact is None:
            if not variant:
                check_applies(kind, row.build.number, sources)
            body = f' with {{"variant": "{variant}"}}' if variant else ""
            which = f"{kind} ({variant})" if variant else kind
            msg = f"build {build_id} has no {which} yet; POST build/{build_id}/artifacts/{kind}/{body} makes it"
            raise NotFoundError(msg)
        return artifact_view(artifact, row, sources)

    def of_build(self, build_id: int) -> list[ArtifactView]:
        """Return the artifacts of a build in every state; ``absent`` are those that can be made and were not yet."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            found = rows.list_artifacts(session, build_id)
            sources = rows.sources_of(session, build_id)
            scopes = settings_rows.scope_settings(session, row.namespace.id, row.environment.id)
        if row.build.status == COMPLETED:
            known = {artifact.type for artifact in found if not artifact.variant}
            allowed = policy.effective([self._config.settings, *scopes])["build_artifacts"]
            found += [
                Artifact(id=0, build_id=build_id, type=kind, variant="", state=ABSENT, size=0, reason="", tools={})
                for kind in artifact_kinds()
                if kind in allowed and kind not in known and applies(kind, sources)
            ]
        return [artifact_view(artifact, row, sources) for artifact in found]

    def get(self, artifact_id: int) -> ArtifactView:
        """Return one artifact's state."""
        with self._database.read() as session:
            artifact = session.get_one(Artifact, artifact_id)
            row = rows.find_build(session, artifact.build_id)
            return artifact_view(artifact, row, rows.sources_of(session, row.build.id))

    def pieces(self, build_id: int, kind: str, variant: str = "") -> Iterator[bytes]:
        """Return the bytes that people are given of a ready artifact: of an image, all of it as one file.

        Raises
        ------
        NotFoundError
            Its file is gone.
        """
        if kind == images.DOCKER:
            return self._images.archive(build_id).pieces()
        return _pieces_of(self.file(self.find(build_id, kind, variant)["sha256"] or ""))

    def file(self, digest: str) -> BlobFile:
        """Return the file of a ready artifact, to be sent.

        Raises
        ------
        NotFoundError
            The file is gone.
        """
        return artifact_file(self._blobs, digest)

    def path(self, digest: str) -> Path:
        """Return a file of this machine with the content of a ready artifact's.

        Raises
        ------
        NotFoundError
            The file is gone.
        """
        path = self._blobs.local_file(digest)
        if not path.is_file():
            raise NotFoundError(GONE)
        return path

    def note_download(self, who: str, build_id: int, kind: str) -> None:
        """Note that an artifact was downloaded."""
        with self._database.write() as session:
            people.audit(session, who, "artifact.download", f"build:{build_id}:{kind}")


def _pieces_of(found: BlobFile) -> Iterator[bytes]:
    with found.open() as file:
        while data := file.read(PIECE):
            yield data
