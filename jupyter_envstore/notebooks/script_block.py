"""Script blocks (PEP 723), as uv and juv read them: written into scripts and cells, of which nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.notebooks.pypi_requests import Requested
from jupyter_envstore.spec.converting.script import check_one_block, find_block, lines_with_ends
from jupyter_envstore.spec.converting.toml import read_toml
from jupyter_envstore.spec.toml_text import toml_string

CODING = re.compile(r"#.*coding[:=]")
TABLE = re.compile(r"\s*\[")
WRITTEN = ("requires-python", "dependencies")
"""The keys of a block that are written here."""


def block_lines(requested: Requested, before: str = "") -> list[str]:
    """Return the lines of a script block.

    Parameters
    ----------
    before : str
        The TOML of a block that is replaced: all of it stays but what is written here.

    Raises
    ------
    SpecificationError
        The block that is replaced is no TOML, or is written in a way that cannot be kept.
    """
    toml = [f"requires-python = {toml_string(requested.python)}"] if requested.python else []
    toml += ["dependencies = [", *(f"    {toml_string(line)}," for line in requested.dependencies), "]"]
    if kept := _others(before):
        toml += kept if not kept[0].strip() else ["", *kept]
    if _without_written("\n".join(toml)) != _without_written(before):
        msg = "the script block cannot be replaced as it is written; remove it, and try again"
        raise SpecificationError(msg)
    return ["# /// script", *(f"# {line}".rstrip() for line in toml), "# ///"]


def with_block(text: str, requested: Requested) -> str | None:
    """Return a text in which the script block is replaced; None where it has none.

    Raises
    ------
    SpecificationError
        It has two, or one that does not end, is no TOML, or cannot be kept.
    """
    found = find_block(text)
    if found is None:
        return None
    block = _end_of_lines(text).join(block_lines(requested, found.toml))
    return f"{text[: found.start]}{block}{text[found.stop :]}"


def script_with_block(text: str, requested: Requested) -> str:
    """Return a script with its script block replaced, or with one behind the lines that must be its first.

    Raises
    ------
    SpecificationError
        As :func:`with_block`.
    """
    replaced = with_block(text, requested)
    if replaced is not None:
        return replaced
    end = _end_of_lines(text)
    lines = lines_with_ends(text)
    first = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) > first and CODING.match(lines[first]):
        first += 1
    head, rest = "".join(lines[:first]), "".join(lines[first:])
    if head and not head.endswith(("\n", "\r")):
        head += end
    gap = end if rest.strip() else ""
    return f"{head}{end.join(block_lines(requested))}{end}{gap}{rest}"


def put_into_cells(cells: list[dict[str, object]], requested: Requested, with_id: str) -> None:
    """Replace the script block of a notebook's cell, or put a cell with one before all others, as juv does.

    Parameters
    ----------
    cells : list of dict
        The cells as the file has them (nbformat 4); all but the block stays as it is.
    with_id : str
        The id of a new cell; empty where the notebook's cells have none.

    Raises
    ------
    SpecificationError
        As :func:`with_block`; or several cells have one.
    """
    replaced: list[tuple[dict[str, object], str | list[str]]] = []
    for cell in cells:
        source = cell.get("source", "")
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        if cell.get("cell_type") == "code" and (fresh := with_block(text, requested)) is not None:
            replaced.append((cell, lines_with_ends(fresh) if isinstance(source, list) else fresh))
    check_one_block(len(replaced))
    for cell, written in replaced:
        cell["source"] = written
    if replaced:
        return
    new: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        **({"id": with_id} if with_id else {}),
        "metadata": {"jupyter": {"source_hidden": True}},
        "outputs": [],
        "source": lines_with_ends("\n".join(block_lines(requested))),
    }
    cells.insert(0, new)


def _others(toml: str) -> list[str]:
    """Return the lines of a block without the keys that are written here."""
    read_toml(toml, "the script block")
    lines = toml.splitlines()
    kept: list[str] = []
    place = 0
    while place < len(lines):
        if TABLE.match(lines[place]):
            return [*kept, *lines[place:]]
        stop = next(end for end in range(place + 1, len(lines) + 1) if _is_toml(lines[place:end]))
        chunk = lines[place:stop]
        if not set(read_toml("\n".join(chunk))) & set(WRITTEN):
            kept += chunk
        place = stop
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _is_toml(lines: Sequence[str]) -> bool:
    try:
        read_toml("\n".join(lines))
    except SpecificationError:
        return False
    return True


def _without_written(toml: str) -> Mapping[str, object]:
    return {key: value for key, value in read_toml(toml, "the script block").items() if key not in WRITTEN}


def _end_of_lines(text: str) -> str:
    lines = lines_with_ends(text)
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
