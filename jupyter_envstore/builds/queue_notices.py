"""Builds that wait say what they wait for."""

from __future__ import annotations

import time

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.queue_reasons import MOST_TOLD, builds_to_tell, tell_why
from jupyter_envstore.engine.channels import redact

TELL_SECONDS = 10.0
"""How often it is looked for builds that do not say what they wait for."""
MOST_WORDS = 500
"""Characters of what an executor says that people are shown."""


class QueueNotices:
    """Writes for queued builds of this folder why no worker is started, and that this is over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._why = ""
        self._told = -TELL_SECONDS

    def tell(self, why: str) -> None:
        """Have the builds say why no worker is started; with nothing, that they wait for their turn.

        Now and then only: another server of the folder may have something else to say. Those that are left are told in
        the next round.
        """
        if why == self._why and time.monotonic() - self._told < TELL_SECONDS:
            return
        self._why = why
        words = in_words(why)
        with self._database.read() as session:
            found = builds_to_tell(session, words)
        for build_id in found:
            with self._database.write(alone=False) as session:
                tell_why(session, build_id, words)
        if len(found) < MOST_TOLD:
            self._told = time.monotonic()


def in_words(reason: str) -> str:
    """Return what an executor says, fit for people and rows: another package may say anything."""
    return redact(printable(reason))[:MOST_WORDS]
