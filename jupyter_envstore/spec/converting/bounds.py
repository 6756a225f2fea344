"""Bounds of versions as Poetry and pixi write them, in the words of PEP 440.

Poetry's documentation, "Dependency specification": ``^1.2``, ``~1.2``, ``1.*``, a bare version, several bounds beside
one another with a comma or a blank between them, and alternatives with ``||``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import Version

TOKEN = re.compile(
    r"\s*(?P<operator>\^|~=|~|===|==|=|!=|<=|>=|<|>)?\s*(?P<version>(?:\d+!)?[\w.*+-]+)\s*(?P<comma>,\s*(?=\S|$))?",
    re.ASCII,
)
PLAIN = re.compile(r"\d+(\.\d+)*", re.ASCII)
ANY = ("*", "x", "X")
WILD = re.compile(r"(?:\.[*xX])+$")
LONGEST = 500
MOST_HOLES = 12
"""How many minor versions between two alternatives are named one by one, so that one list of bounds says both."""


class Bounds(NamedTuple):
    """What bounds say.

    Parameters
    ----------
    alternatives : tuple of str
        Lists of bounds of PEP 440, of which one must hold, the oldest versions first; ``""`` is any version.
    without_local : bool
        Whether a local version (``+cu118``) was taken out of a bound that can have none.
    """

    alternatives: tuple[str, ...]
    without_local: bool = False

    @property
    def newest(self) -> str:
        """The alternative with the newest versions."""
        return self.alternatives[-1]


class _Range(NamedTuple):
    """One alternative: its text, and between which versions it is, each with whether the version itself is in it."""

    text: str
    low: tuple[Version, bool] | None = None
    high: tuple[Version, bool] | None = None
    holes: tuple[str, ...] = ()

    def has(self, version: Version) -> bool:
        above = self.low is None or version > self.low[0] or (version == self.low[0] and self.low[1])
        return above and (self.high is None or version < self.high[0] or (version == self.high[0] and self.high[1]))


def read_bounds(text: str) -> Bounds:
    """Return what bounds say.

    >>> read_bounds("1.2.3 || ^3").alternatives, read_bounds("3.9.* || 3.11.*").newest
    (('==1.2.3', '>=3,<4'), '>=3.9,<3.12,!=3.10.*')

    Raises
    ------
    ValueError
        They are none.
    """
    if len(text) > LONGEST:
        msg = f"bounds of {len(text)} characters"
        raise ValueError(msg)
    found: list[list[str]] = []
    without_local = False
    for choice in re.split(r"\|\|?", text):
        clauses, lost = _clauses(choice)
        without_local = without_local or lost
        found.append(clauses)
    for clauses in found:
        SpecifierSet(",".join(clauses))  # raises what is not of PEP 440
    if len(found) == 1 or any(clause.startswith("===") for clauses in found for clause in clauses):
        return Bounds(tuple(",".join(clauses) for clauses in found), without_local)
    ranges = [one for clauses in found if (one := _range(clauses)) is not None]
    if not ranges:
        msg = "no version is within them"
        raise ValueError(msg)
    return Bounds(tuple(one.text for one in _merged(ranges)), without_local)


def _clauses(text: str) -> tuple[list[str], bool]:
    """Return bounds that must all hold, and whether a local version was taken out of one."""
    done: dict[str, None] = {}
    lost, place = False, 0
    while place < len(text.rstrip()):
        found = TOKEN.match(text, place)
        if found is None:
            msg = f"{text[place:].strip()[:60]!r} is no bound of a version"
            raise ValueError(msg)
        said, without = _clause(found["operator"] or "", found["version"])
        done.update(dict.fromkeys(said))
        lost = lost or without
        place = found.end()
    return list(done), lost


def _clause(operator: str, written: str) -> tuple[list[str], bool]:
    """Return one bound as bounds of PEP 440, and whether a local version was taken out of it."""
    if written in ANY:
        if operator in ("!=", "<", ">", "==="):
            msg = f"no version is {operator}{written}"
            raise ValueError(msg)
        return [], False
    if operator == "===":
        return [f"==={written}"], False
    bare = WILD.sub("", written)
    is_wild = bare != written
    version = Version(bare)
    bare = bare if PLAIN.fullmatch(bare) else str(version)
    if operator in ("", "=", "==", "!="):
        operator = "!=" if operator == "!=" else "=="
        return [f"{operator}{version.public if is_wild else bare}{'.*' if is_wild else ''}"], False
    public = bare if version.local is None else version.public
    lost = version.local is not None
    if operator == "~=" and len(version.release) > 1 and not is_wild:
        return [f"~={public}"], lost
    if operator not in ("^", "~", "~="):
        return [f"{operator}{public}"], lost
    return [f">={public}", f"<{_next(version, operator)}"], lost


def _next(version: Version, operator: str) -> str:
    """Return the first version that ``^``, ``~`` or ``~=`` keeps out."""
    numbers = version.release
    if operator == "^":
        place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    elif operator == "~":
        place = min(1, len(numbers) - 1)
    else:
        place = max(0, len(numbers) - 2)
    return _dotted((*numbers[:place], numbers[place] + 1), version.epoch)


def _dotted(numbers: Iterable[int], epoch: int) -> str:
    return f"{f'{epoch}!' if epoch else ''}{'.'.join(map(str, numbers))}"


def _range(clauses: Sequence[str]) -> _Range | None:
    """Return between which versions bounds are; None where no version is within them."""
    lows: list[tuple[Version, bool]] = []
    highs: list[tuple[Version, bool]] = []
    holes = []
    for clause in clauses:
        found = re.match(r"(==|!=|<=|>=|<|>|~=)(.*)", clause)
        operator, written = found.groups() if found else ("", "")
        version = Version(written.removesuffix(".*"))
        if operator == "!=":
            holes.append(clause)
        elif operator == "~=" or written.endswith(".*"):
            last = _dotted((*version.release[:-1], version.release[-1] + 1), version.epoch)
            lows.append((version, True))
            highs.append((Version(_next(version, "~=") if operator == "~=" else last), False))
        else:
            lows += [(version, operator != ">")] if operator in ("==", ">=", ">") else []
            highs += [(version, operator != "<")] if operator in ("==", "<=", "<") else []
    low = max(lows, key=lambda end: (end[0], not end[1]), default=None)
    high = min(highs, key=lambda end: end, default=None)
    if low and high and (low[0] > high[0] or (low[0] == high[0] and not (low[1] and high[1]))):
        return None
    return _Range(",".join(clauses), low, high, tuple(holes))


def _merged(ranges: Sequence[_Range]) -> list[_Range]:
    """Return alternatives in order, those in one that one list of bounds says."""
    ordered = sorted(ranges, key=lambda one: (one.low is not None, one.low and (one.low[0], not one.low[1])))
    done = ordered[:1]
    for one in ordered[1:]:
        joined = _both(done[-1], one)
        done[-1:] = [joined] if joined is not None else [done[-1], one]
    return done


def _both(older: _Range, newer: _Range) -> _Range | None:
    """Return the bounds that say either of two alternatives; None where no list of bounds does."""
    between = _between(older, newer)
    if between is None:
        return None
    ends = (older.high, newer.high)
    high = None if None in ends else max((end for end in ends if end), key=lambda end: end)
    kept = [hole for one, other in ((older, newer), (newer, older)) for hole in one.holes if _is_out(hole, other)]
    holes = tuple(dict.fromkeys([*kept, *between]))
    if high == older.low and high and high[1]:
        text = [f"=={high[0]}"]
    else:
        text = [f"{'>=' if older.low[1] else '>'}{older.low[0]}"] if older.low else []
        text += [f"{'<=' if high[1] else '<'}{high[0]}"] if high else []
    return _Range(",".join([*text, *holes]), older.low, high, holes)


def _is_out(hole: str, other: _Range) -> bool:
    """Whether what one alternative leaves out is left out by another one, too."""
    return not other.has(Version(hole[2:].removesuffix(".*"))) or hole in other.holes


def _between(older: _Range, newer: _Range) -> list[str] | None:
    """Return what is between two alternatives as bounds that leave it out; None where no bounds do."""
    end, start = older.high, newer.low
    if end is None or start is None or start[0] < end[0] or (start[0] == end[0] and (start[1] or end[1])):
        return []
    if start[0] == end[0]:
        return [f"!={end[0]}"]
    if end[1] or not start[1] or any(_is_odd(version) for version in (end[0], start[0])):
        return None
    if end[0].epoch != start[0].epoch:
        return None
    first, last = (_short(version.release) for version in (end[0], start[0]))
    size = max(len(first), len(last))
    first, last = ((*numbers, *[0] * (size - len(numbers))) for numbers in (first, last))
    if first[:-1] != last[:-1] or last[-1] - first[-1] > MOST_HOLES:
        return None
    return [f"!={_dotted((*first[:-1], number), end[0].epoch)}.*" for number in range(first[-1], last[-1])]


def _is_odd(version: Version) -> bool:
    return version.is_prerelease or version.is_postrelease or version.local is not None


def _short(numbers: tuple[int, ...]) -> tuple[int, ...]:
    while len(numbers) > 1 and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers
