"""Builds: submitted, listed, shown, stopped, deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from jupyter_envstore.builds.deletion import kept_on_deletion, remove_prefixes
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database import people
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.jobs import BUILD, enqueue, is_worked_on
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.placements import places_of
from jupyter_envstore.database.states import ON_DEMAND, UNSETTLED
from jupyter_envstore.database.warnings import warnings_of
from jupyter_envstore.engine.lockcheck import check_lock
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.record_specification import locked_specification, specification_of_record
from jupyter_envstore.errors import ConflictError, InvalidInputError, RunningBuildError
from jupyter_envstore.representation import conda_store
from jupyter_envstore.representation.builds import (
    BuildProgress,
    BuildView,
    FullBuildView,
    build_view,
    full_view,
    progress_view,
)
from jupyter_envstore.representation.conda_store_types import BuildJson, FullBuildJson
from jupyter_envstore.services.free_space import FreeSpace
from jupyter_envstore.services.record_policy import check_accepted, unknown_specification_places
from jupyter_envstore.services.record_submission import RecordSubmission, check_new, check_target_names
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import NEW_ENVIRONMENT, BuildRef, CheckedSpecification, RecordUse
from jupyter_envstore.spec import Specification, check_name, read_specification
from jupyter_envstore.spec.names import DYNAMIC
from jupyter_envstore.spec.selectors import current_subdir


class Builds:
    """Builds of all environments."""

    def __init__(
        self,
        config: StoreConfig,
        database: Database,
        scheduler: Scheduler,
        settings: Settings,
        space: FreeSpace,
        recorded: RecordSubmission,
    ) -> None:
        self._config = config
        self._database = database
        self._scheduler = scheduler
        self._settings = settings
        self._space = space
        self._recorded = recorded

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
        options: BuildOptions | None = None,
        *,
        is_new: bool = False,
        accepted: Sequence[str] | None = None,
        instead: Callable[[Session], BuildRef | None] | None = None,
    ) -> BuildRef:
        """Add a build and return at once; a scheduler starts it.

        Parameters
        ----------
        name : str or None
            Name of the environment; None for the one in the specification.
        options : BuildOptions or None
            Choices for this build alone.
        is_new : bool
            Whether an environment of this name that is there is refused.
        accepted : sequence of str or None
            For a specification from elsewhere: addresses that packages may come from although the settings do not name
            them. None where whoever wrote it submits it.
        instead : callable or None
            Looks, in the transaction that would add the build, for one that makes another needless.

        Raises
        ------
        ConflictError
            There is such an environment, and it must be new.
        UnknownPlacesError
            Packages come from addresses that were not accepted.
        InvalidInputError
            A name is missing or cannot be used.
        SpecificationError
            It is a lockfile that conda-lock does not accept.
        PolicyError
            The settings of the place forbid something in it.
        StorageError
            The disk is too full.
        """
        if (namespace, trigger) != (DYNAMIC, ON_DEMAND):
            check_name("namespace", namespace)
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the file, or give --name"
            raise InvalidInputError(msg)
        check_name("environment", name)
        options = options or BuildOptions()
        options.check()
        if specification.lockfile is not None:
            check_lock(specification.lockfile)
        told, given = specification.notes, specification
        specification, notes = self.prepare(specification, namespace, name)
        if accepted is not None:
            settings = self._settings.near((namespace, name))
            places = unknown_specification_places(given, settings, self._config)
            check_accepted("the specification", places, accepted)
        changed = tuple(note for note in notes if note not in told)
        options = replace(options, notes=changed, warnings=told or options.warnings)
        with self._database.write() as session:
            if instead is not None and (there := instead(session)) is not None:
                return there
            if is_new:
                check_new(session, (namespace, name))
            space = rows.ensure_namespace(session, namespace, who)
            environment = rows.ensure_environment(session, space, name, who)
            row = rows.ensure_specification(session, specification, name, who)
            before = rows.newest_specification(session, environment)
            if specification.description and (
                before is None or before.spec.get("description") != specification.description
            ):  # what people set since then stays
                environment.description = printable(specification.description)
            build = rows.add_build(session, environment, row, who, trigger, options.to_json(), specification.text)
            enqueue(session, BUILD, build.id)
            found = BuildRef(space.name, environment.name, build.number, build.id, notes)
            people.audit(session, who, "build.create", str(found), {"trigger": trigger, "build_id": build.id})
        self._scheduler.wake()
        return found

    def prepare(self, specification: Specification, namespace: str, name: str) -> tuple[Specification, tuple[str, ...]]:
        """Return a specification as it would be built in a place, and what the settings changed, in words.

        Nothing is kept: a preview asks the same as :meth:`submit`.

        Raises
        ------
        PolicyError
            The settings of the place forbid something in it.
        SpecificationError
            It lists no package, and the settings add none.
        StorageError
            The disk is too full.
        """
        self._space.check()
        return self._settings.apply(specification, namespace, name)

    def check(self, specification: Specification, namespace: str, name: str) -> CheckedSpecification:
        """Return what a specification would be built as in a place.

        Raises
        ------
        PolicyError, SpecificationError, StorageError
            As :meth:`prepare`.
        """
        found, notes = self.prepare(specification, namespace, name)
        return CheckedSpecification(found.sha256, notes)

    def rebuild(self, build_id: int, who: str) -> BuildRef:
        """Build the specification of an old build again: newer versions may come of it."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            specification = rows.specification_of(session, row.build)
        options = self.options(build_id)
        place = (row.namespace.name, row.environment.name)
        return self.submit(specification, *place, who, f"rebuild of {row.build.number}", options)

    def options(self, build_id: int) -> BuildOptions:
        """Return the choices of a build, for another one that goes on from it."""
        with self._database.read() as session:
            return replace(BuildOptions.from_json(rows.find_build(session, build_id).build.options), notes=())

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
        return self._recorded.clone(source, target, who)

    def submit_record(
        self,
        record: BuildRecord,
        target: tuple[str, str],
        who: str,
        trigger: str,
        wheels: Collection[str] = (),
        use: RecordUse = NEW_ENVIRONMENT,
    ) -> BuildRef:
        """Build a record that was made elsewhere: nothing is solved, no version changes.

        PyPI packages that were built from source there are built again, unless the store has their wheels: these are
        not in the record, and the new record names others.

        Parameters
        ----------
        target : tuple of str
            Namespace and name of the environment.
        wheels : collection of str
            SHA-256 of the wheels that were put into the store for this record.
        use : RecordUse
            How it becomes a build.

        Raises
        ------
        ConflictError
            The target is there, and must be new; or packages would have to be built from source, later.
        PlatformError
            The record is not for this platform.
        PolicyError
            The settings of the target forbid something in it.
        SpecificationError
            What was asked for, as the record or the text has it, cannot be read.
        """
        record.lock(current_subdir())  # it is for this platform
        check_target_names(target)
        local = self._config.allow_local_files
        specification = (
            read_specification(use.text, "the specification", local, named=True)
            if use.text
            else specification_of_record(record, local)
        )
        blob = self._recorded.store(record, target)
        if not {wheel["sha256"] for wheel in record.wheels} <= set(wheels):
            if use.later:
                msg = "PyPI packages of it have to be built from source, which makes another record; build it now"
                raise ConflictError(msg)
            return self.submit(locked_specification(record), *target, who, trigger, is_new=use.is_new)
        return self._recorded.add((record, blob), specification, target, who, trigger, use)

    def check_target(self, target: tuple[str, str]) -> None:
        """Refuse to make an environment where there is one, or whose names cannot be used.

        Raises
        ------
        InvalidInputError
            A name cannot be used.
        ConflictError
            The environment is there.
        """
        check_target_names(target)
        with self._database.read() as session:
            check_new(session, target)

    def find(self, namespace: str, name: str, build: str | None = None) -> BuildRef:
        """Return a build by number or key; without one the active build, or the newest.

        Raises
        ------
        NotFoundError
            There is no such environment or build.
        """
        with self._database.read() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            return BuildRef(space.name, environment.name, found.number, found.id)

    def of_environment(self, namespace: str, name: str) -> list[BuildView]:
        """Return the builds of an environment, newest first."""
        with self._database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            current = environment.current_build_id
            return [build_view(build, build.id == current) for build in rows.list_builds(session, environment.id)]

    def page(self, filters: Filters, page: Page) -> tuple[int, list[BuildJson]]:
        """Return builds with their ready artifacts."""
        with self._database.read() as session:
            count, found = listing.list_builds(session, filters, page)
            artifacts = listing.artifacts_of(session, [build.id for build, _ in found])
        return count, [conda_store.build_json(build, active, artifacts[build.id]) for build, active in found]

    def get(self, build_id: int) -> FullBuildJson:
        """Return one build, its specification included."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            artifacts = listing.artifacts_of(session, [build_id])[build_id]
            specification = listing.specifications_of(session, [row.build])[row.build.specification_id]
            typed = conda_store.specification_json(specification, row.build.text)
            warnings = warnings_of(session, build_id) if row.build.warning_count else []
        active = row.environment.current_build_id == build_id
        view = conda_store.build_json(row.build, active, artifacts, typed)
        return {
            **view,
            "namespace": row.namespace.name,
            "environment": row.environment.name,
            "warnings": warnings,
            "exclude_newer": row.build.options.get("exclude_newer") or None,
            "virtual_packages": list(row.build.options.get("virtual_packages", ())),
            "all_platforms": bool(row.build.options.get("all_platforms")),
        }

    def show(self, build_id: int) -> FullBuildView:
        """Return all about a build: states, steps, prefix, artifacts."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            artifacts = rows.list_artifacts(session, build_id)
            steps = rows.list_steps(session, build_id)
            warnings = warnings_of(session, build_id) if row.build.warning_count else []
            sources = rows.sources_of(session, build_id)
            others = places_of(session, [build_id])[build_id]
        return full_view(row, artifacts, steps, warnings, sources, self._config.builds, others)

    def place(self, build_id: int, deleted: bool = False) -> tuple[str, str]:
        """Return namespace and name of the environment of a build; with ``deleted``, of a deleted one too.

        Raises
        ------
        NotFoundError
            There is no such build.
        """
        with self._database.read() as session:
            return rows.place_of(session, build_id, deleted)

    def text(self, build_id: int) -> str:
        """Return the specification as it was typed."""
        with self._database.read() as session:
            return rows.specification_of(session, rows.find_build(session, build_id).build).text

    def progress(self, build_id: int) -> BuildProgress:
        """Return how far a build is, and whether work on it is queued or runs; both of one moment."""
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            return progress_view(row.build, rows.list_steps(session, build_id), is_worked_on(session, build_id))

    def cancel(self, build_id: int, who: str = "") -> list[str]:
        """Stop a build that is queued or runs, or the artifacts of one that is ready; return what was stopped.

        Raises
        ------
        ConflictError
            Nothing of it is queued or runs.
        """
        stopped = self._scheduler.cancel(build_id)
        if not stopped:
            with self._database.read() as session:
                row = rows.find_build(session, build_id)
            msg = f"build {row} is {row.build.status} already; there is nothing to cancel"
            raise ConflictError(msg)
        with self._database.write() as session:
            people.audit(session, who, "build.cancel", f"build:{build_id}", {"stopped": stopped})
        return stopped

    def delete(self, build_id: int, who: str = "") -> None:
        """Delete a build that is not active and does not run.

        Raises
        ------
        ConflictError
            It is active, or it runs.
        """
        with self._database.read() as session:
            _check_deletable(rows.find_build(session, build_id))
        self._scheduler.cancel(build_id, everything=True)
        with self._database.write() as session:
            row = rows.find_build(session, build_id)
            _check_deletable(row)
            rows.forget_build(session, row.build, kept_on_deletion(self._config, session))
            place = f"{row.namespace.name}/{row.environment.name}:{row.build.number}"
            people.audit(session, who, "build.delete", place, {"build_id": build_id})
        remove_prefixes(self._config, [row.build])


def _check_deletable(row: rows.BuildRow) -> None:
    if row.build.status in UNSETTLED:
        msg = f"build {row} is {row.build.status}; cancel it first"
        raise RunningBuildError(msg)
    if row.environment.current_build_id == row.build.id:
        msg = f"build {row} is the active one; make another active first"
        raise ConflictError(msg)
