"""Listings and lookups for the REST API: what someone may see, in its JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jupyter_envstore.builds.active_links import links_folder
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import changes
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.states import PREFIX_PRESENT
from jupyter_envstore.database.warnings import warnings_of
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.representation import rest as wire
from jupyter_envstore.services.base import OpenStore


class Pages(OpenStore):
    """Each listing is one page and its count."""

    def page_of_namespaces(self, identity: Identity, page: Page) -> tuple[int, list[dict[str, Any]]]:
        """Return namespaces."""
        with self.database.read() as session:
            count, found = listing.list_namespaces(session, identity.visible("namespace::read"), page)
        return count, [{"id": namespace.id, "name": namespace.name} for namespace in found]

    def namespace(self, name: str) -> dict[str, Any]:
        """Return a namespace.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        with self.database.read() as session:
            found = rows.get_namespace(session, name)
            if found is None:
                msg = f"there is no namespace {name}"
                raise NotFoundError(msg)
            return wire.namespace_json(found, listing.mappings_of(session, [found.id])[found.id])

    def page_of_environments(
        self, identity: Identity, filters: Filters, page: Page
    ) -> tuple[int, list[dict[str, Any]]]:
        """Return environments with the build that stands for each."""
        with self.database.read() as session:
            count, found = list_environments(session, filters, page)
            mappings = listing.mappings_of(session, list({row.namespace.id for row in found}))
            builds = [row.build.id for row in found if row.build]
            artifacts = listing.artifacts_of(session, builds)
            packages = listing.packages_found(session, builds, filters.packages) if filters.packages else {}
        views, folder = [], links_folder(self.config.root)
        for row in found:
            may = identity.permissions(row.namespace.name, row.environment.name)
            ready = artifacts[row.build.id] if row.build else []
            path = None
            if row.build and row.environment.current_build_id and row.build.prefix_state == PREFIX_PRESENT:
                path = f"{folder}/{row.namespace.name_key}/{row.environment.name_key}"
            view = wire.environment_json(row, mappings[row.namespace.id], may, ready, path)
            views.append(view | ({"packages_found": packages[row.build.id]} if packages and row.build else {}))
        return count, views

    def environment_page_row(self, identity: Identity, namespace: str, name: str) -> dict[str, Any]:
        """Return one environment as listings show it.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        filters = Filters(namespace=namespace, name=name)
        _, found = self.page_of_environments(identity, filters, Page(size=1))
        if not found:
            msg = f"there is no environment {namespace}/{name}"
            raise NotFoundError(msg)
        return found[0]

    def page_of_builds(self, filters: Filters, page: Page) -> tuple[int, list[dict[str, Any]]]:
        """Return builds with their ready artifacts."""
        with self.database.read() as session:
            count, found = listing.list_builds(session, filters, page)
            artifacts = listing.artifacts_of(session, [build.id for build, _ in found])
        return count, [wire.build_json(build, active, artifacts[build.id]) for build, active in found]

    def build_page_row(self, build_id: int) -> dict[str, Any]:
        """Return one build, its specification included."""
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
            artifacts = listing.artifacts_of(session, [build_id])[build_id]
            specification = listing.specifications_of(session, [row.build])[row.build.specification_id]
            typed = wire.specification_json(specification, row.build.text)
            warnings = warnings_of(session, build_id) if row.build.warning_count else []
        active = row.environment.current_build_id == build_id
        view = wire.build_json(row.build, active, artifacts, typed)
        names = {"namespace": row.namespace.name, "environment": row.environment.name}
        date = row.build.options.get("exclude_newer") or None
        return {**view, **names, "warnings": warnings, "exclude_newer": date}

    def place_of(self, build_id: int, deleted: bool = False) -> tuple[str, str]:
        """Return namespace and name of the environment that a build belongs to; with ``deleted``, of a deleted one too.

        Raises
        ------
        NotFoundError
            There is no such build.
        """
        with self.database.read() as session:
            return rows.place_of(session, build_id, deleted)

    def page_of_packages(
        self, build_id: int, search: str, exact: bool, build: str, page: Page
    ) -> tuple[int, list[dict[str, Any]]]:
        """Return the packages of a build."""
        with self.database.read() as session:
            count, found = listing.list_packages(session, build_id, search, exact, build, page)
        return count, [wire.package_json(package) for package in found]

    def changes(self, identity: Identity, since: int) -> dict[str, Any]:
        """Return what changed behind revision ``since``, of what someone may see.

        ``reset`` says that old revisions are gone: who follows must look at everything again.
        """
        with self.database.read() as session:
            newest, oldest = changes.revisions(session)
            reset = since > newest or (since < oldest - 1 and since != newest)
            found = [] if reset else changes.changes_since(session, since, identity.visible())
        return {
            "revision": newest,
            "reset": reset,
            "environments": [
                {"id": row.environment_id, "namespace": row.namespace, "name": row.name, "deleted": row.deleted}
                for row in {row.environment_id: row for row in found}.values()
            ],
            "builds": [
                {"id": row.build_id, "environment_id": row.environment_id, "status": row.status}
                for row in {row.build_id: row for row in found if row.build_id is not None}.values()
            ],
        }

    def revision(self) -> int:
        """Return the store's newest revision."""
        with self.database.read() as session:
            return changes.revisions(session)[0]

    def changed_ids(self, since: int) -> tuple[int, list[int], list[int]]:
        """Return the newest revision, and the ids of environments and builds that changed behind ``since``."""
        with self.database.read() as session:
            newest, _ = changes.revisions(session)
            found = changes.changes_since(session, since, None) if newest != since else []
        environments = sorted({row.environment_id for row in found})
        return newest, environments, sorted({row.build_id for row in found if row.build_id is not None})

    def progress_marks(self) -> tuple[dict[int, tuple[int, ...]], int]:
        """Return of each build that is worked on what tells its progress from before; and how many jobs there are."""
        with self.database.read() as session:
            return changes.progress_marks(session)

    def statistics(self, ended_after: datetime) -> tuple[dict[str, Any], datetime]:
        """Return the store's numbers, with builds that ended behind a moment, and the moment of this look."""
        with self.database.read() as session:
            return listing.statistics(session, ended_after), now()

    def usage(self, identity: Identity) -> dict[str, dict[str, int]]:
        """Return environments, builds and bytes of each namespace."""
        with self.database.read() as session:
            return listing.usage(session, identity.visible("namespace::read"))
