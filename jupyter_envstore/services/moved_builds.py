"""Builds that come from another store with the history of their environment, by their records."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import NotFoundError, SpecificationError
from jupyter_envstore.notebooks.bond_reader import read_bond
from jupyter_envstore.services.bonds import Bonds
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.moved_origin import moved_trigger
from jupyter_envstore.services.record_policy import check_accepted, unknown_specification_places
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import BuildRef, MovedBuild, RecordUse
from jupyter_envstore.spec import read_specification


class MovedBuilds:
    """Builds of other stores."""

    def __init__(
        self, config: StoreConfig, database: Database, settings: Settings, builds: Builds, bonds: Bonds
    ) -> None:
        self._config = config
        self._database = database
        self._settings = settings
        self._builds = builds
        self._bonds = bonds

    def add(
        self, metadata: object, target: tuple[str, str], who: str, accepted: Sequence[str], moved: MovedBuild
    ) -> BuildRef:
        """Add a build of another store to an environment, behind those that it has; one that is there stays alone.

        Parameters
        ----------
        metadata : object
            The bond of the build, with its lock, as the other store gives it.
        target : tuple of str
            Namespace and name of the environment, which is made where it is new.
        accepted : sequence of str
            Addresses that packages may come from although the store's settings do not name them.
        moved : MovedBuild
            What the other store tells of it.

        Raises
        ------
        ConflictError
            Packages would have to be built from source, and nothing shall be built now.
        UnknownPlacesError, InvalidInputError, PlatformError, PolicyError, SpecificationError
            As :meth:`jupyter_envstore.services.bonds.Bonds.build_lock`.
        """
        bond = read_bond(metadata)
        record = self._bonds.checked_lock(bond, target, accepted)
        trigger = moved_trigger(bond["namespace"], bond["environment"], bond["build"], moved.built_on)
        if record.wheels and (here := self._came(target, trigger)):
            return here  # what was built from sources here has another record
        text = self._fitting_text(moved.text, record, target, accepted)
        use = RecordUse(moved.later, is_new=False, is_active=moved.is_active, text=text)
        return self._builds.submit_record(record, target, who, trigger, use=use)

    def _came(self, target: tuple[str, str], trigger: str) -> BuildRef | None:
        """Return the build of an environment that came from a build elsewhere and is ready or may yet be."""
        with self._database.read() as session:
            try:
                space, environment = rows.find_environment(session, *target)
            except NotFoundError:
                return None
            for build in rows.list_builds(session, environment.id):
                if build.trigger == trigger and build.status in (COMPLETED, *UNSETTLED):
                    return BuildRef(space.name, environment.name, build.number, build.id, is_new=False)
        return None

    def _fitting_text(self, text: str, record: BuildRecord, target: tuple[str, str], accepted: Sequence[str]) -> str:
        """Return the text of a specification, if it asks for what the record was made of; else nothing.

        Raises
        ------
        UnknownPlacesError, PolicyError
            It names addresses that were not accepted, or that the settings forbid.
        """
        try:
            asked = read_specification(text, "the specification", self._config.allow_local_files, named=True)
        except SpecificationError:
            return ""
        requested = {*record.requested_conda, *record.requested_pip}
        fits = {*asked.dependencies, *asked.pip} <= requested and set(asked.channels) <= set(record.channels)
        if asked.lockfile is not None or not fits or asked.variables != record.variables:
            return ""
        self._settings.apply(asked, *target)
        places = unknown_specification_places(asked, self._settings.near(target), self._config)
        check_accepted("the specification", places, accepted)
        return text
