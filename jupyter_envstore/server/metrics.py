"""Numbers for Prometheus: on Jupyter's own ``/metrics``, and on ``envstore/metrics`` of a store that runs alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jupyter_envstore.server.base import EnvStoreHandler

if TYPE_CHECKING:
    from jupyter_envstore.database.values import Statistics

BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class Metrics:
    """The store's gauges; they exist once for each process, as Prometheus asks."""

    def __init__(self) -> None:
        from prometheus_client import Gauge, Histogram

        self.builds = Gauge("envstore_builds", "Builds in the store, by status.", ["status"])
        self.jobs = Gauge("envstore_jobs", "Jobs that are queued or run.", ["state"])
        self.running = Gauge(
            "envstore_running_jobs", "Jobs that run, by what started them and where.", ["executor", "host"]
        )
        self.bytes = Gauge("envstore_bytes", "Bytes of prefixes (their own part) and blobs.", ["kind"])
        self.environments = Gauge("envstore_environments", "Environments in the store.")
        self.durations = Histogram(
            "envstore_build_duration_seconds", "How long builds took that ended while this server ran.", ["status"],
            buckets=BUCKETS,
        )  # fmt: skip

    def set(self, numbers: Statistics) -> None:
        """Take over what ``store.changes.statistics`` found."""
        for status, count in numbers["builds"].items():
            self.builds.labels(status).set(count)
        for state, count in numbers["jobs"].items():
            self.jobs.labels(state).set(count)
        self.running.clear()  # hosts come and go
        for executor, host, count in numbers["running"]:
            self.running.labels(executor, host).set(count)
        self.bytes.labels("prefixes").set(numbers["bytes"]["prefixes"])
        self.bytes.labels("blobs").set(numbers["bytes"]["blobs"])
        self.environments.set(numbers["environments"])
        for status, seconds in numbers["ended"]:
            self.durations.labels(status).observe(seconds)


@cache
def metrics() -> Metrics:
    """Return the gauges of this process."""
    return Metrics()


class MetricsHandler(EnvStoreHandler):
    """``envstore/metrics``"""

    async def get(self) -> None:
        """Send them, to admins of everything."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        self.require("setting::update", "*")
        self.send_text(generate_latest(), CONTENT_TYPE_LATEST)
