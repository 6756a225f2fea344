"""Places in a text: where lines begin and end, and what goes with a part that is cut."""

from __future__ import annotations

import re

WHITE = re.compile(r"\s*")
COMMA_BEHIND = re.compile(r"\s*,[^\S\n]*")


def line_start(text: str, place: int) -> int:
    """Return the place of the first character of the line that ``place`` is in."""
    return text.rfind("\n", 0, place) + 1


def line_end(text: str, place: int) -> int:
    """Return the place of the line break at or behind ``place``, or the end of the text."""
    found = text.find("\n", place)
    return len(text) if found < 0 else found


def next_line(text: str, place: int) -> int:
    """Return the place behind the line break at or behind ``place``, or the end of the text."""
    return min(line_end(text, place) + 1, len(text))


def indentation(text: str, place: int) -> str:
    """Return the white space from ``place`` on."""
    found = WHITE.match(text, place)
    return found.group() if found else ""


def with_comma(text: str, start: int, end: int, taken: int = 0) -> tuple[int, int]:
    """Return the span of a part of a flow list or mapping with the comma behind it, or else the one before.

    Parameters
    ----------
    start, end : int
        The part.
    taken : int
        What stands before this place is cut already.
    """
    after = COMMA_BEHIND.match(text, end)
    if after:
        return start, after.end()
    before = re.search(r",\s*$", text[taken:start])
    return taken + before.start() if before else start, end
