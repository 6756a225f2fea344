"""Changes of the store, told to the server: events, metrics, activity."""

from __future__ import annotations

from collections.abc import MutableMapping
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
        emitted = {"environments": news.environments, "builds": news.builds, "progress": news.progressing}
        for kind, ids in emitted.items():
            if ids:
                self._emit(kind, {"revision": news.revision, "ids": list(ids)})

    def _emit(self, kind: str, data: dict[str, Any]) -> None:
        """Emit an event; a listener's trouble is not ours."""
        try:
            self._events.emit(schema_id=f"{SCHEMAS}{kind}/v1", data=data)
        except Exception:
            self._log.exception("envstore: the event %s could not be emitted", kind)
