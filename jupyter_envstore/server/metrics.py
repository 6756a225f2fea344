"""Numbers for Prometheus, on Jupyter's own ``/metrics``."""

from __future__ import annotations

from functools import cache
from typing import Any

BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class Metrics:
    """The store's gauges; they exist once for each process, as Prometheus asks."""

    def __init__(self) -> None:
        from prometheus_client import Gauge, Histogram

        self.builds = Gauge("envstore_builds", "Builds in the store, by status.", ["status"])
        self.jobs = Gauge("envstore_jobs", "Jobs that are queued or run.", ["state"])
        self.bytes = Gauge("envstore_bytes", "Bytes of prefixes (their own part) and blobs.", ["kind"])
        self.environments = Gauge("envstore_environments", "Environments in the store.")
        self.durations = Histogram(
            "envstore_build_duration_seconds", "How long builds took that ended while this server ran.", ["status"],
            buckets=BUCKETS,
        )  # fmt: skip

    def set(self, numbers: dict[str, Any]) -> None:
        """Take over what ``store.changes.statistics`` found."""
        for status, count in numbers["builds"].items():
            self.builds.labels(status).set(count)
        for state, count in numbers["jobs"].items():
            self.jobs.labels(state).set(count)
        for kind, size in numbers["bytes"].items():
            self.bytes.labels(kind).set(size)
        self.environments.set(numbers["environments"])
        for status, seconds in numbers["ended"]:
            self.durations.labels(status).observe(seconds)


@cache
def metrics() -> Metrics:
    """Return the gauges of this process."""
    return Metrics()
