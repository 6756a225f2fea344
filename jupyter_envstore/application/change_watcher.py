"""Looks at the store a few times a second and tells what changed, whoever changed it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_envstore.database.changes import ChangedRow, Progress
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.values import Statistics
from jupyter_envstore.errors import DatabaseAwayError
from jupyter_envstore.services.interfaces import Store

COUNT_SECONDS = 15.0
PAUSE = 0.4
"""Seconds between two looks: a change is seen within one second."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class News:
    """What changed between two looks.

    Parameters
    ----------
    revision : int
        The store's newest revision.
    changed : tuple of ChangedRow
        The environments and builds that changed.
    progressing : tuple of Progress
        The builds whose steps or log went on.
    working : int
        How many jobs are queued or run.
    numbers : dict or None
        The store's statistics, when they were taken anew.
    """

    revision: int
    changed: tuple[ChangedRow, ...]
    progressing: tuple[Progress, ...]
    working: int
    numbers: Statistics | None = None


class ChangeWatcher:
    """Calls ``tell`` with the news of every look, from a thread of its own.

    Parameters
    ----------
    prepare : callable
        Brings what depends on the store up to date, before anybody hears of the change.
    """

    def __init__(self, store: Store, tell: Callable[[News], None], prepare: Callable[[], None]) -> None:
        self.store = store
        self.tell = tell
        self.prepare = prepare
        self.revision = store.changes.revision()
        self.seen = now()
        self.counted_at = 0.0
        self.behind = True
        self.resting = False
        self.progress: dict[int, tuple[int, ...]] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop`` is set; what goes wrong in one look is logged and does not end the others.

        While nothing is written and no job works, the tables are not looked at.
        """
        away = False
        with contextlib.closing(self.store.changes.watch()) as watch:
            while True:
                moved = watch.moved()  # asked before the look: what is written meanwhile is seen by the next
                if moved or not self.resting:
                    try:
                        self.resting = False
                        self.resting = self.look()
                        away = False
                    except DatabaseAwayError as error:
                        if not away:
                            log.warning("nobody is told of what changes: %s", error)
                        away = True
                    except Exception:
                        log.exception("the store could not be looked at; it is tried again")
                if stop.wait(PAUSE):
                    return

    def look(self) -> bool:
        """Look once; return whether there is no reason to look again before something is written."""
        revision, changed = self.store.changes.rows(self.revision)
        running, working = self.store.changes.running()
        moved = tuple(build for build in running if self.progress.get(build.build_id) != build.mark)
        if revision != self.revision or self.behind:
            try:
                self.behind = False
                self.prepare()
            except Exception:
                self.behind = True
                log.exception("what depends on the store could not be brought up to date")
        numbers = None
        if revision != self.revision or time.monotonic() - self.counted_at > COUNT_SECONDS:
            numbers, self.seen = self.store.changes.statistics(self.seen)
            self.counted_at = time.monotonic()
        self.revision, self.progress = revision, {build.build_id: build.mark for build in running}
        self.tell(News(revision, tuple(changed), moved, working, numbers))
        return not working and not self.behind
