"""Build records: what was locked, and for which platforms."""

from __future__ import annotations

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import ConflictError, EnvStoreError
from jupyter_envstore.spec.lock_entries import CondaEntry


class BuildRecords:
    """The records of builds."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    def read(self, build_id: int) -> BuildRecord:
        """Return the build record.

        Raises
        ------
        ConflictError
            The build did not get that far.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        if not row.build.record_digest:
            msg = f"build {row} is {row.build.status} and has no lock"
            raise ConflictError(msg)
        return BuildRecord.from_bytes(self._blobs.read(row.build.record_digest))

    def failed_platforms(self, build_id: int) -> dict[str, str]:
        """Return the platforms that a build could not be locked for, each with the reason; none before its lock."""
        with self._database.read() as session:
            build = rows.find_build(session, build_id).build
        return dict(self.read(build_id).failed_platforms) if build.record_digest else {}

    def locked_platforms(self, build_id: int) -> dict[str, str | None]:
        """Return the platforms that a build is locked for (None), or why it is not; none before its lock."""
        with self._database.read() as session:
            if not rows.find_build(session, build_id).build.record_digest:
                return {}
        try:
            record = self.read(build_id)
        except (EnvStoreError, OSError, ValueError):  # what else is known of the build can be told without it
            return {}
        return {**dict.fromkeys(record.platforms), **record.failed_platforms}

    def installer_extras(self, build_id: int) -> tuple[CondaEntry, ...]:
        """Return what constructor's installers of a build bring beside its own packages."""
        with self._database.read() as session:
            build = rows.find_build(session, build_id).build
        return self.read(build_id).lock(build.platform).installer_extras
