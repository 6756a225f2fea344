"""Delete builds and environments; bring a deleted environment back."""

from __future__ import annotations

from jupyter_envstore.builds.active_links import drop_link, sync_link
from jupyter_envstore.builds.deletion import UNDO, clear_deleted, kept_on_deletion, remove_prefixes
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Environment
from jupyter_envstore.database.states import UNSETTLED
from jupyter_envstore.errors import ConflictError, RunningBuildError
from jupyter_envstore.services.base import OpenStore


class Deleting(OpenStore):
    """What goes. An environment goes in two stages: it is deleted at once, and cleared when no one can want it back."""

    def delete_build(self, build_id: int, who: str = "") -> None:
        """Delete a build that is not active and does not run.

        Raises
        ------
        ConflictError
            It is active, or it runs.
        """
        with self.database.read() as session:
            _check_deletable(rows.find_build(session, build_id))
        self.scheduler.cancel(build_id, everything=True)
        with self.database.write() as session:
            row = rows.find_build(session, build_id)
            _check_deletable(row)
            rows.forget_build(session, row.build, kept_on_deletion(self.config, session))
            place = f"{row.namespace.name}/{row.environment.name}:{row.build.number}"
            people.audit(session, who, "build.delete", place, {"build_id": build_id})
        remove_prefixes(self.config, [row.build])

    def delete_environment(self, namespace: str, name: str, who: str = "", at_once: bool = False) -> int:
        """Delete an environment with all its builds; what runs is stopped. Return how many builds it had.

        Its name is free at once, and nobody sees it any more. Its files stay for ten minutes, in which
        :meth:`undelete_environment` brings all of it back; with ``at_once`` they go now.
        """
        with self.database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            builds = rows.list_builds(session, environment.id)
            environment.name_key = rows.free_key(environment)
            environment.deleted_on = deleted_on = now()
            rows.changed(session, "environment", environment.id)
            people.audit(
                session, who, "environment.delete", f"{space.name}/{environment.name}", {"builds": len(builds)}
            )
        drop_link(self.config.root, space.name_key, name.lower())
        for build in builds:
            self.scheduler.cancel(build.id, everything=True)
        with self.database.write() as session:
            if session.get_one(Environment, environment.id).deleted_on == deleted_on:  # or it is back already
                for build in rows.list_builds(session, environment.id):
                    build.deleted_on = deleted_on
                    rows.changed(session, "build", build.id)
        if at_once:
            clear_deleted(self.config, self.database, now(), environment.id)
        return len(builds)

    def undelete_environment(self, namespace: str, name: str, who: str = "") -> int:
        """Bring back the environment of this name that was deleted last, with its builds. Return how many there are.

        Raises
        ------
        NotFoundError
            None was deleted, or it was cleared already.
        ConflictError
            There is another one of this name now.
        """
        with self.database.write() as session:
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
        sync_link(self.config, self.database, environment.id)
        return len(builds)

    def clear_deleted(self) -> int:
        """Remove the files of environments that can not be brought back any more; return how many there were."""
        return len(clear_deleted(self.config, self.database, now() - UNDO))


def _check_deletable(row: rows.BuildRow) -> None:
    if row.build.status in UNSETTLED:
        msg = f"build {row} is {row.build.status}; cancel it first"
        raise RunningBuildError(msg)
    if row.environment.current_build_id == row.build.id:
        msg = f"build {row} is the active one; make another active first"
        raise ConflictError(msg)
