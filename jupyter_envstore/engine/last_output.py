"""What a program said last: for the reason why it ended."""

from __future__ import annotations

import re

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
MOST_LINES = 3
MOST_CHARACTERS = 600


def last_words(said: bytes | str) -> str:
    """Return the last lines that are not blank, as one; empty where there are none.

    >>> last_words(b"Traceback:\\n\\n  boom \\n")
    'Traceback:; boom'
    """
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    lines = [line for line in map(shown, text.splitlines()) if line][-MOST_LINES:]
    joined = "; ".join(lines)
    return joined if len(joined) <= MOST_CHARACTERS else f"…{joined[-MOST_CHARACTERS:]}"


def shown(line: str) -> str:
    """Return a line without colours, and with what would steer a terminal written as Python writes it."""
    plain = COLOURS.sub("", line).strip()
    if plain.isprintable():
        return plain
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in plain)


def with_last_words(how: str, said: bytes | str) -> str:
    """Return how a program ended, with what it said last."""
    words = last_words(said)
    return f"{how}: {words}" if words else how
