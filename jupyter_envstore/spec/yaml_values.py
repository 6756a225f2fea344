"""Values of a YAML text, put together from libyaml's events as they come: without the nodes in between.

Nodes are what takes the time of PyYAML's loader: they are made, walked, and thrown away. The limits hold while the
events come, so a hostile text ends where it passes one of them.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.located_values import Items, Table, Text, Value
from jupyter_envstore.spec.yaml_faults import TEMPLATE

NEW = str.__new__
MAX_DEPTH = 16
MAX_NODES = 400_000
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
NO_WORD = "a key must be a word"
TOO_MUCH = "anchors repeat too much of this file; write it out without anchors"


@lru_cache(maxsize=1)
def kind_of_words() -> Callable[[str], str]:
    """Return what tells the kind of a word without quotes: by PyYAML's own table, which is YAML 1.1's."""
    import yaml

    table = {
        first: [(tag.rsplit(":", 1)[-1], pattern.match) for tag, pattern in found]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def kind(word: str) -> str:
        for name, match in table.get(word[:1], ()):
            if match(word):
                return str(name)
        return "str"

    return kind


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Make many values that all stay: looking for cycles among them again and again takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fault(context: str | None, problem: str, event: Any) -> Exception:
    """Return a fault in the words that PyYAML's own composer has for it."""
    from yaml.composer import ComposerError

    mark = event.start_mark
    return ComposerError(context, mark, problem, mark)


@dataclass(frozen=True)
class _Anchored:
    """A value with an anchor: how many values it holds, and how deep they lie in it."""

    value: Value
    count: int
    height: int


class _Open:
    """A mapping or list that has not ended."""

    __slots__ = ("anchor", "before", "container", "height", "is_table", "key", "key_start")

    def __init__(self, container: Table | Items, anchor: str | None, before: int) -> None:
        self.container = container
        self.is_table = isinstance(container, Table)
        self.anchor = anchor
        self.before = before
        self.height = 0
        self.key: str | None = None
        """The key whose value comes next; None where a key comes next, or for a list."""
        self.key_start: tuple[int, int] = (0, 0)
        """Line of the key, and place of its first character; line 0: the value is left out."""


class Composer:
    """Puts the value of one document together.

    Parameters
    ----------
    events : iterable
        What ``yaml.parse`` gives.
    """

    def __init__(self, events: Iterable[Any]) -> None:
        self.faults: list[Fault] = []
        self.root: Value = None
        self.is_empty = True
        self.has_aliases = False
        self._events = events
        self._kind = kind_of_words()
        self._known: dict[str, str] = {}
        self._anchors: dict[str, _Anchored | None] = {}
        self._open: list[_Open] = []
        self._count = 0
        self._documents = 0

    def compose(self) -> None:
        """Read all events.

        Raises
        ------
        SpecificationError
            Nested or repeated beyond the limits.
        YAMLError
            It is not YAML, or holds a second document.
        """
        from yaml.events import (
            AliasEvent,
            DocumentStartEvent,
            MappingEndEvent,
            MappingStartEvent,
            ScalarEvent,
            SequenceEndEvent,
            SequenceStartEvent,
        )

        handlers: dict[type[Any], Callable[[Any], None]] = {
            MappingStartEvent: self._begin,
            SequenceStartEvent: self._begin,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }
        scalar, is_scalar = self._scalar, ScalarEvent
        with without_collections():
            for event in self._events:
                if event.__class__ is is_scalar:
                    scalar(event)
                    continue
                handler = handlers.get(event.__class__)
                if handler is not None:
                    handler(event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            msg = "expected a single document in the stream"
            raise _fault(msg, "but found another document", event)

    def _scalar(self, event: Any) -> None:
        """Add a scalar: most of what a text holds are such, so this says itself what the others have methods for."""
        value, start = event.value, event.start_mark
        line = start.line + 1
        opened = self._open[-1] if self._open else None
        if opened is not None and opened.is_table and opened.key is None:
            if event.anchor:
                self._new_anchor(event)
                self._anchors[event.anchor] = _Anchored(Text(value, line, self._kind_of(event)), 1, 0)
            self._key(opened, value, line, start.index)
            return
        self._count += 1
        if self._count > MAX_NODES:
            raise SpecificationError([Fault(TOO_MUCH, line)])
        end = event.end_mark.index
        kind = self._kind_of(event)
        text = None
        if kind != "null":
            text = NEW(Text, value)
            text.line, text.kind, text.span = line, kind, (start.index, end)
        if event.anchor:
            self._new_anchor(event)
            self._anchors[event.anchor] = _Anchored(text, 1, 0)
        if opened is None:
            self._add(text, end, line)
        elif not opened.is_table:
            items: Items = opened.container  # type: ignore[assignment]  # what is no table
            if text is None:
                items.blanks = {**items.blanks, len(items): line}
            items.append(text)
        else:
            table: Table = opened.container  # type: ignore[assignment]  # only mappings have keys
            line, begun = opened.key_start
            if line and opened.key is not None:
                table.spans[opened.key] = (begun, end)
                table[opened.key] = text
            opened.key = None

    def _kind_of(self, event: Any) -> str:
        if event.tag is None:
            if not event.implicit[0]:
                return "str"
            value = event.value
            kind = self._known.get(value)
            if kind is None:
                kind = self._known[value] = self._kind(value)
            return kind
        return self._tagged(event)

    def _tagged(self, event: Any) -> str:
        """Return the kind of a scalar in quotes, or with a tag."""
        if event.tag is not None and event.tag != "!":
            return str(event.tag).rsplit(":", 1)[-1]
        return self._kind(event.value) if event.implicit[0] else "str"

    def _begin(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if len(self._open) >= MAX_DEPTH:
            raise SpecificationError([Fault(TOO_DEEP, line)])
        self._counted(line)
        container: Table | Items = Table() if type(event).__name__ == "MappingStartEvent" else Items()
        container.line = line
        container.span = (event.start_mark.index, 0)
        container.flow = bool(event.flow_style)
        if event.anchor:
            self._new_anchor(event)
            self._anchors[event.anchor] = None
        self._open.append(_Open(container, event.anchor, self._count))

    def _end(self, event: Any) -> None:
        opened = self._open.pop()
        container = opened.container
        end = event.end_mark.index
        container.span = (container.span[0], end)
        if opened.anchor:
            count = self._count - opened.before + 1
            self._anchors[opened.anchor] = _Anchored(container, count, opened.height)
        self._add(container, end, container.line, opened.height + 1)

    def _alias(self, event: Any) -> None:
        self.has_aliases = True
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise _fault(None, "found undefined alias", event)
        found = self._anchors[event.anchor]
        if found is None or len(self._open) + found.height > MAX_DEPTH:
            raise SpecificationError([Fault(TOO_MUCH, line)])
        opened = self._open[-1] if self._open else None
        if opened is not None and opened.is_table and opened.key is None:
            if isinstance(found.value, Text):
                self._key(opened, str(found.value), line, event.start_mark.index)
            else:
                self._no_key(opened, line, NO_WORD)
            return
        self._count += found.count - 1
        self._counted(line)
        self._add(found.value, event.end_mark.index, line, found.height)

    def _counted(self, line: int) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise SpecificationError([Fault(TOO_MUCH, line)])

    def _new_anchor(self, event: Any) -> None:
        if event.anchor in self._anchors:
            msg = "found duplicate anchor; first occurrence"
            raise _fault(msg, "second occurrence", event)

    def _key(self, opened: _Open, key: str, line: int, start: int) -> None:
        table: Table = opened.container  # type: ignore[assignment]  # only mappings have keys
        opened.key = key
        if key in table.lines:
            message = f"key {key!r} stands twice (first on line {table.lines[key]})"
            self.faults.append(Fault(message, line))
            opened.key_start = (0, start)
            return
        opened.key_start = (line, start)
        table.lines[key] = line

    def _no_key(self, opened: _Open, line: int, message: str) -> None:
        self.faults.append(Fault(message, line))
        opened.key = ""
        opened.key_start = (0, 0)

    def _add(self, value: Value, end: int, line: int, height: int = 0) -> None:
        if not self._open:
            self.root = value
            self.is_empty = False
            return
        opened = self._open[-1]
        if height > opened.height:
            opened.height = height
        container = opened.container
        if not opened.is_table:
            container.append(value)  # type: ignore[union-attr]
            return
        if opened.key is None:  # a list or mapping where a key belongs
            is_template = isinstance(value, Table) and bool(value) and not any(value.values())  # {{ name }}
            self._no_key(opened, line, TEMPLATE if is_template else NO_WORD)
            return
        line, start = opened.key_start
        if line:
            container.spans[opened.key] = (start, end)  # type: ignore[union-attr]
            container[opened.key] = value  # type: ignore[call-overload]
        opened.key = None
