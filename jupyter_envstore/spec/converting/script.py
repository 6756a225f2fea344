"""Scripts with a block of metadata (PEP 723), and notebooks whose cell holds one, as juv writes it."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, NamedTuple

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.converting.pypi import python_bound, take_moment, take_options
from jupyter_envstore.spec.converting.pyproject import with_sources
from jupyter_envstore.spec.converting.toml import Source, read_toml, tell_rest

OPENING = re.compile(r"^# /// script[ \t]*$", re.MULTILINE)


class Block(NamedTuple):
    """A script's block: its TOML, and the characters of its lines in the text, without the end of the last one."""

    toml: str
    start: int
    stop: int


def find_block(text: str) -> Block | None:
    """Return a script's block, or None where it has none.

    Raises
    ------
    SpecificationError
        It has two, or one that does not end.
    """
    found: list[Block] = []
    ended = lines_with_ends(text)
    starts = list(accumulate(map(len, ended), initial=0))
    lines = [line.rstrip("\r\n") for line in ended]
    place = 0
    while place < len(lines):
        if not OPENING.fullmatch(lines[place]):
            place += 1
            continue
        stop = place + 1
        while stop < len(lines) and (lines[stop] == "#" or lines[stop].startswith("# ")):
            stop += 1
        ends = [at for at in range(place + 1, stop) if lines[at].rstrip() == "# ///"]
        if not ends:
            msg = f"the script block of line {place + 1} does not end: a line '# ///' closes it"
            raise SpecificationError(msg)
        toml = "\n".join(line[2:] for line in lines[place + 1 : ends[-1]])
        found.append(Block(toml, starts[place], starts[ends[-1]] + len(lines[ends[-1]])))
        place = stop
    if len(found) > 1:
        msg = "the file has two script blocks, and may have one"
        raise SpecificationError(msg)
    return found[0] if found else None


def lines_with_ends(text: str) -> list[str]:
    """Return the lines of a text, as Python and TOML see them, each with its end; other separators end none."""
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if line]


def script_block(text: str) -> str | None:
    """Return the TOML of a script's block, or None where it has none; what is wrong as :func:`find_block` does."""
    found = find_block(text)
    return found.toml if found else None


def notebook_block(text: str) -> str | None:
    """Return the TOML of the cell that holds a script's block, or None.

    Raises
    ------
    SpecificationError
        Two cells have one, or one that does not end.
    """
    try:
        cells = json.loads(text).get("cells", [])
    except (ValueError, AttributeError, RecursionError):
        return None
    sources = [cell.get("source", "") for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    texts = ["".join(map(str, source)) if isinstance(source, list) else str(source) for source in sources]
    found = [block for text in texts if (block := script_block(text)) is not None]
    check_one_block(len(found))
    return found[0] if found else None


def check_one_block(count: int) -> None:
    """Refuse a notebook with several cells that hold a script's block.

    Raises
    ------
    SpecificationError
        It has several.
    """
    if count > 1:
        msg = (
            f"{count} cells of the notebook have a script block, and one may have it: tools would read the first alone"
        )
        raise SpecificationError(msg)


def script_draft(block: str, name: str) -> Draft:
    """Return what a script's block asks for.

    Raises
    ------
    SpecificationError
        The block is no TOML, or has values of a wrong kind.
    """
    source = Source(read_toml(block, "the script block"))
    draft = Draft(name=name)
    draft.python = python_bound(source.text("requires-python"), draft)
    lines = source.texts("dependencies")
    uv: dict[str, Any] = source.table("tool", "uv")
    uv = dict(uv)
    overrides = uv.pop("sources", {})
    take_moment(uv.pop("exclude-newer", None), draft, "tool.uv.exclude-newer")
    take_options(uv, draft, "tool.uv.")
    draft.pip = with_sources(lines, overrides if isinstance(overrides, dict) else {}, draft)
    if not draft.python and not draft.pip:
        draft.python = ">=3.10"
        draft.tell("python >=3.10 added", "the block asks for nothing")
    tell_rest(source, draft, {"tool": "settings of other tools"})
    return draft
