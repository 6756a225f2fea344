"""Requirements (PEP 508) as their parts, each written as ``packaging`` writes it, in a third of its time.

A file of a megabyte holds thousands of requirements, and nearly all of them are a name, extras, bounds and a marker
with nothing unusual about them. Where one part ends and the next begins is seen at once then; the parts themselves are
read by ``packaging``, and once where they stand there a thousand times. Whatever looks otherwise is left to it whole.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
BOUND = r"(?:==|!=|<=|>=|<|>|~=)[ \t]*[A-Za-z0-9.*+!_-]+[ \t]*"
BOUNDS = rf"{BOUND}(?:,[ \t]*{BOUND})*"
PLAIN = re.compile(
    rf"[ \t]*(?P<name>{NAME})[ \t]*"
    r"(?:\[(?P<extras>[A-Za-z0-9._, \t-]+)\][ \t]*)?"
    rf"(?:(?P<bounds>{BOUNDS})?|\([ \t]*(?P<inside>{BOUNDS})\)[ \t]*|@[ \t]*(?P<url>[!-~]+)(?:[ \t]+(?=;)|[ \t]*$))"
    r"(?:;(?P<marker>[^\r\n]*))?"
)
"""Name, extras, bounds or address, marker: with nothing but ASCII and blanks before the marker (PEP 508, "Grammar")."""
EXTRA = re.compile(NAME)
SIMPLE = re.compile(r"(==|>=|<=|!=|<|>)[0-9]+(?:\.[0-9]+)*")
"""One bound with a version of numbers alone: it is what ``packaging`` writes of it, too."""
LONGEST = 300
"""Parts that are longer are not kept in memory."""
KEPT = 2_000
"""How many different parts are kept in memory, of each kind."""


class Parts(NamedTuple):
    """A requirement: its name as it stands there, its extras in order, and its bounds or its address, and its marker.

    A part that is missing is empty.
    """

    name: str
    extras: tuple[str, ...] = ()
    specifier: str = ""
    url: str = ""
    marker: str = ""

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        address = f" @ {self.url}{' ' if self.marker else ''}" if self.url else ""
        return f"{self.name}{extras}{self.specifier}{address}{f'; {self.marker}' if self.marker else ''}"


def read_parts(line: str) -> Parts:
    """Return the parts of a requirement without hashes.

    Raises
    ------
    ValueError
        It is none; the text is what ``packaging`` says of it.
    """
    found = plain_parts(line)
    if found is not None:
        return found
    from packaging.requirements import Requirement

    read = Requirement(line)
    marker = str(read.marker) if read.marker else ""
    return Parts(read.name, tuple(sorted(read.extras)), str(read.specifier), read.url or "", marker)


def plain_parts(line: str) -> Parts | None:
    """Return the parts of a requirement of a usual shape; None for others, and where it is none."""
    found = PLAIN.fullmatch(line)
    if found is None:
        return None
    name, said, bounds, inside, url, marker = found.groups()
    extras: tuple[str, ...] = ()
    if said is not None:
        names = [part.strip(" \t") for part in said.split(",")]
        if not all(map(EXTRA.fullmatch, names)):
            return None
        extras = tuple(sorted(set(names)))
    bounds = bounds or inside or ""
    if bounds and not SIMPLE.fullmatch(bounds):
        bounds = _simple_bounds(bounds) or (_kept_bounds if len(bounds) < LONGEST else _bounds)(bounds)
    if marker is not None:
        marker = (_kept_marker if len(marker) < LONGEST else _marker)(marker)
        if not marker:
            return None
    return None if bounds is None else Parts(name, extras, bounds, url or "", marker or "")


def _simple_bounds(text: str) -> str | None:
    """Return simple bounds as ``packaging`` orders them; None where one is not simple, or two could be one."""
    parts = [part.strip(" \t") for part in text.split(",")]
    operators = [found[1] for part in parts if (found := SIMPLE.fullmatch(part))]
    return ",".join(sorted(parts)) if len(set(operators)) == len(parts) else None


def _bounds(text: str) -> str | None:
    """Return bounds as ``packaging`` writes them, None where they are none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return None


def _marker(text: str) -> str | None:
    """Return a marker as ``packaging`` writes it, None where it is none or cannot be written."""
    from packaging.markers import Marker

    try:
        return str(Marker(text))
    except ValueError:
        return None


_kept_bounds = lru_cache(KEPT)(_bounds)
_kept_marker = lru_cache(KEPT)(_marker)
