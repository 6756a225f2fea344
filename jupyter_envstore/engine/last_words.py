"""What a program said last: for the reason why it ended."""

from __future__ import annotations

MOST_LINES = 3
MOST_CHARACTERS = 600


def last_words(said: bytes | str) -> str:
    """Return the last lines that are not blank, as one; empty where there are none.

    >>> last_words(b"Traceback:\\n\\n  boom \\n")
    'Traceback:; boom'
    """
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()][-MOST_LINES:]
    joined = "; ".join(lines)
    return joined if len(joined) <= MOST_CHARACTERS else f"…{joined[-MOST_CHARACTERS:]}"


def with_last_words(how: str, said: bytes | str) -> str:
    """Return how a program ended, with what it said last."""
    words = last_words(said)
    return f"{how}: {words}" if words else how
