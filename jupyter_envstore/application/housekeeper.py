"""Frees what the settings do not keep, now and then, while the server runs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from jupyter_envstore.errors import EnvStoreError

if TYPE_CHECKING:
    import logging

    from jupyter_envstore.services.interfaces import Store

FIRST_COLLECTION = 600.0
"""Seconds after the start: not while people log in."""
CLEARING_SECONDS = 60.0
"""How often it looks for deleted environments that cannot be brought back any more."""


class Housekeeper:
    """Clears what was deleted, and collects what nobody needs.

    Parameters
    ----------
    collect_hours : float
        How often it collects, in hours; 0 for never.
    """

    def __init__(self, store: Store, collect_hours: float, log: logging.Logger) -> None:
        self._store = store
        self._collect_hours = collect_hours
        self._log = log

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what goes wrong once is logged and tried again."""
        try:
            self._store.retention.mend_links()
        except Exception:
            self._log.exception("envstore: the links to environments could not be checked")
        due = time.monotonic() + min(FIRST_COLLECTION, self._collect_hours * 3600)
        while not stop.wait(CLEARING_SECONDS):
            try:
                self._store.retention.clear_deleted()
                if self._collect_hours and time.monotonic() >= due:
                    due = time.monotonic() + self._collect_hours * 3600
                    self._store.dynamic_images.forget_old()
                    self._log.info("envstore: %d bytes freed", self._store.retention.collect().size)
            except EnvStoreError as error:  # the database or the bucket is away
                self._log.warning("envstore: what the store does not need is freed later: %s", error)
            except Exception:
                self._log.exception("envstore: what the store does not need could not be freed; it is tried again")
