"""Lines for pip that a build cannot follow: files beside taken in, folders of another machine left out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.addresses import shown
from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.included_files import Beside
from jupyter_envstore.spec.package_editing import append_pip_lines, as_scalar, last_place, pip_name
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
from jupyter_envstore.spec.text_editor import Change, Editor, dash_before
from jupyter_envstore.spec.text_positions import line_start

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


def pip_lists(root: Table) -> list[Items]:
    """Return the lists of lines for pip: a file may have several."""
    dependencies = root.get("dependencies")
    entries = dependencies if isinstance(dependencies, Items) else ()
    found = [item.get("pip") for item in entries if isinstance(item, Table)]
    return [lines for lines in found if isinstance(lines, Items)]


def pip_lines(root: Table) -> list[Text]:
    """Return the lines for pip of all lists."""
    return [line for lines in pip_lists(root) for line in lines if isinstance(line, Text)]


def drop_pip_lines(editor: Editor, gone: Sequence[Text]) -> None:
    """Drop lines for pip; with the last one of a list, its entry ``pip:`` too."""
    dependencies = editor.root["dependencies"]
    known = {id(line) for line in gone}
    for entry in dependencies if isinstance(dependencies, Items) else ():
        lines = entry.get("pip") if isinstance(entry, Table) else None
        if not isinstance(lines, Items) or not isinstance(entry, Table) or not isinstance(dependencies, Items):
            continue
        dropped = [line for line in lines if isinstance(line, Text) and id(line) in known]
        if dropped and len(dropped) == len(lines) and len(entry) == 1:
            editor.drop_item(dependencies, entry)
        elif dropped and len(dropped) == len(lines):
            start = editor.text.find(":", entry.spans["pip"][0]) + 1  # the entry has other keys too
            editor.write(start, last_place(lines), " []")
        else:
            for line in dropped:
                editor.drop_item(lines, line)


def mend_pip(sheet: Sheet, keep: Sequence[str], beside: Beside | None) -> tuple[Sheet, list[Change]]:
    """Return a text whose lines for pip can be followed, and what was changed.

    Without ``beside``, lines that name another file stay: the reader says what to do about them.

    Raises
    ------
    SpecificationError
        A file that is named cannot be read.
    """
    sheet, changes = _one_line_each(sheet)
    if beside is not None:
        sheet, told = _take_in(sheet, beside)
        changes += told
    mender = _Mender(Editor(sheet.text, sheet.root, keep))
    for line in pip_lines(sheet.root):
        mender.mend(line)
    editor = mender.editor
    if not editor.changes:
        return sheet, changes
    drop_pip_lines(editor, mender.gone)
    return Sheet(append_pip_lines(editor.result(), list(mender.options))), [*changes, *editor.changes]


def _one_line_each(sheet: Sheet) -> tuple[Sheet, list[Change]]:
    """Write a text of several lines for pip as an entry for each, where one of them has to be looked at."""
    editor = Editor(sheet.text, sheet.root, ())
    for lines in pip_lists(sheet.root):
        for item in lines:
            parts = logical_lines(item) if isinstance(item, Text) and "\n" in item else []
            if len(parts) < 2 or not isinstance(item, Text) or not any(map(_is_odd, parts)):
                continue
            if lines.flow:
                editor.write(*item.span, ", ".join(as_scalar(part, True) for part in parts))
            else:
                dash = dash_before(editor.text, item.span[0])
                indent = " " * (dash - line_start(editor.text, dash))
                tail = "\n" if editor.text[item.span[1] - 1] == "\n" else ""
                editor.write(*item.span, f"\n{indent}- ".join(map(as_scalar, parts)) + tail)
            editor.changed(f"{len(parts)} lines for pip in one entry became an entry each", "each is looked at")
    return (sheet.written(editor.result()), editor.changes) if editor.changes else (sheet, [])


def _is_odd(line: str) -> bool:
    if line.startswith("-"):
        return True
    try:
        parse_pip_line(line, allow_local_files=True)
    except ValueError:
        return True
    return False


class _Mender:
    """Mends the lines for pip of one text."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.gone: list[Text] = []
        self.options: dict[str, None] = {}
        """Options that get lines of their own."""
        self._index = ""

    def mend(self, line: Text) -> None:
        """Change a line, or note it as gone."""
        editor = self.editor
        behind = None if line.lstrip().startswith("-") else OPTION_BEHIND.search(HASH.sub("", line))
        if behind:
            self._split(line)
            return
        fault = "" if "sources" in editor.keep else _fault(line)
        pin = CONDA_PIN.fullmatch(line.strip())
        released = _not_editable(line)
        if released:
            editor.replace(line, released)
            editor.changed(f"pip line '{shown(line)}' became {shown(released)}", "nothing is edited in a build")
        elif ONE_MACHINE.search(line) or is_path(line.strip()):
            where = "a repository without a full commit" if is_repository(line) else "a folder of another machine"
            self._drop(line, NO_PROJECT if BESIDE.fullmatch(line) else f"it points at {where}")
        elif fault:
            self._drop(line, fault, "sources")
        elif line.lstrip().startswith("-"):
            self._option(line)
        elif pin:
            editor.replace(line, f"{pin[1]}=={pin[2]}")
            editor.changed(f"pip line '{line}' became {pin[1]}=={pin[2]}", "a version for pip stands behind two signs")

    def _drop(self, line: Text, why: str, choice: str = "") -> None:
        self.editor.changed(f"pip line '{shown(line)}' dropped", why, choice)
        self.gone.append(line)

    def _option(self, line: Text) -> None:
        why = _unknown_option(line)
        if why:
            self._drop(line, why)
        elif other := self._other_index(line):
            self.editor.replace(line, other)

    def _other_index(self, line: str) -> str:
        """Return a second index as an extra one, and tell; empty where a line stays as it is."""
        try:
            parsed = parse_pip_line(line, allow_local_files=True)
        except ValueError:
            return ""
        if parsed is None or parsed.option != "--index-url":
            return ""
        self._index = self._index or parsed.value
        if parsed.value == self._index:
            return ""
        self.editor.changed(f"{shown(line)} became --extra-index-url", f"the index is {shown(self._index)}")
        return f"--extra-index-url {parsed.value}"

    def _split(self, line: Text) -> None:
        """Take the options behind a requirement from its line; those that are known get lines of their own."""
        requirement, *words = re.split(r"\s+(?=--?[a-z])", str(line).strip())
        hashes = [word for word in words if word.startswith("--hash")]
        self.editor.replace(line, " ".join([requirement, *hashes]))
        for word in (word for word in words if word not in hashes):
            is_known = re.split(r"[\s=]", word, maxsplit=1)[0] in OPTIONS and not _unknown_option(word)
            what = "has a line of its own now" if is_known else "left out"
            why = "an option is for all packages" if is_known else _unknown_option(word)
            self.editor.changed(f"{shown(word)} behind {shown(requirement)} {what}", why)
            if is_known:
                self.options[self._other_index(word) or word] = None


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


def _unknown_option(line: str) -> str:
    """Return why an option cannot stay; empty where it can."""
    words = re.split(r"[\s=]+", line.strip(), maxsplit=1)
    glued = re.match(r"-f\S", line.strip())
    name, value = ("-f", line.strip()[2:]) if glued else (words[0], words[1] if len(words) > 1 else "")
    if name in ("--require-hashes", "--hash"):
        return "hashes that packages are given are checked anyhow"
    if OPTIONS.get(name) == "--find-links" and value and "://" not in value and not value.strip("'\"").startswith("/"):
        return "its folder is one of another machine; name a folder from the root (/…), or an address"
    if name in OPTIONS or OTHER_FILE.match(line) or re.match(r"-[if]\S", line.strip()):
        return ""
    return "an option of pip that has no place here"


def _take_in(sheet: Sheet, beside: Beside) -> tuple[Sheet, list[Change]]:
    """Put the lines of the files that ``-r`` names in their place, and the bounds that ``-c`` names on the packages."""
    root = sheet.root
    lines = pip_lines(root)
    named = [line for line in lines if OTHER_FILE.match(line)]
    if not named:
        return sheet, []
    editor = Editor(sheet.text, root, ())
    found: list[str] = []
    bounds: list[str] = []
    for line in named:
        read: list[str] = []
        for content, is_bound in _lines_of(line, "", beside, read):
            (bounds if is_bound else found).append(content)
        editor.changed(f"'{line}' replaced by its lines", f"read from {', '.join(read)}, beside the file")
    others = [line for line in lines if not OTHER_FILE.match(line)]
    bound, unused = _bound([*map(str, others), *found], bounds)
    for item, new in zip(others, bound, strict=False):
        if new != item:
            editor.replace(item, new)
    drop_pip_lines(editor, named)
    if unused:
        editor.changed(f"bounds of {', '.join(unused)[:200]} left out", "only packages that are listed can be bound")
    return Sheet(append_pip_lines(editor.result(), bound[len(others) :])), editor.changes


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
