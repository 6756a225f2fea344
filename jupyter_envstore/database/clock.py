"""The time as a store has it: that of its database, where that is on another machine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

LEAST = 1.0
"""Seconds. Clocks of one site differ by a few milliseconds, and a question to the database takes as long."""

_ahead = timedelta()


def now() -> datetime:
    """Return the time as the database keeps it: UTC, naive.

    Hosts that share a database have one time by this, however their clocks differ: leases depend on it.
    """
    return datetime.now(timezone.utc).replace(tzinfo=None) + _ahead


def set_ahead(seconds: float) -> None:
    """Note how many seconds the clock of the database is ahead of that of this machine."""
    global _ahead
    if abs(seconds - _ahead.total_seconds()) > LEAST:
        _ahead = timedelta(seconds=seconds if abs(seconds) > LEAST else 0.0)
