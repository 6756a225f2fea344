"""Lines for pip that a build cannot follow: files beside taken in, folders of another machine left out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.included_files import Beside
from jupyter_envstore.spec.package_editing import append_pip_lines, pip_name
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.pip_lines import (
    HASH,
    OPTION_BEHIND,
    OPTIONS,
    HashedRequirement,
    is_path,
    logical_lines,
    parse_pip_line,
    read_hashed,
)
from jupyter_envstore.spec.sources import is_repository
from jupyter_envstore.spec.text_editor import Change, Editor

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ONE_MACHINE = re.compile(r"^\s*(-e\b|--editable\b)|@\s*file:|^\s*(\.{0,2}[/\\]|[A-Za-z]:[\\/])")
"""Lines for pip that point at a folder of the machine that the file was written on."""
BESIDE = re.compile(
    r"\s*(?:(?:-e|--editable)[\s=]*)?(?:[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)?(?:file:)?\.{1,2}(?:[\\/]\S*)?(?:\[[^\]]*\])?\s*(?:;.*)?"
)
"""A line for pip that names a folder by its place beside the file."""
NO_PROJECT = (
    "the project in that folder is not installed; import its pyproject.toml for what it needs, "
    "and name a release or a repository at a commit for the project itself"
)
ADDRESS = re.compile(r"^\s*https?://|@\s*https?://")
EDITABLE = re.compile(r"\s*(?:-e|--editable)[\s=]+(git\+\S.*)")
OTHER_FILE = re.compile(r"\s*(-r|--requirement|-c|--constraint)[\s=]*(\S.*)")
CONDA_PIN = re.compile(r"([A-Za-z0-9][\w.-]*(?:\[[\w,.-]+\])?)\s*=\s*(\d[\w.!+]*)")
"""A version as conda writes it, where pip wants two signs."""
MOST_FILES = 20
MOST_LINES = 5_000
REPOSITORY = "no full commit names what it would be; write git+https://HOST/REPOSITORY@<40 characters of a commit>"


def pip_list(root: Table) -> Items | None:
    """Return the list of lines for pip; None where there is none."""
    dependencies = root.get("dependencies")
    for item in dependencies if isinstance(dependencies, Items) else ():
        lines = item.get("pip") if isinstance(item, Table) else None
        if isinstance(lines, Items):
            return lines
    return None


def drop_pip_lines(editor: Editor, lines: Items, gone: Sequence[Text]) -> None:
    """Drop lines for pip; with the last one, the entry ``pip:`` too."""
    dependencies = editor.root["dependencies"]
    if len(gone) == len(lines) and isinstance(dependencies, Items):
        entry = next(item for item in dependencies if isinstance(item, Table) and item.get("pip") is lines)
        editor.drop_item(dependencies, entry)
        return
    for line in gone:
        editor.drop_item(lines, line)


def mend_pip(sheet: Sheet, keep: Sequence[str], beside: Beside | None) -> tuple[Sheet, list[Change]]:
    """Return a text whose lines for pip can be followed, and what was changed.

    Without ``beside``, lines that name another file stay: the reader says what to do about them.

    Raises
    ------
    SpecificationError
        A file that is named cannot be read.
    """
    changes: list[Change] = []
    if beside is not None:
        sheet, changes = _take_in(sheet, beside)
    root = sheet.root
    lines = pip_list(root)
    if lines is None:
        return sheet, changes
    editor = Editor(sheet.text, root, keep)
    gone = []
    options: dict[str, None] = {}
    for line in lines:
        if not isinstance(line, Text):
            continue
        behind = None if line.lstrip().startswith("-") else OPTION_BEHIND.search(HASH.sub("", line))
        if behind:
            _split(editor, line, options)
            continue
        fault = "" if "sources" in keep else _fault(line)
        pin = CONDA_PIN.fullmatch(line.strip())
        released = _not_editable(line)
        if released:
            editor.replace(line, released)
            editor.changed(f"pip line '{str(line)[:120]}' became {released[:120]}", "nothing is edited in a build")
        elif ONE_MACHINE.search(line) or is_path(line.strip()):
            where = "a repository without a full commit" if is_repository(line) else "a folder of another machine"
            why = NO_PROJECT if BESIDE.fullmatch(line) else f"it points at {where}"
            editor.changed(f"pip line '{str(line)[:80]}' dropped", why)
            gone.append(line)
        elif fault:
            editor.changed(f"pip line '{str(line)[:120]}' dropped", fault, "sources")
            gone.append(line)
        elif line.startswith("-") and (option := _unknown_option(line)):
            editor.changed(f"pip line '{str(line)[:80]}' dropped", option)
            gone.append(line)
        elif pin:
            editor.replace(line, f"{pin[1]}=={pin[2]}")
            editor.changed(f"pip line '{line}' became {pin[1]}=={pin[2]}", "a version for pip stands behind two signs")
    if not editor.changes:
        return sheet, changes
    drop_pip_lines(editor, lines, gone)
    return Sheet(append_pip_lines(editor.result(), list(options))), [*changes, *editor.changes]


def _split(editor: Editor, line: Text, options: dict[str, None]) -> None:
    """Take the options behind a requirement from its line; those that are known get lines of their own."""
    requirement, *words = re.split(r"\s+(?=--?[a-z])", str(line).strip())
    hashes = [word for word in words if word.startswith("--hash")]
    editor.replace(line, " ".join([requirement, *hashes]))
    for word in (word for word in words if word not in hashes):
        is_known = re.split(r"[\s=]", word, maxsplit=1)[0] in OPTIONS
        options.update({word: None} if is_known else {})
        what = "has a line of its own now" if is_known else "left out"
        editor.changed(f"{word[:80]} behind {requirement[:60]} {what}", "an option is for all packages")


def _not_editable(line: Text) -> str:
    """Return a repository at a commit that a line installs to be edited; empty for other lines."""
    found = EDITABLE.fullmatch(line)
    if found is None:
        return ""
    try:
        parsed = parse_pip_line(found[1], allow_local_files=True)
    except ValueError:
        return ""
    return found[1].strip() if parsed else ""


def _fault(line: Text) -> str:
    """Return why a line with a repository or an address cannot be followed; empty for others, and where it can."""
    if not (is_repository(line) or ADDRESS.search(line)) or ONE_MACHINE.search(line):
        return ""
    try:
        parse_pip_line(line, allow_local_files=True)
    except ValueError as error:
        text = str(error)
        return REPOSITORY if "40 characters" in text else text.rpartition(": ")[2]
    return ""


def _unknown_option(line: Text) -> str:
    name = re.split(r"[\s=]", line.strip(), maxsplit=1)[0]
    if name in ("--require-hashes", "--hash"):
        return "hashes that packages are given are checked anyhow"
    if name in OPTIONS or OTHER_FILE.match(line) or re.match(r"-[if]\S", line):
        return ""
    return "an option of pip that has no place here"


def _take_in(sheet: Sheet, beside: Beside) -> tuple[Sheet, list[Change]]:
    """Put the lines of the files that ``-r`` names in their place, and the bounds that ``-c`` names on the packages."""
    root = sheet.root
    lines = pip_list(root)
    named = [line for line in lines or () if isinstance(line, Text) and OTHER_FILE.match(line)]
    if lines is None or not named:
        return sheet, []
    editor = Editor(sheet.text, root, ())
    found: list[str] = []
    bounds: list[str] = []
    for line in named:
        read: list[str] = []
        for content, is_bound in _lines_of(line, "", beside, read):
            (bounds if is_bound else found).append(content)
        editor.changed(f"'{line}' replaced by its lines", f"read from {', '.join(read)}, beside the file")
    known = [str(line) for line in lines if isinstance(line, Text) and line not in named]
    bound, unused = _bound([*known, *found], bounds)
    for item, new in zip([line for line in lines if isinstance(line, Text) and line not in named], bound, strict=False):
        if new != item:
            editor.replace(item, new)
    drop_pip_lines(editor, lines, named)
    if unused:
        editor.changed(f"bounds of {', '.join(unused)[:200]} left out", "only packages that are listed can be bound")
    return Sheet(append_pip_lines(editor.result(), bound[len(known) :])), editor.changes


def _lines_of(line: str, folder: str, beside: Beside, read: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield the lines of the file that a line names and of those that it names, and whether each is a bound alone."""
    option = OTHER_FILE.match(line)
    if option is None:
        return
    name = option[2].strip().strip("'\"")
    place = posixpath.normpath(posixpath.join(folder, name))
    if place in read:
        return
    read.append(place)
    if len(read) > MOST_FILES:
        msg = f"more than {MOST_FILES} files name one another, from {read[0]} on"
        raise SpecificationError(msg)
    is_bound = option[1] in ("-c", "--constraint")
    contents = logical_lines(beside.read(place))
    if len(contents) > MOST_LINES:
        msg = f"{place} has {len(contents)} lines; at most {MOST_LINES} are read"
        raise SpecificationError(msg)
    for content in contents:
        if OTHER_FILE.match(content):
            for more, bound in _lines_of(content, posixpath.dirname(place), beside, read):
                yield more, bound or is_bound
        else:
            yield content, is_bound


def _bound(lines: Sequence[str], bounds: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return requirements with the bounds on their packages, and the names of packages that none is about."""
    by_name: dict[str, list[HashedRequirement]] = {}
    for line in bounds:
        try:
            found = read_hashed(line)
        except ValueError:
            continue
        by_name.setdefault(pip_name(found.requirement.name), []).append(found)
    bound = []
    used: set[str] = set()
    for line in lines:
        try:
            wanted = read_hashed(line)
        except ValueError:
            bound.append(line)
            continue
        name = pip_name(wanted.requirement.name)
        more = [other for other in by_name.get(name, ()) if _same_marker(other.requirement, wanted.requirement)]
        used.update([name] if more else ())
        if not more or wanted.requirement.url:
            bound.append(line)
            continue
        for other in more:
            wanted.requirement.specifier &= other.requirement.specifier
        hashes = dict.fromkeys([*wanted.hashes, *(value for other in more for value in other.hashes)])
        bound.append(str(HashedRequirement(wanted.requirement, tuple(hashes))))
    return bound, sorted(set(by_name) - used)


def _same_marker(bound: Requirement, wanted: Requirement) -> bool:
    return bound.marker is None or str(bound.marker) == str(wanted.marker)
