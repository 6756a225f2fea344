"""What an executor knows of a worker."""

from __future__ import annotations

from typing import NamedTuple


class Seen(NamedTuple):
    """What an executor knows of a worker that did not report yet.

    Parameters
    ----------
    alive : bool
        Whether it waits for a place, starts, or runs.
    waits : bool
        Whether it waits for a place: then it cannot report, and its silence does not count.
    reason : str
        Why it does not, in words for people; of one that waits, what it waits for, if that is no free place.
    is_final : bool
        Whether another attempt would end alike.
    starts : bool
        Whether it got a place, where its process begins: that may take longer than a lease.
    is_uncounted : bool
        Whether it was lost before anything of it began: that does not count as an attempt.
    """

    alive: bool
    waits: bool = False
    reason: str = ""
    is_final: bool = False
    starts: bool = False
    is_uncounted: bool = False


UNKNOWN = Seen(alive=True)
"""What is said of a worker that another server started, and that cannot be asked for here: its lease decides."""
