"""Builds of records: nothing is solved for them, no version changes."""

from __future__ import annotations

from dataclasses import replace

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.builds.blob_collection import confirmed
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.builds.package_rows import package_rows
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.blob_references import Confirmed, refer, refer_wheels
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.jobs import BUILD, enqueue, restore_here
from jupyter_envstore.database.models import Environment, Namespace
from jupyter_envstore.database.models import Specification as SpecificationRow
from jupyter_envstore.database.recorded_builds import was_tried_only
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.services.free_space import FreeSpace
from jupyter_envstore.services.record_policy import check_record
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import BuildRef, RecordUse
from jupyter_envstore.spec import Specification, check_name
from jupyter_envstore.spec.selectors import current_subdir


class RecordSubmission:
    """Makes builds of records: of another build here, or from elsewhere."""

    def __init__(
        self,
        config: StoreConfig,
        database: Database,
        blobs: BlobStore,
        scheduler: Scheduler,
        settings: Settings,
        space: FreeSpace,
        records: BuildRecords,
    ) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs
        self._scheduler = scheduler
        self._settings = settings
        self._space = space
        self._records = records

    def clone(self, source: tuple[str, str, int | None], target: tuple[str, str], who: str) -> BuildRef:
        """Build the record of a build under another name: nothing is solved, no version changes.

        Raises
        ------
        NotFoundError
            The source has no such build.
        ConflictError
            The source has no lock, or the target is there.
        PolicyError
            The settings of the target forbid something in it.
        """
        namespace, name, build_id = source
        check_target_names(target)
        with self._database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            build = (
                rows.build_of(session, environment, build_id)
                if build_id
                else rows.resolve_build(session, environment, None)
            )
            spec_id, text = build.specification_id, rows.specification_of(session, build).text
        record = replace(self._records.read(build.id), name=target[1])
        blob = self.store(record, target)
        known = self._confirmed(record, blob)
        with self._database.write() as session:
            space, made = self._environment(session, target, environment.description, who, is_new=True)
            row = session.get_one(SpecificationRow, spec_id)
            trigger = f"clone of {namespace}/{name}:{build.number}"
            new = rows.add_build(session, made, row, who, trigger, build.options, text)
            new.package_count = build.package_count
            refer_wheels(session, known, record.wheels, new.id)
            rows.copy_packages(session, build.id, new.id)
            found = self._add_recorded(session, rows.BuildRow(new, made, space), (blob, known), build.platform, who)
            enqueue(session, BUILD, new.id)
        self._scheduler.wake()
        return found

    def store(self, record: BuildRecord, target: tuple[str, str]) -> StoredBlob:
        """Store a record, before the build that is made of it.

        Raises
        ------
        PolicyError
            The settings of the target forbid something in it.
        StorageError
            The disk is too full.
        """
        self._space.check()
        check_record(record, self._settings.near(target), "/".join(target), self._config)
        return self._blobs.put(record.to_bytes())

    def add(
        self,
        stored: tuple[BuildRecord, StoredBlob],
        specification: Specification,
        target: tuple[str, str],
        who: str,
        trigger: str,
        use: RecordUse,
    ) -> BuildRef:
        """Make a build of a stored record, for this platform, whose wheels are all in the store.

        Raises
        ------
        ConflictError
            The target is there, and must be new.
        """
        record, blob = stored
        platform = current_subdir()
        lock = record.lock(platform)
        known = self._confirmed(record, blob)
        with self._database.write() as session:
            space, made = self._environment(session, target, record.description, who, use.is_new)
            if not use.is_new and (here := rows.build_with_record(session, made, blob.digest)) is not None:
                return _taken_up(session, rows.BuildRow(here, made, space), use, who)
            row = rows.ensure_specification(session, specification, target[1], who)
            new = rows.add_build(session, made, row, who, trigger, BuildOptions().to_json(), specification.text)
            packages = package_rows(lock)
            new.package_count = len(packages)
            rows.set_packages(session, new.id, packages)
            refer_wheels(session, known, record.wheels, new.id)
            place = rows.BuildRow(new, made, space)
            found = self._add_recorded(session, place, (blob, known), platform, who)
            if use.later:
                _complete_without_files(session, place, who, use.is_active)
            else:
                enqueue(session, BUILD, new.id)
        self._scheduler.wake()
        return found

    def _confirmed(self, record: BuildRecord, blob: StoredBlob) -> Confirmed:
        """Return that a record and its wheels are there, before the transaction that refers to them."""
        return confirmed(self._database, self._blobs, [blob.digest, *(wheel["sha256"] for wheel in record.wheels)])

    def _environment(
        self, session: Session, target: tuple[str, str], description: str, who: str, is_new: bool
    ) -> tuple[Namespace, Environment]:
        """Return an environment, which is made where it is new; ``is_new`` where it must be."""
        if is_new:
            check_new(session, target)
        space = rows.ensure_namespace(session, target[0], who)
        is_there = rows.get_environment(session, space.id, target[1]) is not None
        made = rows.ensure_environment(session, space, target[1], who)
        if is_new or not is_there:
            made.description = printable(description)
        return space, made

    def _add_recorded(
        self, session: Session, row: rows.BuildRow, stored: tuple[StoredBlob, Confirmed], platform: str, who: str
    ) -> BuildRef:
        """Note the record that a new build has already."""
        build, (record, known) = row.build, stored
        build.record_digest, build.platform = record.digest, platform
        refer(session, known, record, f"build:{build.id}:record")
        found = BuildRef(row.namespace.name, row.environment.name, build.number, build.id)
        people.audit(session, who, "build.create", str(found), {"trigger": build.trigger, "build_id": build.id})
        return found


def _taken_up(session: Session, row: rows.BuildRow, use: RecordUse, who: str) -> BuildRef:
    """Return a build that is there; it becomes the active one where that is asked for and there is none."""
    build, environment = row.build, row.environment
    if use.is_active and build.status == COMPLETED and environment.current_build_id is None:
        environment.current_build_id = build.id
        rows.changed(session, "environment", environment.id)
        people.audit(session, who, "build.activate", str(row), {"by": "record"})
        if not build.is_here and not use.later:
            restore_here(session, build.id)
            rows.changed(session, "build", build.id)
    return BuildRef(row.namespace.name, environment.name, build.number, build.id, is_new=False)


def _complete_without_files(session: Session, row: rows.BuildRow, who: str, is_active: bool) -> None:
    """Let a build be complete although its files were never here: its kernel or a restore brings them."""
    row.build.status, row.build.ended_on = COMPLETED, now()
    if not is_active:
        return
    row.environment.current_build_id = row.build.id
    people.audit(session, who, "build.activate", str(row), {"by": "record"})


def check_target_names(target: tuple[str, str]) -> None:
    """Refuse a namespace or an environment whose name cannot be used.

    Raises
    ------
    InvalidInputError
        It cannot.
    """
    for kind, text in zip(("namespace", "environment"), target, strict=True):
        check_name(kind, text)


def check_new(session: Session, target: tuple[str, str]) -> None:
    """Refuse to make an environment where there is one.

    Raises
    ------
    ConflictError
        There is.
    """
    found = settings_rows.scope_ids(session, *target)[1]
    if found is not None and not was_tried_only(session, found):
        msg = f"environment {'/'.join(target)} exists already"
        raise ConflictError(msg)
