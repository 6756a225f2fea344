"""Values of a YAML text that know where they stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias


class Text(str):
    """A scalar as it was written, with its 1-based line and YAML kind (``str``, ``int``, ``bool`` …).

    ``span`` are the places of its first character and behind its last one in the text, quotes included.
    """

    __slots__ = ("kind", "line", "span")

    line: int
    kind: str
    span: tuple[int, int]

    def __new__(cls, value: str, line: int, kind: str, span: tuple[int, int] = (0, 0)) -> Text:
        text = str.__new__(cls, value)
        text.line = line
        text.kind = kind
        text.span = span
        return text


class Items(list["Value"]):
    """A list with its line and span; ``flow`` where it is written ``[a, b]``; ``blanks`` are lines of empty entries."""

    line = 0
    span = (0, 0)
    flow = False
    blanks: Mapping[int, int] = MappingProxyType({})


class Table(dict[str, "Value"]):
    """A mapping with its line and span, the lines of its keys, and the spans from key to the end of the value."""

    line = 0
    span = (0, 0)
    flow = False

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.spans: dict[str, tuple[int, int]] = {}


Value: TypeAlias = Text | Items | Table | None
