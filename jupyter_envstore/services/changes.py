"""What changed in the store, and its numbers."""

from __future__ import annotations

from datetime import datetime

from jupyter_envstore.database import changes
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database.changes import ChangedRow, Progress
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.kinds import WriteWatch
from jupyter_envstore.database.values import Statistics
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.services.changed_things import changed_things
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
        return changed_things(newest, found, reset)

    def revision(self) -> int:
        """Return the store's newest revision."""
        with self._database.read() as session:
            return changes.revisions(session)[0]

    def rows(self, since: int) -> tuple[int, list[ChangedRow]]:
        """Return the newest revision, and all environments and builds that changed behind ``since``."""
        with self._database.read() as session:
            newest, _ = changes.revisions(session)
            return newest, changes.changes_since(session, since, None) if newest != since else []

    def running(self) -> tuple[list[Progress], int]:
        """Return how far each build is that is worked on; and how many jobs there are."""
        with self._database.read() as session:
            return changes.running_builds(session)

    def statistics(self, ended_after: datetime) -> tuple[Statistics, datetime]:
        """Return the store's numbers, with builds that ended behind a moment, and the moment of this look."""
        with self._database.read() as session:
            return listing.statistics(session, ended_after), now()
