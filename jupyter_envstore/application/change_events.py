"""Changes of the store, told to the server: events, metrics, activity."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from jupyter_envstore.server.metrics import metrics

if TYPE_CHECKING:
    import logging

    from jupyter_events import EventLogger

    from jupyter_envstore.application.change_watcher import News

SCHEMAS = "https://events.jupyter.org/jupyter_envstore/"


class ChangeEvents:
    """Tells all who listen what changed; ids only, since everybody on this server can listen.

    Parameters
    ----------
    events : EventLogger
        Where events are emitted.
    settings : mutable mapping
        The settings of the web application, which hold the last activity that Jupyter's own shutdown looks at.
    """

    def __init__(self, events: EventLogger, settings: MutableMapping[str, Any], log: logging.Logger) -> None:
        self._events = events
        self._settings = settings
        self._log = log
        self.working = 0
        """How many jobs are queued or run."""

    def tell(self, news: News) -> None:
        """Tell of the news, on the server's loop."""
        self.working = news.working
        if news.numbers is not None:
            metrics().set(news.numbers)
        if news.working:
            self._settings["envstore_last_activity"] = datetime.now(timezone.utc)
        self.tell_ids(
            news.revision,
            {row.environment_id for row in news.changed},
            {row.build_id for row in news.changed if row.build_id is not None},
            {build.build_id for build in news.progressing},
        )

    def tell_ids(
        self, revision: int, environments: Collection[int], builds: Collection[int], progressing: Collection[int]
    ) -> None:
        """Tell which environments and builds changed, and which builds went on."""
        for kind, ids in (("environments", environments), ("builds", builds), ("progress", progressing)):
            if ids:
                self._emit(kind, revision, ids)

    def tell_all(self, revision: int) -> None:
        """Tell that any environment and build may have changed: of which, is not known."""
        self._emit("environments", revision, ())

    def _emit(self, kind: str, revision: int, ids: Collection[int]) -> None:
        """Emit an event; a listener's trouble is not ours."""
        try:
            self._events.emit(schema_id=f"{SCHEMAS}{kind}/v1", data={"revision": revision, "ids": sorted(ids)})
        except Exception:
            self._log.exception("envstore: the event %s could not be emitted", kind)
