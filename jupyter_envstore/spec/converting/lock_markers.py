"""Markers of lockfiles, with what was chosen of extras and groups put in: what is left is a marker of a requirement.

PEP 751 has two variables that no requirement has: ``extras`` and ``dependency_groups``, sets of the names that somebody
chose, asked with ``in`` and ``not in``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from packaging.utils import canonicalize_name

VALUE = r"(?:'[^']*'|\"[^\"]*\"|[A-Za-z_][\w.]*)"
OPERATOR = r"(?:===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b)"
TOKEN = re.compile(
    rf"\s*(?:(?P<paren>[()])|(?P<left>{VALUE})\s*(?P<operator>{OPERATOR})\s*(?P<right>{VALUE})|(?P<word>and|or)\b)"
)
SETS = ("extras", "dependency_groups")
DEEPEST = 40
OPPOSITES = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Chosen:
    """What was chosen of extras and groups, by names in any spelling.

    ``conflicts`` are those of choices that exclude one another, which uv asks for as if they were extras.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, extras: Collection[str], groups: Collection[str]) -> Chosen:
        """Return a choice of names."""
        return cls(frozenset(map(canonicalize_name, extras)), frozenset(map(canonicalize_name, groups)))


def remaining(marker: str, chosen: Chosen) -> str | None:
    """Return what is left of a marker: empty where it holds always, None where it never does.

    >>> remaining("'dev' in dependency_groups and os_name == 'nt'", Chosen.of((), ("dev",)))
    "os_name == 'nt'"

    Raises
    ------
    ValueError
        It is none.
    """
    reader = _Reader(marker, chosen)
    value = reader.any_of(0)
    if reader.place != len(reader.tokens):
        reader.fail()
    return ("" if value else None) if isinstance(value, bool) else value


def any_of_all(ways: Iterable[Iterable[str]]) -> str:
    """Return the marker that holds where all of one of several lists of markers do; empty where it holds always."""
    value = _joined([_joined(sorted(way), "and") for way in sorted(map(sorted, _merged(ways)))], "or")
    return value if isinstance(value, str) else ""


def _merged(ways: Iterable[Iterable[str]]) -> set[frozenset[str]]:
    """Return lists of markers, those in one that differ only in a condition and its opposite, as forks of locks do."""
    left = set(map(frozenset, ways))
    while True:
        found = next(
            (
                (way, other)
                for way in left
                for marker in way
                if (opposite := _opposite(marker)) and (other := way - {marker} | {opposite}) in left
            ),
            None,
        )
        if found is None:
            return {way for way in left if not any(other < way for other in left)}
        left -= set(found)
        left.add(found[0] & found[1])


def _opposite(marker: str) -> str:
    """Return the marker that holds where a simple one does not; empty for others."""
    found = TOKEN.fullmatch(marker)
    operator = OPPOSITES.get(found["operator"] or "") if found else None
    return f"{found['left']} {operator} {found['right']}" if found and operator else ""


class _Reader:
    def __init__(self, marker: str, chosen: Chosen) -> None:
        self.marker = marker
        self.chosen = chosen
        self.place = 0
        self.tokens: list[re.Match[str]] = []
        end = 0
        while marker[end:].strip():
            found = TOKEN.match(marker, end)
            if found is None:
                self.fail()
            self.tokens.append(found)
            end = found.end()

    def fail(self) -> NoReturn:
        msg = f"{self.marker[:120]!r} is no marker"
        raise ValueError(msg)

    def take(self, group: str, *texts: str) -> re.Match[str] | None:
        token = self.tokens[self.place] if self.place < len(self.tokens) else None
        if token is None or token[group] is None or (texts and token[group] not in texts):
            return None
        self.place += 1
        return token

    def any_of(self, depth: int) -> bool | str:
        parts = [self.all_of(depth)]
        while self.take("word", "or"):
            parts.append(self.all_of(depth))
        return _joined(parts, "or")

    def all_of(self, depth: int) -> bool | str:
        parts = [self.one(depth)]
        while self.take("word", "and"):
            parts.append(self.one(depth))
        return _joined(parts, "and")

    def one(self, depth: int) -> bool | str:
        if depth < DEEPEST and self.take("paren", "("):
            value = self.any_of(depth + 1)
            if not self.take("paren", ")"):
                self.fail()
            return value
        token = self.take("left")
        if token is None:
            self.fail()
        left, operator, right = token["left"], " ".join(token["operator"].split()), token["right"]
        if right in SETS and operator in ("in", "not in") and left[0] in "'\"":
            names = self.chosen.extras if right == "extras" else self.chosen.groups
            return (canonicalize_name(left[1:-1]) in names) == (operator == "in")
        if left == "extra" and operator in ("==", "!=") and right[0] in "'\"":
            return (right[1:-1] in self.chosen.conflicts) == (operator == "==")
        return f"{left} {operator} {right}"


class _AnyOf(str):
    """A marker whose parts are alternatives, which stands in parentheses where it is a part itself."""

    __slots__ = ()


def _joined(parts: Sequence[bool | str], word: str) -> bool | str:
    """Return parts joined, without those that change nothing."""
    decides = word == "or"
    if any(part is decides for part in parts):
        return decides
    texts = list(dict.fromkeys(part for part in parts if isinstance(part, str)))
    if len(texts) < 2:
        return texts[0] if texts else not decides
    if decides:
        return _AnyOf(" or ".join(texts))
    return " and ".join(f"({text})" if isinstance(text, _AnyOf) else text for text in texts)
