"""Prefixes of builds: found, kept, packed away, restored."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.package_keeping import keep_where_wanted
from jupyter_envstore.builds.prefix_disk import check_disk
from jupyter_envstore.builds.retention import Retention
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.jobs import restore_here
from jupyter_envstore.database.placements import PACKED_AWAY, note_gone, where_it_is
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.engine.availability import PackageSource, missing_packages, package_sources
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.kernels.kernel_specs import note_offer
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.services.values import RestoreSources, SourceView


class Prefixes:
    """The environments on the disk, one for each build."""

    def __init__(
        self,
        config: StoreConfig,
        database: Database,
        blobs: BlobStore,
        scheduler: Scheduler,
        records: BuildRecords,
        packing: Retention,
    ) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs
        self._scheduler = scheduler
        self._records = records
        self._packing = packing

    def path(self, build_id: int) -> Path:
        """Return the prefix of a build.

        Raises
        ------
        ConflictError
            It is not there.
        StorageError
            The disk with the prefixes of this folder may not be mounted.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            away = "" if row.build.is_here else where_it_is(session, row.build)
            prefix = self._config.builds / row.build.directory
            if not away and not prefix.is_dir():
                check_disk(self._config, session)
                away = f"not at {prefix} any more"
        if away:
            name = f"{row.namespace.name}/{row.environment.name}:{row.build.number}"
            done = row.build.status == COMPLETED
            what = f"{away}; bring it here: jupyter envstore restore {name}" if done else row.build.status
            msg = f"{name} is {what}"
            raise ConflictError(msg)
        return prefix

    def check_packed_away(self, build_id: int) -> None:
        """Make sure that a build can be restored: it was completed once, and its prefix was removed.

        Raises
        ------
        ConflictError
            It never completed, or its prefix is there.
        """
        with self._database.read() as session:
            self._check_packed_away(rows.find_build(session, build_id))

    def _check_packed_away(self, row: rows.BuildRow) -> None:
        _check_completed(row)
        prefix = self._config.builds / row.build.directory
        if row.build.is_here and prefix.is_dir():
            msg = f"build {row} is not packed away: it is there, {prefix}"
            raise ConflictError(msg)

    def sources(self, build_id: int) -> list[PackageSource]:
        """Return where each package would come from that a restore needs, whether or not the build is packed away.

        Raises
        ------
        ConflictError
            The build never completed.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        _check_completed(row)
        lock = self._records.read(build_id).lock(row.build.platform)
        return package_sources(lock, self._config.packages / "conda", self._blobs)

    def restore_sources(self, build_id: int) -> RestoreSources:
        """Return where each package would come from, and the files that are to be had nowhere, as JSON values."""
        sources = self.sources(build_id)
        return {
            "missing": missing_packages(sources),
            "packages": [_view(source) for source in sources],
            "not_looked_for": [entry["name"] for entry in self._records.installer_extras(build_id)],
        }

    def restore(self, build_id: int, who: str = "") -> None:
        """Bring the prefix of an old build back from its record, in the background.

        Raises
        ------
        ConflictError
            As :meth:`check_packed_away`.
        StorageError
            The disk with the prefixes of this folder may not be mounted.
        """
        with self._database.write() as session:
            row = rows.find_build(session, build_id)
            self._check_packed_away(row)
            check_disk(self._config, session)
            if row.build.is_here:  # somebody removed its folder
                note_gone(session, build_id)
                session.refresh(row.build)
            if restore_here(session, build_id):
                rows.changed(session, "build", build_id)
                people.audit(session, who, "build.restore", f"build:{build_id}")

    def offer_kernels(self, build_id: int) -> None:
        """Let a build that is not active have kernels of its own in the servers that are started from now on."""
        note_offer(self._config, build_id)

    def pin(self, build_id: int, pinned: bool, who: str = "") -> None:
        """Keep the prefix of a build for good, or let the retention settings decide again.

        Raises
        ------
        ConflictError
            It never completed, so there is nothing to keep.
        """
        with self._database.write() as session:
            row = rows.find_build(session, build_id)
            if pinned and row.build.status != COMPLETED:
                msg = f"build {row} is {row.build.status}; only a completed build can be pinned"
                raise ConflictError(msg)
            row.build.pinned = pinned
            keep_where_wanted(self._config, session, row.namespace, row.environment, row.build)
            rows.changed(session, "build", build_id)
            people.audit(session, who, "build.pin" if pinned else "build.unpin", f"build:{build_id}")
        self._scheduler.wake()

    def pack_away(self, build_id: int, who: str = "") -> None:
        """Drop the prefix and large artifacts of a build now; its record brings them back.

        Raises
        ------
        ConflictError
            It is active, kept by hand, in use, being worked on, or not there.
        """
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            away = where_it_is(session, row.build)
        build = row.build
        reasons = [
            (build.status != COMPLETED, f"is {build.status}"),
            (not build.is_here, f"is {away} already" if away == PACKED_AWAY else f"is not here, but {away}"),
            (build.pinned, "is kept by hand (pinned)"),
            (row.environment.current_build_id == build.id, "is the active one; make another active first"),
        ]
        reason = next((words for applies, words in reasons if applies), None)
        if reason is None and not self._packing.pack_away(build_id):
            reason = "is in use: something runs in it, or works on it"
        if reason is not None:
            msg = f"build {row} {reason}"
            raise ConflictError(msg)
        with self._database.write() as session:
            people.audit(session, who, "build.pack-away", f"build:{build_id}")


def _check_completed(row: rows.BuildRow) -> None:
    if row.build.status != COMPLETED or not row.build.record_digest:
        msg = f"build {row} is {row.build.status}; only a completed build can be restored"
        raise ConflictError(msg)


def _view(source: PackageSource) -> SourceView:
    return {
        "name": source.name,
        "manager": source.manager,
        "filename": source.filename,
        "place": source.place,
        "detail": source.detail,
    }
