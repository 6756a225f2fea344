"""Environments: listed, described, activated, deleted, brought back."""

from __future__ import annotations

from jupyter_envstore.builds.active_links import drop_link, links_folder, sync_link
from jupyter_envstore.builds.deletion import clear_deleted
from jupyter_envstore.builds.package_keeping import keep_where_wanted
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database import people
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.models import Environment
from jupyter_envstore.database.models import Specification as SpecificationRow
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.placements import places_of
from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.errors import ConflictError, NotFoundError
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.representation import conda_store
from jupyter_envstore.representation.conda_store_types import EnvironmentJson
from jupyter_envstore.representation.environments import EnvironmentView, environment_view
from jupyter_envstore.services.values import BuildRef


class Environments:
    """Environments of all namespaces."""

    def __init__(self, config: StoreConfig, database: Database, scheduler: Scheduler) -> None:
        self._config = config
        self._database = database
        self._scheduler = scheduler

    def list_all(self, namespace: str | None = None) -> list[EnvironmentView]:
        """Return all environments, or those of a namespace."""
        with self._database.read() as session:
            return [environment_view(*row) for row in rows.list_environments(session, namespace)]

    def page(self, identity: Identity, filters: Filters, page: Page) -> tuple[int, list[EnvironmentJson]]:
        """Return environments with the build that stands for each."""
        with self._database.read() as session:
            count, found = list_environments(session, filters, page)
            mappings = listing.mappings_of(session, list({row.namespace.id for row in found}))
            builds = [row.build.id for row in found if row.build]
            artifacts = listing.artifacts_of(session, builds)
            packages = listing.packages_found(session, builds, filters.packages) if filters.packages else {}
        views: list[EnvironmentJson] = []
        folder = links_folder(self._config.root)
        for row in found:
            may = identity.permissions(row.namespace.name, row.environment.name)
            ready = artifacts[row.build.id] if row.build else []
            path = None
            if row.build and row.environment.current_build_id and row.build.is_here:
                path = f"{folder}/{row.namespace.name_key}/{row.environment.name_key}"
            view = conda_store.environment_json(row, mappings[row.namespace.id], may, ready, path)
            if packages and row.build:
                view["packages_found"] = packages[row.build.id]
            views.append(view)
        return count, views

    def get(self, identity: Identity, namespace: str, name: str) -> EnvironmentJson:
        """Return one environment as listings show it.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        filters = Filters(namespace=namespace, name=name)
        _, found = self.page(identity, filters, Page(size=1))
        if not found:
            msg = f"there is no environment {namespace}/{name}"
            raise NotFoundError(msg)
        return found[0]

    def newest_specification(self, namespace: str, name: str) -> tuple[str | None, int | None]:
        """Return the hash of what the newest build was made of, and the build's id while it is queued or runs.

        Both are of one moment. The hash is None where there is no build, or where it did not work.
        """
        with self._database.read() as session:
            try:
                _, environment = rows.find_environment(session, namespace, name)
            except NotFoundError:
                return None, None
            builds = rows.list_builds(session, environment.id)
            if not builds or builds[0].status not in (COMPLETED, *UNSETTLED):
                return None, None
            digest = session.get_one(SpecificationRow, builds[0].specification_id).sha256
            return digest, builds[0].id if builds[0].status in UNSETTLED else None

    def activate(self, namespace: str, name: str, build: str, who: str = "") -> BuildRef:
        """Make a completed build of this environment its active one.

        Raises
        ------
        ConflictError
            The build is not completed, or its prefix was dropped.
        """
        with self._database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            place = f"{namespace}/{name}:{found.number}"
            if found.status != COMPLETED:
                msg = f"build {place} is {found.status}; only a completed build can be active"
                raise ConflictError(msg)
            if not found.is_here and not places_of(session, [found.id])[found.id]:
                msg = f"build {place} is packed away; first: jupyter envstore restore {place}"
                raise ConflictError(msg)
            environment.current_build_id = found.id
            keep_where_wanted(self._config, session, space, environment, found)
            rows.changed(session, "environment", environment.id)
            people.audit(session, who, "build.activate", f"{space.name}/{environment.name}:{found.number}")
        sync_link(self._config, self._database, environment.id)
        return BuildRef(space.name, environment.name, found.number, found.id)

    def activate_id(self, namespace: str, name: str, build_id: int, who: str = "") -> BuildRef:
        """Make a build of this environment, named by its id, the active one.

        Raises
        ------
        NotFoundError
            This environment has no such build; whether another one has is not told.
        ConflictError
            It is not completed, or packed away.
        """
        with self._database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            build = rows.build_of(session, environment, build_id)
        return self.activate(namespace, name, str(build.number), who)

    def describe(self, namespace: str, name: str, description: str, who: str) -> None:
        """Change the description of an environment."""
        with self._database.write() as session:
            _, environment = rows.find_environment(session, namespace, name)
            environment.description = description
            rows.changed(session, "environment", environment.id)
            people.audit(session, who, "environment.describe", f"{namespace}/{name}")

    def delete(self, namespace: str, name: str, who: str = "", at_once: bool = False) -> int:
        """Delete an environment with all its builds; what runs is stopped. Return how many builds it had.

        Its name is free at once, and nobody sees it any more. Its files stay for ten minutes, in which
        :meth:`undelete` brings all of it back; with ``at_once`` they go now.
        """
        with self._database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            builds = rows.list_builds(session, environment.id)
            environment.name_key = rows.free_key(environment)
            environment.deleted_on = deleted_on = now()
            rows.changed(session, "environment", environment.id)
            people.audit(
                session, who, "environment.delete", f"{space.name}/{environment.name}", {"builds": len(builds)}
            )
        drop_link(self._config.root, space.name_key, name.lower())
        for build in builds:
            self._scheduler.cancel(build.id, everything=True)
        with self._database.write() as session:
            if session.get_one(Environment, environment.id).deleted_on == deleted_on:  # or it is back already
                for build in rows.list_builds(session, environment.id):
                    build.deleted_on = deleted_on
                    rows.changed(session, "build", build.id)
        if at_once:
            clear_deleted(self._config, self._database, now(), environment.id)
        return len(builds)

    def can_come_back(self, namespace: str, name: str) -> bool:
        """Whether there is no environment of this name, and one that was deleted can be brought back."""
        with self._database.read() as session:
            try:
                space, _ = queries.find_deleted_environment(session, namespace, name)
            except NotFoundError:
                return False
            return rows.get_environment(session, space.id, name) is None

    def undelete(self, namespace: str, name: str, who: str = "") -> int:
        """Bring back the environment of this name that was deleted last, with its builds. Return how many there are.

        Raises
        ------
        NotFoundError
            None was deleted, or it was cleared already.
        ConflictError
            There is another one of this name now.
        """
        with self._database.write() as session:
            space, environment = queries.find_deleted_environment(session, namespace, name)
            if rows.get_environment(session, space.id, name) is not None:
                place = f"{space.name}/{environment.name}"
                msg = f"there is a new environment {place} now; delete it, and the old one can come back"
                raise ConflictError(msg)
            builds = queries.builds_deleted_with(session, environment)
            for build in builds:
                build.deleted_on = None
                rows.changed(session, "build", build.id)
            environment.name_key, environment.deleted_on = environment.name.lower(), None
            rows.changed(session, "environment", environment.id)
            place = f"{space.name}/{environment.name}"
            people.audit(session, who, "environment.undelete", place, {"builds": len(builds)})
        sync_link(self._config, self._database, environment.id)
        return len(builds)
