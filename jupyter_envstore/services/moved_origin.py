"""What the trigger of a build says that came from another store: which build it was there, and of what day."""

from __future__ import annotations

from hashlib import sha256

LONGEST_PLACE, SHORTENED, DIGITS = 37, 24, 12
"""Characters of namespace and name in a trigger, which has 64; and of a longer one its beginning, and of its hash."""


def moved_from(namespace: str, environment: str) -> str:
    """Return how the triggers of all builds begin that came from an environment.

    >>> moved_from("team", "data")
    'moved: team/data:'
    """
    place = f"{namespace}/{environment}"
    if len(place) > LONGEST_PLACE:
        place = f"{place[:SHORTENED]}~{sha256(place.encode()).hexdigest()[:DIGITS]}"
    return f"moved: {place}:"


def moved_trigger(namespace: str, environment: str, number: int, day: str) -> str:
    """Return the trigger of a build that came from another store.

    >>> moved_trigger("team", "data", 3, "2026-01-31")
    'moved: team/data:3, 2026-01-31'
    """
    return f"{moved_from(namespace, environment)}{number}, {day}"
