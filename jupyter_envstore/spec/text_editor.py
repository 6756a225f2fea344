"""Changes of places in a specification's text, so that comments and order live; made all at once, each told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_envstore.spec.addresses import masked
from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.package_editing import as_scalar, last_place
from jupyter_envstore.spec.text_positions import line_start, next_line, with_comma

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
"""What YAML writes before a value: an anchor, a tag."""


@dataclass(frozen=True)
class Change:
    """One thing that was changed, and why; ``choice`` names it in :data:`repair.KEEPABLE` where it need not be.

    It is shown: logins in addresses are not in it, whoever tells of them.
    """

    what: str
    why: str
    choice: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", masked(self.what))
        object.__setattr__(self, "why", masked(self.why))


class Editor:
    """Gathers changes of places in a text.

    Parameters
    ----------
    text : str
        The text.
    root : Table
        What was read of it.
    keep : sequence of str
        Changes that are not wanted.
    """

    def __init__(self, text: str, root: Table, keep: Sequence[str]) -> None:
        self.text = text
        self.root = root
        self.keep = keep
        self.changes: list[Change] = []
        self._edits: dict[tuple[int, int, str], None] = {}  # in their order, each once

    def changed(self, what: str, why: str, choice: str = "") -> None:
        """Tell of a change."""
        self.changes.append(Change(what, why, choice))

    def replace(self, item: Text, new: str) -> None:
        """Write another text in place of one, in the same quotes; an anchor before it stays."""
        start, end = item.span
        properties = PROPERTIES.match(self.text, start, end)
        start = properties.end() if properties else start
        quote = self.text[start] if self.text[start] in "'\"" else ""
        simple = quote and quote not in new and "\\" not in new
        tail = "\n" if self.text[end - 1] == "\n" else ""  # a block scalar ends behind its last line
        self.write(start, end, (f"{quote}{new}{quote}" if simple else as_scalar(new, True)) + tail)

    def write(self, start: int, end: int, new: str) -> None:
        """Write a text in place of a part; the same is done once, since an alias is where its anchor is."""
        self._edits[(start, end, new)] = None

    def insert(self, place: int, text: str) -> None:
        """Write a text at a place."""
        self._edits[(place, place, text)] = None

    def drop_key(self, table: Table, key: str) -> None:
        """Drop a key with its value."""
        self.drop(table.spans[key], table.flow)

    def drop_item(self, items: Items, item: Text | Items | Table) -> None:
        """Drop an entry of a list, with its dash."""
        start, end = item.span
        if not items.flow:
            start, end = dash_before(self.text, start), last_place(item) or end
        self.drop((start, end), items.flow)

    def drop(self, span: tuple[int, int], flow: bool) -> None:
        """Drop a part: in a flow list or mapping with its comma, else with its lines."""
        start, end = span
        if flow:
            first, last = with_comma(self.text, start, end)
            if first < start:  # with the comma before it, which may be cut already
                taken = max((stop for _, stop, _ in self._edits if stop <= start), default=0)
                first, last = with_comma(self.text, start, end, taken)
            start, end = first, last
        else:
            start = line_start(self.text, start)
            if not (end and self.text[end - 1] == "\n"):  # a block scalar ends behind its last line
                end = next_line(self.text, end)
        self.write(start, end, "")

    def result(self) -> str:
        """Return the text with all changes."""
        parts, reached = [], 0
        for start, end, new in sorted(self._outermost(), key=lambda edit: edit[:2]):
            parts += [self.text[reached:start], new]
            reached = max(reached, end)
        text = "".join([*parts, self.text[reached:]])
        return text if text.endswith("\n") else f"{text}\n"

    def _outermost(self) -> list[tuple[int, int, str]]:
        """Return the changes without those inside of a part that goes as a whole."""
        kept: list[tuple[int, int, str]] = []
        whole = (0, 0)
        for edit in sorted(self._edits, key=lambda edit: (edit[0], -edit[1])):
            start, end, new = edit
            if end <= whole[1] and (start > whole[0] or start < end < whole[1]):
                continue
            kept.append(edit)
            if not new and end > whole[1]:
                whole = (start, end)
        return kept


def dash_before(text: str, place: int) -> int:
    """Return the place of the dash that begins the entry of a block list at ``place``."""
    while place and text[place - 1].isspace():
        place -= 1
    return place - 1 if place and text[place - 1] == "-" else place
