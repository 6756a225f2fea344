"""Build records in registries: this server's own, and others that they are sent to and fetched from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from jupyter_envstore.blobs.interface import BlobFile, BlobStore
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import images, people
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.models import Environment, Namespace
from jupyter_envstore.database.recorded_builds import builds_of_record, environment_has_part
from jupyter_envstore.database.states import COMPLETED, READY
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.record_reader import read_foreign_record
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.images.oci import MANIFEST, sha256
from jupyter_envstore.images.record_artifact import EMPTY, Descriptor, RecordArtifact, annotations_of
from jupyter_envstore.images.record_transfer import Pushed
from jupyter_envstore.images.reference import Reference
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.free_space import FreeSpace
from jupyter_envstore.services.record_policy import check_accepted, check_record, unknown_places
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import BuildRef, PulledRecord, RecordUse
from jupyter_envstore.spec.lock_entries import BuiltWheel
from jupyter_envstore.spec.selectors import current_subdir

KNOWN = 4_000
"""How many records are remembered, of each its platforms and wheels."""


def fetched_record(source: Reference, config: StoreConfig, allow_local_files: bool) -> PulledRecord:
    """Fetch a build record from a registry, and read it.

    Raises
    ------
    RegistryUnreachableError, ImageError
        The registry does not answer; there is no record, or it is damaged.
    SpecificationError
        It is no build record.
    """
    from jupyter_envstore.images.record_transfer import pull_record

    pulled = pull_record(source, config.docker_insecure_registries)
    return PulledRecord(read_foreign_record(pulled.data, allow_local_files), pulled.artifact, source)


class SharedRecords:
    """Build records as artifacts of registries (OCI image specification 1.1)."""

    def __init__(
        self,
        config: StoreConfig,
        database: Database,
        blobs: BlobStore,
        settings: Settings,
        builds: Builds,
        space: FreeSpace,
    ) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs
        self._settings = settings
        self._builds = builds
        self._space = space
        self._told = lru_cache(maxsize=KNOWN)(self._read_told)

    # -- this server's own registry --------------------------------------------------------------------------------

    def manifest(self, build_id: int) -> bytes:
        """Return the manifest of a build's record.

        Raises
        ------
        ConflictError
            The build did not complete.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        return self._artifact(row).manifest()

    def find_manifest(self, environment_id: int, digest: str, only: int | None = None) -> bytes | None:
        """Return the manifest of a record of an environment, by its SHA-256; None where it has none such.

        Parameters
        ----------
        only : int or None
            The one build that is looked at; None for all.
        """
        with self._database.read() as session:
            recorded = [row for row in _recorded(session, environment_id) if only in (None, row.build.id)]
            made = {row.build.id: _image_digest(session, row.build.id) for row in recorded}
        there = self._blobs.present({row.build.record_digest for row in recorded if row.build.record_digest})
        for row in recorded:
            if row.build.record_digest not in there:
                continue
            image = self._image(made[row.build.id])
            for artifact in (self._artifact(row), *([self._artifact(row, image)] if image else [])):
                data = artifact.manifest()
                if sha256(data) == digest:
                    return data
        return None

    def referrers(self, environment_id: int, image_digest: str, only: int | None = None) -> list[dict[str, object]]:
        """Return what refers to an image of an environment, as an index lists it: the record that it was made of."""
        with self._database.read() as session:
            build_id = images.build_of_manifest(session, environment_id, image_digest, only)
            if build_id is None:
                return []
            row = rows.find_build(session, build_id)
            digest = _image_digest(session, build_id)
        return [self._artifact(row, self._image(digest)).listed()]

    def blob(self, environment_id: int, digest: str, only: int | None = None) -> bytes | BlobFile | None:
        """Return a part of a record of an environment, by its SHA-256: bytes, or a blob; None for others."""
        if digest == sha256(EMPTY):
            return EMPTY
        with self._database.read() as session:
            if not environment_has_part(session, environment_id, digest, only):
                return None
        try:
            return self._blobs.file(digest)
        except FileNotFoundError:
            return None

    # -- other registries ------------------------------------------------------------------------------------------

    def push(self, build_id: int, target: Reference, who: str, report: Callable[[str, int, bool], None]) -> Pushed:
        """Send the record of a build to a registry.

        Raises
        ------
        ConflictError
            The build did not complete.
        RegistryUnreachableError, ImageError
            The registry does not answer, or refuses.
        """
        from jupyter_envstore.images.record_transfer import push_record

        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        pushed = push_record(self._blobs, self._artifact(row), target, report, self._config.docker_insecure_registries)
        with self._database.write() as session:
            people.audit(session, who, "record.push", str(row), {"target": str(target), "digest": pushed.digest})
        return pushed

    def pull(self, source: Reference) -> PulledRecord:
        """Fetch a build record from a registry, and read it.

        Raises
        ------
        RegistryUnreachableError, ImageError
            The registry does not answer; there is no record, or it is damaged.
        SpecificationError
            It is no build record.
        """
        return fetched_record(source, self._config, self._config.allow_local_files)

    def builds_with(self, pulled: PulledRecord) -> list[BuildRef]:
        """Return the completed builds that have a record already, newest first."""
        with self._database.read() as session:
            found = builds_of_record(session, pulled.artifact.digest)
        return [BuildRef(row.namespace.name, row.environment.name, row.build.number, row.build.id) for row in found]

    def build(
        self,
        pulled: PulledRecord,
        target: tuple[str, str],
        who: str,
        accepted: Sequence[str] = (),
        later: bool = False,
    ) -> BuildRef:
        """Build a record that was fetched, in a new environment.

        Wheels that were built from source archives come from the registry, unless the settings name the indexes that
        PyPI packages may come from: then they are built again.

        Parameters
        ----------
        target : tuple of str
            Namespace and name of the new environment.
        accepted : sequence of str
            Addresses that packages may come from although the store's settings do not name them.
        later : bool
            As in :meth:`~jupyter_envstore.services.builds.Builds.submit_record`.

        Raises
        ------
        ConflictError
            The target is there.
        UnknownPlacesError
            Packages come from addresses that were not accepted.
        PlatformError
            The record is not for this platform.
        PolicyError
            The settings of the target forbid something in it.
        SpecificationError
            What was asked for, as the record has it, cannot be read.
        RegistryUnreachableError, ImageError
            The wheels that go along cannot be fetched.
        """
        from jupyter_envstore.images.record_transfer import pull_wheels

        record, source = pulled.record, pulled.source
        self._builds.check_target(target)
        settings = self._settings.near(target)
        record.lock(current_subdir())
        check_record(record, settings, "/".join(target), self._config, foreign=True)
        wheels = [] if settings["pypi_allowed_indexes"] else _wheels_along(record, pulled.artifact)
        places = [*unknown_places(record, settings, self._config), *([f"oci://{source.host}"] if wheels else [])]
        check_accepted("the build record", places, accepted)
        self._space.check(sum(wheel["size"] for wheel in wheels))
        pull_wheels(source, wheels, self._blobs, self._config.docker_insecure_registries)
        digests = {wheel["sha256"] for wheel in wheels}
        return self._builds.submit_record(record, target, who, "registry", digests, RecordUse(later=later))

    # -- what a registry is told -------------------------------------------------------------------------------------

    def _artifact(self, row: rows.BuildRow, subject: Descriptor | None = None) -> RecordArtifact:
        build = row.build
        if build.status != COMPLETED or not build.record_digest:
            msg = f"build {row} is {build.status}; records of completed builds are shared"
            raise ConflictError(msg)
        platforms, wheels, description = self._told(build.record_digest)
        place = f"{row.namespace.name}/{row.environment.name}"
        told = annotations_of(place, build.number, description, platforms)
        return RecordArtifact(build.record_digest, self._blobs.size(build.record_digest), wheels, told, subject)

    def _image(self, digest: str | None) -> Descriptor | None:
        """Return how the manifest of an image is named, if it is there."""
        if not digest or not self._blobs.exists(digest):
            return None
        return Descriptor(MANIFEST, f"sha256:{digest}", self._blobs.size(digest))

    def _read_told(self, record_digest: str) -> tuple[tuple[str, ...], tuple[BuiltWheel, ...], str]:
        """Return platforms, wheels and description of a record."""
        record = BuildRecord.from_bytes(self._blobs.read(record_digest))
        return tuple(record.platforms), tuple(record.wheels), record.description


def _recorded(session: Session, environment_id: int) -> list[rows.BuildRow]:
    """Return the completed builds of an environment that have a record."""
    environment = session.get_one(Environment, environment_id)
    space = session.get_one(Namespace, environment.namespace_id)
    return [
        rows.BuildRow(build, environment, space)
        for build in rows.list_builds(session, environment_id)
        if build.status == COMPLETED and build.record_digest
    ]


def _image_digest(session: Session, build_id: int) -> str | None:
    """Return the digest of a build's image, if it has one that is ready."""
    artifact = rows.find_artifact(session, build_id, images.DOCKER, "")
    return artifact.digest if artifact is not None and artifact.state == READY else None


def _wheels_along(record: BuildRecord, artifact: RecordArtifact) -> list[BuiltWheel]:
    """Return the wheels of a record, if all of them go along with it, as large as it says."""
    along = {(wheel["sha256"], wheel["size"]) for wheel in artifact.wheels}
    wheels = record.wheels
    return wheels if all((wheel["sha256"], wheel["size"]) in along for wheel in wheels) else []
