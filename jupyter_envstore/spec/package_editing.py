"""Change the packages of an ``environment.yml`` and leave the rest of its text alone: comments, order, blank lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from packaging.utils import canonicalize_name

from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.spec.document import Items, Table, Text, decode, is_lockfile, read_table
from jupyter_envstore.spec.text_positions import indentation, line_end, line_start, next_line, with_comma

MAX_CHANGES = 200
WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
"""What YAML takes for something else than text."""
PIP = "pip:"
TWO = "  "
NEEDS_QUOTES = re.compile(r"^[^A-Za-z0-9_.]|[\[\]{},]|:\s|\s#|:$")


def edit_packages(text: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> str:
    """Return ``text`` with packages added, given other bounds, or removed.

    Parameters
    ----------
    text : str
        An ``environment.yml``.
    add : sequence of str
        What conda calls a match specification (``numpy``, ``numpy <2``, ``conda-forge::numpy``), or ``pip:`` and a
        line for pip. One whose name is listed already takes that line's place.
    remove : sequence of str
        Names; with ``pip:`` in front, of PyPI packages.

    Raises
    ------
    SpecificationError
        The text is no specification that has packages of its own, for example a lockfile.
    InvalidInputError
        A package has no name, or one to remove is not listed.
    """
    text = decode(text, "the specification")
    if len(add) + len(remove) > MAX_CHANGES:
        msg = f"at most {MAX_CHANGES} packages can be changed at once"
        raise InvalidInputError(msg)
    before = text
    for name in remove:
        text = _remove(text, name)
    for wanted in add:
        if "\n" in wanted or "\r" in wanted:
            msg = f"{wanted[:60]!r} is more than one line"
            raise InvalidInputError(msg)
        text = _add(text, wanted.strip())
    _check_result(before, text, [wanted.strip() for wanted in add], remove)
    return text


def _check_result(before: str, after: str, add: Sequence[str], remove: Sequence[str]) -> None:
    """Refuse a change that did not come out as it should: YAML can be written in ways that lines do not show.

    Raises
    ------
    SpecificationError
        Something else changed, or what was to change did not.
    """
    expected = _meaning(_root(before))
    for wanted, is_added in (*((name, False) for name in remove), *((spec, True) for spec in add)):
        is_pip, spec, name, name_of = _read(wanted)
        kind = "pip" if is_pip else "conda"
        names = [name_of(item) for item in expected[kind]]
        if name in names:
            place = names.index(name)
            expected[kind][place : place + 1] = [spec] if is_added else []
        elif is_added:
            expected[kind].append(spec)
    try:
        found = _meaning(_root(after))
    except SpecificationError:
        found = {}
    if found != expected:
        msg = "this text is written in a way that cannot be changed line by line; change it by hand"
        raise SpecificationError(msg)


def _meaning(root: Table) -> dict[str, Any]:
    """Return what a text says: plain dependencies, lines for pip, and everything else."""
    dependencies = root.get("dependencies")
    items = list(dependencies) if isinstance(dependencies, Items) else []
    lines: list[str] = []
    for item in items:
        if isinstance(item, Table):
            found = item.get("pip")
            lines += [str(line) for line in found] if isinstance(found, Items) else []
    others = {key: _plain(value) for key, value in root.items() if key != "dependencies"}
    return {"conda": [str(item) for item in items if isinstance(item, Text)], "pip": lines, "others": others}


def _plain(value: Any) -> Any:
    if isinstance(value, Table):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, Items) else value and str(value)


def conda_name(spec: str) -> str:
    """Return the name in a match specification, in lower case; empty where there is none."""
    found = re.match(r"\s*([A-Za-z0-9_][A-Za-z0-9_.-]*)", spec.rpartition("::")[2])
    return found.group(1).lower() if found else ""


def pip_name(line: str) -> str:
    """Return the name in a line for pip, normalised as PEP 503 says; empty for options."""
    found = re.match(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)", line)
    return canonicalize_name(found.group(1)) if found else ""


def _read(wanted: str) -> tuple[bool, str, str, Callable[[str], str]]:
    """Return whether a package is for pip, what is said of it, its name, and what finds names of its kind."""
    is_pip = wanted.startswith(PIP)
    spec = wanted.removeprefix(PIP).strip()
    name_of = pip_name if is_pip else conda_name
    return is_pip, spec, name_of(spec), name_of


def _root(text: str) -> Table:
    root = read_table(text)
    if is_lockfile(root):
        msg = "a lockfile is exact, so no package can be added to it or removed; begin with a specification"
        raise SpecificationError(msg)
    return root


def _lists(root: Table, pip_package: str = "") -> tuple[Items | None, Items | None]:
    """Return the list of dependencies, and the one of pip in it: of several the first that lists a package."""
    dependencies = root.get("dependencies")
    if dependencies is None:
        return None, None
    if not isinstance(dependencies, Items):
        msg = "dependencies must be a list"
        raise SpecificationError(msg)
    found = [item.get("pip") for item in dependencies if isinstance(item, Table)]
    several = [lines for lines in found if isinstance(lines, Items)]
    several.sort(key=lambda lines: not (pip_package and _lists_package(lines, pip_package)))
    return dependencies, several[0] if several else None


def _lists_package(lines: Items, name: str) -> bool:
    return any(isinstance(line, Text) and pip_name(line) == name for line in lines)


def _add(text: str, wanted: str) -> str:
    is_pip, spec, name, name_of = _read(wanted)
    if not name:
        msg = f"{wanted[:60]!r} does not begin with the name of a package"
        raise InvalidInputError(msg)
    dependencies, pip = _lists(_root(text), name if is_pip else "")
    items = pip if is_pip else dependencies
    for item in items or ():
        if isinstance(item, Text) and name_of(item) == name:
            start, end = item.span
            flow = bool(items and items.flow)
            return text if item == spec else text[:start] + as_scalar(spec, flow) + text[end:]
    return _append_entry(text, spec, is_pip)


def append_pip_lines(text: str, lines: Sequence[str]) -> str:
    """Return ``text`` with lines at the end of its list for pip, which is made where there is none."""
    if not lines:
        return text
    text = _append_entry(text, lines[0], is_pip=True)
    if len(lines) == 1:
        return text
    pip = _lists(_root(text))[1]
    last = next((item for item in reversed(pip or ()) if isinstance(item, Text)), None)
    if pip is None or last is None or as_scalar(lines[0], pip.flow) != text[slice(*last.span)].strip():
        for line in lines[1:]:  # written in a way of its own
            text = _append_entry(text, line, is_pip=True)
        return text
    place = last.span[1]
    if pip.flow:
        return text[:place] + "".join(f", {as_scalar(line, True)}" for line in lines[1:]) + text[place:]
    place = line_end(text, place)
    indent = indentation(text, line_start(text, pip.span[0]))
    return text[:place] + "".join(f"\n{indent}- {as_scalar(line)}" for line in lines[1:]) + text[place:]


def _append_entry(text: str, spec: str, is_pip: bool) -> str:
    dependencies, pip = _lists(_root(text))
    items = pip if is_pip else dependencies
    if items:
        return _append(text, items, spec)
    if dependencies is None or (not dependencies and not dependencies.flow):
        lines = [
            "dependencies:",
            *(["  - pip:", f"      - {as_scalar(spec)}"] if is_pip else [f"  - {as_scalar(spec)}"]),
        ]
        kept = re.sub(r"^dependencies:[^\n]*\n?", "", text, flags=re.MULTILINE)
        return f"{kept.rstrip()}\n" * bool(kept.strip()) + "\n".join(lines) + "\n"
    if is_pip:
        return _append(text, dependencies, f"pip: [{as_scalar(spec, True)}]", raw=True)
    return _append(text, dependencies, spec)


def _append(text: str, items: Items, spec: str, raw: bool = False) -> str:
    """Add an item behind the last plain one, in the list's own style; ``raw`` is a mapping, which goes last."""
    plain = [item for item in items if isinstance(item, Text)]
    if items.flow:
        place = items.span[1] - 1
        new = f"{{{spec}}}" if raw else as_scalar(spec, True)
        if plain and not raw:
            place = plain[-1].span[1]
            return f"{text[:place]}, {new}{text[place:]}"
        comma = "" if not items or text[:place].rstrip().endswith(",") else ", "
        if items and not raw:  # a mapping alone is there: plain ones come first
            place = items.span[0] + 1
            return f"{text[:place]}{new}, {text[place:]}"
        head = text[:place].rstrip()
        return f"{head}{comma}{new}{text[place:]}"
    first = line_start(text, items.span[0])
    indent = indentation(text, first)
    if raw or not plain:
        end = _end_of_block(text, items) if raw else first
        name = spec.partition(": [")
        block = f"{indent}- pip:\n{indent}    - {name[2][:-1]}\n" if raw else f"{indent}- {as_scalar(spec)}\n"
        if raw and not text[:end].endswith("\n"):
            block = f"\n{block}"
        return text[:end] + block + text[end:]
    end = line_end(text, plain[-1].span[1])
    return f"{text[:end]}\n{indent}- {as_scalar(spec)}{text[end:]}"


def _end_of_block(text: str, items: Items) -> int:
    """Return the place behind the last line of a block list; blank lines and comments below it do not belong to it."""
    return next_line(text, max(last_place(item) for item in items))


def last_place(value: object) -> int:
    """Return the place behind the last character of a value, without the lines that a block counts to itself."""
    if isinstance(value, Text):
        return value.span[1]
    if isinstance(value, Items):
        return value.span[1] if value.flow or not value else max(last_place(item) for item in value)
    if isinstance(value, Table) and value:
        return value.span[1] if value.flow else max(last_place(item) for item in value.values())
    return 0


def _remove(text: str, name: str) -> str:
    is_pip, _, wanted, name_of = _read(name)
    dependencies, pip = _lists(_root(text), wanted if is_pip else "")
    items = pip if is_pip else dependencies
    for item in items or ():
        if isinstance(item, Text) and wanted and name_of(item) == wanted:
            if is_pip and pip is not None and len(pip) == 1 and dependencies is not None:
                return _drop_pip(text, dependencies, pip)
            return _drop(text, items, item)  # type: ignore[arg-type]
    msg = f"{name[:60]!r} is not listed in the specification"
    raise InvalidInputError(msg)


def _cut_from_flow(text: str, span: tuple[int, int]) -> str:
    """Cut a part of a flow list with the comma behind it, or else the one before."""
    start, end = with_comma(text, *span)
    return text[:start] + text[end:]


def _drop(text: str, items: Items, item: Text) -> str:
    start, end = item.span
    if items.flow:
        return _cut_from_flow(text, item.span)
    line = line_start(text, start)
    if len(items) == 1:
        return f"{text[:line]}{indentation(text, line) or TWO}[]{text[line_end(text, end) :]}"
    return text[:line] + text[next_line(text, end) :]


def _drop_pip(text: str, dependencies: Items, pip: Items) -> str:
    """Drop the whole ``pip:`` entry together with its last package."""
    index = next(i for i, item in enumerate(dependencies) if isinstance(item, Table) and item.get("pip") is pip)
    table = dependencies[index]
    if dependencies.flow and isinstance(table, Table):
        return _cut_from_flow(text, table.span)
    line = table.line if isinstance(table, Table) else 1
    lines = text.splitlines(keepends=True)
    last = text.count("\n", 0, last_place(pip))
    if len(dependencies) == 1:
        lines[line - 1 : last + 1] = [f"{indentation(lines[line - 1], 0) or TWO}[]\n"]
    else:
        lines[line - 1 : last + 1] = []
    return "".join(lines)


def as_scalar(spec: str, flow: bool = False) -> str:
    """Return ``spec`` as YAML text, quoted where it must be."""
    if spec.lower() in WORDS or re.fullmatch(r"[0-9._]+", spec):
        return json.dumps(spec)
    quoted = NEEDS_QUOTES.search(spec) if flow else re.search(r"^[^A-Za-z0-9_.]|:\s|\s#|:$", spec)
    return json.dumps(spec, ensure_ascii=False) if quoted else spec
