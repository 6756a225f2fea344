"""The records of a store elsewhere, and registries that they are sent to and fetched from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import ConflictError, NotFoundError
from jupyter_envstore.notebooks.bond import bond_of
from jupyter_envstore.notebooks.bond_reader import embedded_record, read_bond
from jupyter_envstore.remote.kept_packages import RemotePackages, WantedFile
from jupyter_envstore.remote_store.connection import StoreConnection, path_of
from jupyter_envstore.services.values import BuildRef, PulledRecord

if TYPE_CHECKING:
    from jupyter_envstore.images.record_transfer import Pushed
    from jupyter_envstore.images.reference import Reference
    from jupyter_envstore.remote_store.notebooks import Bonds


class BuildRecords:
    """The records of builds."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def read(self, build_id: int) -> BuildRecord:
        """Return the build record.

        Raises
        ------
        ConflictError
            The build has none yet.
        SpecificationError
            What the store sends is none.
        """
        bond = read_bond(self._connection.get(path_of("build", build_id, "bond"), lock="1"))
        record = embedded_record(bond, allow_local_files=True)
        if record is None:
            msg = f"the store sends no record of build {build_id}"
            raise ConflictError(msg)
        return record

    def failed_platforms(self, build_id: int) -> dict[str, str]:
        """Return the platforms that a build could not be locked for, each with the reason; none before its lock."""
        told: dict[str, str | None] = self._connection.get(path_of("build", build_id))["locked_platforms"]
        return {platform: reason for platform, reason in told.items() if reason is not None}


class SharedRecords:
    """Build records in registries: this machine speaks to them.

    Parameters
    ----------
    connection : StoreConnection
        The store.
    records : BuildRecords
        Its records.
    bonds : Bonds
        Build records there.
    kept : RemotePackages
        The files of packages that the store keeps.
    config : StoreConfig
        Says which registries are asked over plain HTTP.
    """

    def __init__(
        self,
        connection: StoreConnection,
        records: BuildRecords,
        bonds: Bonds,
        kept: RemotePackages,
        config: StoreConfig,
    ) -> None:
        self._connection = connection
        self._records = records
        self._bonds = bonds
        self._kept = kept
        self._config = config

    def push(self, build_id: int, target: Reference, who: str, report: Callable[[str, int, bool], None]) -> Pushed:
        """Send the record of a build to a registry, with the wheels that were built for it.

        Raises
        ------
        ConflictError
            The build has no record, or the store does not keep a wheel of it.
        RegistryUnreachableError, ImageError
            The registry does not answer, or refuses.
        """
        from jupyter_envstore.images.record_artifact import RecordArtifact, annotations_of
        from jupyter_envstore.images.record_transfer import push_record

        del who
        told = self._connection.get(path_of("build", build_id))
        record = self._records.read(build_id)
        place = f"{told['namespace']}/{told['environment']}"
        annotations = annotations_of(place, told["number"], record.description, tuple(record.platforms))
        with tempfile.TemporaryDirectory(prefix="es-record-") as folder:
            blobs = blob_store(replace(self._config, root_dir=str(Path(folder).resolve()), blob_url=""))
            data = record.to_bytes()
            stored = blobs.put(data)
            wheels = record.wheels
            wanted = [WantedFile.of_wheel(wheel) for wheel in wheels]
            self._kept.fetch_into(blobs, wanted)
            missing = [wheel["filename"] for wheel in wheels if not blobs.exists(wheel["sha256"])]
            if missing:
                names = ", ".join(missing)[:300]
                msg = f"the store does not keep what was built for it: {names}; first: jupyter envstore keep --packages"
                raise ConflictError(msg)
            artifact = RecordArtifact(stored.digest, len(data), tuple(wheels), annotations)
            return push_record(blobs, artifact, target, report, self._config.docker_insecure_registries)

    def pull(self, source: Reference) -> PulledRecord:
        """Fetch a build record from a registry, and read it.

        Raises
        ------
        RegistryUnreachableError, ImageError
            The registry does not answer; there is no record, or it is damaged.
        SpecificationError
            It is no build record.
        """
        from jupyter_envstore.services.shared_records import fetched_record

        return fetched_record(source, self._config, allow_local_files=True)  # the store has a say in it, too

    def builds_with(self, pulled: PulledRecord) -> list[BuildRef]:
        """Return the completed builds that have a record already, newest first."""
        try:
            told = self._connection.get(path_of("record", pulled.artifact.digest))
        except NotFoundError:
            return []
        return [
            BuildRef(found["namespace"], found["environment"], found["number"], found["build_id"])
            for found in told["builds"]
        ]

    def build(
        self,
        pulled: PulledRecord,
        target: tuple[str, str],
        who: str,
        accepted: Sequence[str] = (),
        later: bool = False,
    ) -> BuildRef:
        """Build a record that was fetched, in a new environment of the store.

        The store builds wheels of source archives again: they do not go along.

        Raises
        ------
        EnvStoreError
            As :meth:`jupyter_envstore.services.bonds.Bonds.build_lock`.
        """
        bond = bond_of(pulled.record, pulled.artifact.digest, *target, 1, lock=True)
        return self._bonds.build_lock(bond, target, who, accepted, later)
