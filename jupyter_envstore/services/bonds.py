"""What notebooks remember of their environments, and how they get them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.recorded_builds import (
    NOTEBOOK,
    active_build,
    active_builds_of,
    active_packages,
    builds_of_record,
    was_tried_only,
)
from jupyter_envstore.database.retention import builds_deleted_with, find_deleted_environment
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.satisfaction import InstalledPackage, Requests
from jupyter_envstore.errors import NotFoundError, PolicyError, SpecificationError
from jupyter_envstore.notebooks.bond import Bond, bond_of, embedded_lock
from jupyter_envstore.notebooks.bond_reader import embedded_record, read_bond, requested_text
from jupyter_envstore.notebooks.bond_state import BondState, FittingEnvironment, FoundBuild, LockState, RecordedBuilds
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.record_policy import (
    check_accepted,
    check_record,
    unknown_places,
)
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import BuildRef, RecordUse
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.names import NAME
from jupyter_envstore.spec.selectors import current_subdir

MOST_FITTING = 12
"""How many environments are told that could be used instead."""
MOST_NAMES = 1_000


class Bonds:
    """The bonds of notebooks with builds."""

    def __init__(
        self, config: StoreConfig, database: Database, settings: Settings, builds: Builds, records: BuildRecords
    ) -> None:
        self._config = config
        self._database = database
        self._settings = settings
        self._builds = builds
        self._records = records

    def of_build(self, build_id: int, lock: bool = False) -> Bond:
        """Return what a notebook that runs in a build remembers; with ``lock``, the whole record is in it.

        Raises
        ------
        ConflictError
            The build has no record yet.
        NotFoundError
            There is no such build.
        """
        record = self._records.read(build_id)
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        return bond_of(
            record,
            row.build.record_digest or record.sha256,
            row.namespace.name,
            row.environment.name,
            row.build.number,
            self._config.public_url,
            lock,
        )

    def of_record(self, identity: Identity, digest: str, lock: bool = False) -> RecordedBuilds:
        """Return the builds with a build record that ``identity`` may see, newest first.

        Parameters
        ----------
        digest : str
            Hexadecimal SHA-256 of the record.
        lock : bool
            Whether the record is wanted, too.

        Raises
        ------
        NotFoundError
            There is none that they may see.
        """
        with self._database.read() as session:
            visible = [row for row in builds_of_record(session, digest) if _may_read(identity, row)]
        if not visible:
            msg = f"no build that you may see has the record {digest[:100]}"
            raise NotFoundError(msg)
        packed = embedded_lock(self._records.read(visible[0].build.id)) if lock else None
        return {"builds": [_found(row) for row in visible], "lock": packed}

    def look(self, identity: Identity, metadata: object) -> BondState:
        """Return what is known here of a notebook's environment, of what ``identity`` may see.

        Parameters
        ----------
        metadata : object
            ``metadata.envstore`` of the notebook, as JSON has it.

        Raises
        ------
        InvalidInputError
            It is no bond, or of another version.
        """
        bond = read_bond(metadata)
        builds, named = self._known_builds(identity, bond)
        place = self._free_place(identity, bond)
        without_lock: Bond = {**bond}
        without_lock.pop("lock", None)
        return {
            "bond": without_lock,
            "platform": current_subdir(),
            "builds": builds,
            "named": named,
            "deleted": not builds and self._can_come_back(identity, bond),
            "lock": self._lock_state(bond, place),
            "namespace": place[0],
            "environment": place[1],
            "specification": requested_text(bond),
            "asked": self._asked(identity, requested_text(bond), place),
            "fitting": self._fitting(identity, bond),
        }

    def lock_state(self, identity: Identity, bond: Bond) -> LockState | None:
        """Return what can be done here with the lock in a bond; None where it has none."""
        return self._lock_state(bond, self._free_place(identity, bond))

    def build_lock(
        self,
        metadata: object,
        target: tuple[str, str],
        who: str,
        accepted: Sequence[str] = (),
        later: bool = False,
        wheels: Collection[str] = (),
    ) -> BuildRef:
        """Build the lock that a notebook holds, in a new environment.

        Parameters
        ----------
        metadata : object
            ``metadata.envstore`` of the notebook, as JSON has it.
        target : tuple of str
            Namespace and name of the new environment.
        accepted : sequence of str
            Addresses that packages may come from although the store's settings do not name them.
        later, wheels
            As in :meth:`~jupyter_envstore.services.builds.Builds.submit_record`.

        Raises
        ------
        ConflictError
            The target is there.
        UnknownPlacesError
            Packages come from addresses that were not accepted.
        InvalidInputError
            It is no bond, or has no lock.
        PlatformError
            The lock is not for this platform.
        PolicyError
            The settings of the target forbid something in it.
        SpecificationError
            The lock is damaged, or is no lock.
        """
        record = self.checked_lock(read_bond(metadata), target, accepted)
        return self._builds.submit_record(record, target, who, NOTEBOOK, wheels, RecordUse(later=later))

    def checked_lock(self, bond: Bond, target: tuple[str, str], accepted: Sequence[str]) -> BuildRecord:
        """Return the record in a bond, if it may be built in a place.

        Raises
        ------
        UnknownPlacesError, PlatformError, PolicyError, SpecificationError
            It may not, as :meth:`build_lock` says.
        """
        record = embedded_record(bond, self._config.allow_local_files)
        if record is None:
            msg = "the notebook holds no lock; build from what it asked for, or choose another environment"
            raise SpecificationError(msg)
        settings = self._settings.near(target)
        record.lock(current_subdir())
        check_record(record, settings, "/".join(target), self._config, foreign=True)
        check_accepted("the lock", unknown_places(record, settings, self._config), accepted)
        return record

    def _known_builds(self, identity: Identity, bond: Bond) -> tuple[list[FoundBuild], FoundBuild | None]:
        """Return the builds with the notebook's record, and the active build of the environment that it names."""
        place = bond["namespace"], bond["environment"]
        with self._database.read() as session:
            found = builds_of_record(session, bond["record"].removeprefix("sha256:"))
            named = active_build(session, *place)
        visible = [row for row in found if _may_read(identity, row)]
        visible.sort(key=lambda row: (_place(row) != place, not row.build.is_here))
        return [_found(row) for row in visible], _found(named) if named and _may_read(identity, named) else None

    def _can_come_back(self, identity: Identity, bond: Bond) -> bool:
        """Whether the environment was deleted with the notebook's build, and the identity may undo that."""
        place = bond["namespace"], bond["environment"]
        if not identity.may("environment::delete", *place):
            return False
        digest = bond["record"].removeprefix("sha256:")
        with self._database.read() as session:
            try:
                space, environment = find_deleted_environment(session, *place)
            except NotFoundError:
                return False
            if rows.get_environment(session, space.id, environment.name) is not None:
                return False
            return any(build.record_digest == digest for build in builds_deleted_with(session, environment))

    def _free_place(self, identity: Identity, bond: Bond) -> tuple[str, str]:
        """Return where the environment would be made: under its name where that is free."""
        namespace = bond["namespace"]
        with self._database.read() as session:
            is_there = rows.get_namespace(session, namespace) is not None
            if not is_there or not identity.may("environment:create", namespace, bond["environment"]):
                namespace = identity.primary_namespace
            base = bond["environment"]
            longest = f"{base[:48]}-build-{bond['build']}"
            names = [base, longest, *(f"{longest}-{number}" for number in range(2, 100))]
            name = next((n for n in names if _is_free(session, namespace, n)), longest)
        return namespace, name if NAME.fullmatch(name) else base

    def _asked(self, identity: Identity, text: str, place: tuple[str, str]) -> FoundBuild | None:
        """Return an active build that was made from exactly what a notebook asked for; one that is here comes first."""
        if not text:
            return None
        try:
            specification = read_specification(text, allow_local_files=self._config.allow_local_files, named=True)
            specification, _ = self._settings.apply(specification, *place)
        except (PolicyError, SpecificationError):
            return None
        with self._database.read() as session:
            visible = [row for row in active_builds_of(session, specification.sha256) if _may_read(identity, row)]
        visible.sort(key=lambda row: not row.build.is_here)
        return _found(visible[0]) if visible else None

    def _lock_state(self, bond: Bond, place: tuple[str, str]) -> LockState | None:
        """Return what can be done with the lock in a notebook; a lock that cannot be used tells why."""
        state: LockState = {
            "refused": "", "damaged": False, "fits": True, "packages": 0, "size": 0, "places": [], "sources": []
        }  # fmt: skip
        try:
            record = embedded_record(bond, self._config.allow_local_files)
        except SpecificationError as error:
            return {**state, "refused": str(error), "damaged": True}
        if record is None:
            return None
        try:
            check_record(record, self._settings.near(place), "/".join(place), self._config, foreign=True)
        except PolicyError as error:
            return {**state, "refused": str(error)}
        lock = record.platforms.get(current_subdir())
        if lock is None:
            return {**state, "fits": False, "refused": _other_platform(record)}
        cache = self._config.packages / "conda"
        return {
            **state,
            "packages": len(lock.conda) + len(lock.pip),
            "size": sum(entry.get("size") or 0 for entry in lock.conda if not in_cache(entry, cache))
            + sum(package["size"] for package in lock.pip),
            "places": unknown_places(record, self._settings.near(place), self._config),
            "sources": [package["name"] for package in lock.pip if "wheel" in package],
        }

    def _fitting(self, identity: Identity, bond: Bond) -> list[FittingEnvironment]:
        """Return the environments that satisfy most of what the notebook asked for."""
        if not bond["packages"] and not bond["pip"]:
            return []
        requests = Requests(bond["packages"], bond["pip"])
        packages: dict[tuple[str, str], list[InstalledPackage]] = defaultdict(list)
        with self._database.read() as session:
            for row in active_packages(session, sorted(requests.names)[:MOST_NAMES]):
                package = InstalledPackage(row.manager, row.name, row.version, row.build)
                packages[row.namespace, row.environment].append(package)
        found: list[FittingEnvironment] = [
            {"namespace": namespace, "name": name, "unmet": requests.unmet(installed)}
            for (namespace, name), installed in packages.items()
            if identity.may("environment::read", namespace, name)
        ]
        found.sort(key=lambda item: (len(item["unmet"]), item["namespace"], item["name"]))
        return found[:MOST_FITTING]


def _is_free(session: Session, namespace: str, name: str) -> bool:
    found = settings_rows.scope_ids(session, namespace, name)[1]
    return found is None or was_tried_only(session, found)


def _may_read(identity: Identity, row: rows.BuildRow) -> bool:
    return identity.may("environment::read", *_place(row))


def _place(row: rows.BuildRow) -> tuple[str, str]:
    return row.namespace.name, row.environment.name


def _found(row: rows.BuildRow) -> FoundBuild:
    return {
        "build_id": row.build.id,
        "number": row.build.number,
        "namespace": row.namespace.name,
        "environment": row.environment.name,
        "active": row.environment.current_build_id == row.build.id,
        "packed_away": not row.build.is_here,
        "record": f"sha256:{row.build.record_digest}",
    }


def _other_platform(record: BuildRecord) -> str:
    reason = record.failed_platforms.get(current_subdir(), "")
    names = ", ".join(sorted(record.platforms))
    return f"the lock is for {names}, and this server runs {current_subdir()}" + (f": {reason}" if reason else "")
