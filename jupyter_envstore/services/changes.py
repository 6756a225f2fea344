"""What changed in the store, and its numbers."""

from __future__ import annotations

from datetime import datetime

from jupyter_envstore.database import changes
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.values import Statistics
from jupyter_envstore.database.write_watch import WriteWatch
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.services.values import ChangedThings


class Changes:
    """What those follow who show the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def watch(self) -> WriteWatch:
        """Return what tells, for almost nothing, whether it is worth to look; who asked for it closes it."""
        return self._database.watch()

    def since(self, identity: Identity, since: int) -> ChangedThings:
        """Return what changed behind revision ``since``, of what someone may see.

        ``reset`` says that old revisions are gone: who follows must look at everything again.
        """
        with self._database.read() as session:
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
                {"id": build_id, "environment_id": row.environment_id, "status": row.status}
                for build_id, row in {row.build_id: row for row in found if row.build_id is not None}.items()
            ],
        }

    def revision(self) -> int:
        """Return the store's newest revision."""
        with self._database.read() as session:
            return changes.revisions(session)[0]

    def ids(self, since: int) -> tuple[int, list[int], list[int]]:
        """Return the newest revision, and the ids of environments and builds that changed behind ``since``."""
        with self._database.read() as session:
            newest, _ = changes.revisions(session)
            found = changes.changes_since(session, since, None) if newest != since else []
        environments = sorted({row.environment_id for row in found})
        return newest, environments, sorted({row.build_id for row in found if row.build_id is not None})

    def progress_marks(self) -> tuple[dict[int, tuple[int, ...]], int]:
        """Return of each build that is worked on what tells its progress from before; and how many jobs there are."""
        with self._database.read() as session:
            return changes.progress_marks(session)

    def statistics(self, ended_after: datetime) -> tuple[Statistics, datetime]:
        """Return the store's numbers, with builds that ended behind a moment, and the moment of this look."""
        with self._database.read() as session:
            return listing.statistics(session, ended_after), now()
