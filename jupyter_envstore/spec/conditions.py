"""Conditions in an ``environment.yml``: told when it is read, resolved when it is mended.

A specification has one list of packages for all its platforms, so the platform that it is built on decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_envstore.spec.document import Items, Table, Text, Value
from jupyter_envstore.spec.package_editing import append_pip_lines, as_scalar, last_place
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.selectors import PLATFORMS, evaluate, is_known, python_of, selector_behind, selector_key
from jupyter_envstore.spec.text_editor import Change, Editor, dash_before
from jupyter_envstore.spec.text_positions import line_end, line_start
from jupyter_envstore.spec.wording import IMPORT_IT

MOST_NAMED = 5
IF = "if"
BRANCHES = ("then", "else")


@dataclass(frozen=True)
class Conditional:
    """An entry of a list with a condition in the comment behind it; or of a mapping, by its key."""

    holder: Items | Table
    item: Text | Table
    condition: str
    key: str = ""

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.holder.lines[self.key] if isinstance(self.holder, Table) else self.item.line

    def drop(self, editor: Editor) -> None:
        """Take it out of the text."""
        if isinstance(self.holder, Table):
            editor.drop_key(self.holder, self.key)
        else:
            editor.drop_item(self.holder, self.item)

    @property
    def shown(self) -> str:
        """The entry, for a message."""
        if self.key:
            return f"{self.key[:60]}: …"
        return str(self.item)[:60] if isinstance(self.item, Text) else f"{next(iter(self.item), '')}:"


def conditionals(root: Table, text: str) -> list[Conditional]:
    """Return the entries of block lists, and the variables, that have a condition behind them."""
    if "#" not in text:
        return []
    found = []
    for items in _lists(root):
        for item in items:
            if not isinstance(item, Text | Table) or items.flow:
                continue
            end = item.span[1]
            if isinstance(item, Table):  # the comment stands behind its key
                key = next(iter(item), None)
                end = item.spans[key][0] + len(key) if key is not None and not item.flow else end
                end += text[end : end + 2].find(":") + 1
            if item.span[1] and text[item.span[1] - 1] == "\n" and isinstance(item, Text):
                continue  # a block scalar
            condition = selector_behind(text, end)
            if condition is not None:
                found.append(Conditional(items, item, condition))
    variables = root.get("variables")
    for key, value in variables.items() if isinstance(variables, Table) and not variables.flow else ():
        condition = selector_behind(text, value.span[1]) if isinstance(value, Text) else None
        if condition is not None and isinstance(variables, Table) and isinstance(value, Text):
            found.append(Conditional(variables, value, condition, key))
    return found


def _lists(root: Table) -> Iterator[Items]:
    for key in ("channels", "dependencies"):
        items = root.get(key)
        if isinstance(items, Items):
            yield items
            for item in items:
                for value in item.values() if isinstance(item, Table) else ():
                    if isinstance(value, Items):
                        yield value


def wanted_platforms(root: Table, here: str) -> list[str]:
    """Return the platform that a document is built on, and the others that it lists."""
    listed = root.get("platforms", root.get("platform"))
    more = [str(item) for item in (listed if isinstance(listed, Items) else [listed] if listed else [])]
    return list(dict.fromkeys([here, *(platform for platform in more if platform in PLATFORMS)]))


def notes(root: Table, text: str, here: str) -> tuple[str, ...]:
    """Say which conditions are not followed where a text is read as it is: a comment is one, as it is for conda."""
    wanted, python = wanted_platforms(root, here), python_of(_specs(root))
    told: dict[tuple[str, str], list[str]] = {}
    for found in conditionals(root, text):
        holds = {platform: evaluate(found.condition, platform, python) for platform in wanted}
        if None in holds.values():
            why = "is not understood"
        elif not all(holds.values()):
            why = f"is not so on {', '.join(platform for platform in wanted if not holds[platform])}"
        else:
            continue
        told.setdefault((found.condition, why), []).append(f"{found.shown} (line {found.line})")
    out = []
    for (condition, why), entries in told.items():
        more = f" and {len(entries) - MOST_NAMED} more" if len(entries) > MOST_NAMED else ""
        stays = f"{', '.join(entries[:MOST_NAMED])}{more} kept"
        hint = "" if "understood" in why else "; an import leaves out what is not for the platform"
        out.append(f"{stays} though [{condition}] behind it {why}: a comment is no condition here{hint}")
    return tuple(out)


def _specs(root: Table) -> list[str]:
    dependencies = root.get("dependencies")
    return [str(item) for item in dependencies if isinstance(item, Text)] if isinstance(dependencies, Items) else []


def resolve_conditions(sheet: Sheet, here: str) -> tuple[Sheet, list[Change]]:
    """Return a text without the entries whose condition does not hold ``here``; one that is not understood stays.

    Raises
    ------
    SpecificationError
        It is no specification.
    """
    root, text = sheet.root, sheet.text
    wanted, python = wanted_platforms(root, here), python_of(_specs(root))
    editor = Editor(text, root, ())
    for found in conditionals(root, text):
        if evaluate(found.condition, here, python) is False:
            found.drop(editor)
            editor.changed(f"{found.shown} left out", _why(found.condition, wanted, python, "# [", "]"))
    _resolve_markers(editor, wanted, python)
    if editor.changes:
        sheet = Sheet(editor.result())
    resolver = _Resolver(Editor(sheet.text, sheet.root, ()), wanted, python)
    dependencies = sheet.root.get("dependencies")
    lists = [(sheet.root.get("channels"), False), (dependencies, False)]
    entries = dependencies if isinstance(dependencies, Items) else ()
    lists += [(entry.get("pip"), True) for entry in entries if isinstance(entry, Table) and not is_conditional(entry)]
    for items, is_pip in lists:
        for item in items if isinstance(items, Items) else ():
            if isinstance(items, Items) and isinstance(item, Table) and is_conditional(item):
                resolver.resolve(items, item, is_pip)
    told = resolver.editor.changes
    if told:
        sheet = Sheet(append_pip_lines(resolver.editor.result(), resolver.lines))
    return sheet, [*editor.changes, *told]


def _resolve_markers(editor: Editor, wanted: Sequence[str], python: tuple[int, int] | None) -> None:
    """Resolve conditions behind ``;``, which conda's packages have not, and pip's have."""
    dependencies = editor.root.get("dependencies")
    for item in dependencies if isinstance(dependencies, Items) else ():
        spec, mark, condition = item.partition(";") if isinstance(item, Text) else ("", "", "")
        holds = evaluate(condition, wanted[0], python) if mark else None
        if holds is None or not isinstance(item, Text) or not isinstance(dependencies, Items):
            continue
        if holds:
            editor.replace(item, spec.strip())
        else:
            editor.drop_item(dependencies, item)
        told = f"{str(item)[:100]} became {spec.strip()[:60]}" if holds else f"{str(item)[:100]} left out"
        editor.changed(told, _why(condition.strip(), wanted, python, "", ""))


def is_conditional(table: Table) -> bool:
    """Whether an entry of a list has a condition: ``sel(…)``, or ``if`` with ``then`` and ``else``, as recipes have."""
    return IF in table or any(map(selector_key, table))


def condition_fault(table: Table) -> str:
    """Return what is to be done about an entry with a condition; empty where it has none."""
    if not is_conditional(table):
        return ""
    key = IF if IF in table else next(key for key in table if selector_key(key))
    condition = selector_key(key) or str(table[IF] or "")
    shown = f"{IF}: {condition[:60]}" if key == IF else key[:80]
    if key == IF and not is_known(condition):
        return (
            f"{shown!r} is a condition that is not understood; list the packages that you want without "
            "'if', or write one of platforms, for example 'if: win'"
        )
    return f"{shown!r} is a condition; {IMPORT_IT}, and takes what holds for the platform"


class _Resolver:
    """Puts what stands below a condition in its place, where the condition holds.

    Parameters
    ----------
    editor : Editor
        Of the text.
    wanted : sequence of str
        Platforms; the first is the one that is built on.
    python : tuple of int or None
        The version of Python, where it is known.
    """

    def __init__(self, editor: Editor, wanted: Sequence[str], python: tuple[int, int] | None) -> None:
        self.editor = editor
        self.wanted = wanted
        self.python = python
        self.lines: list[str] = []
        """For pip, of conditions among conda's packages."""

    def resolve(self, items: Items, table: Table, is_pip: bool) -> None:
        """Resolve an entry of a list; one whose ``if`` is not understood stays."""
        if not self._is_decided(table):
            return
        before = len(self.editor.changes)
        taken, lines = self._taken(table)
        if len(self.editor.changes) == before:
            self.editor.changed(f"{', '.join(table)[:80]} left out", "nothing stands below the condition")
        if is_pip:
            taken, lines = [*taken, *lines], []
        self.lines += lines
        editor, start, end = self.editor, table.span[0], self._end(table)
        if items.flow:
            if taken:
                editor.write(*table.span, ", ".join(as_scalar(spec, True) for spec in taken))
            else:
                editor.drop_item(items, table)
            return
        dash = dash_before(editor.text, start)
        if not taken:
            editor.drop((dash, end), flow=False)
            return
        indent = " " * (dash - line_start(editor.text, dash))
        editor.write(start, end, f"\n{indent}- ".join(as_scalar(spec) for spec in taken))

    def _end(self, table: Table) -> int:
        """Return the place behind the last character of an entry, whose last key may have no value."""
        last = max(table, key=lambda key: table.spans[key][0])
        if table.flow or table[last] is not None:
            return last_place(table)
        return line_end(self.editor.text, table.spans[last][0])

    def _is_decided(self, value: Value) -> bool:
        """Whether each ``if`` in a value can be answered; what ``sel(…)`` says is taken where nobody knows."""
        if isinstance(value, Table):
            known = IF not in value or self._holds(str(value[IF] or "")) is not None
            return known and all(map(self._is_decided, value.values()))
        return not isinstance(value, Items) or all(map(self._is_decided, value))

    def _holds(self, condition: str) -> bool | None:
        return evaluate(condition, self.wanted[0], self.python)

    def _taken(self, table: Table) -> tuple[list[str], list[str]]:
        """Return the packages and the lines for pip of an entry's branches that hold, and tell of all branches."""
        specs: list[str] = []
        lines: list[str] = []
        for shown, condition, value, holds in self._branches(table):
            found = self._content(value, tell=holds is not False)
            if holds is not False:
                specs += found[0]
                lines += found[1]
            if not any(found):
                continue
            what = ", ".join([*found[0], *(f"pip: {line}" for line in found[1])])[:200]
            told = f"{what} left out" if holds is False else f"{what} taken from {shown}"
            left, right = ("if: ", "") if shown in BRANCHES else ("sel(", ")")
            reason = _why(condition, self.wanted, self.python, left, right)
            self.editor.changed(told, f"{shown} is not understood" if holds is None else reason)
        if "pip" in table:  # beside a condition in one entry
            lines += self._content(Items([table["pip"]]), tell=True)[0]
        return specs, lines

    def _branches(self, table: Table) -> Iterator[tuple[str, str, Value, bool | None]]:
        """Yield what holds each branch of an entry, its condition, what stands in it, and whether it is taken."""
        for key, value in table.items():
            condition = selector_key(key)
            if condition is not None:
                yield key, condition, value, self._holds(condition)
            elif key in BRANCHES and IF in table:
                condition = str(table[IF] or "")
                holds = self._holds(condition)
                yield key, condition, value, holds if key == "then" else not holds

    def _content(self, value: Value, tell: bool) -> tuple[list[str], list[str]]:
        """Return the packages and the lines for pip in a value, with those of conditions in it."""
        if isinstance(value, Text):
            return [line.strip() for line in value.splitlines() if line.strip()], []
        specs: list[str] = []
        lines: list[str] = []
        for item in [value] if isinstance(value, Table) else value or ():
            if isinstance(item, Table) and is_conditional(item):
                before = len(self.editor.changes)
                more = self._taken(item)
                if not tell:  # told with the condition around it
                    del self.editor.changes[before:]
            elif isinstance(item, Table):
                more = [], self._content(Items([item.get("pip")]), tell)[0]
            else:
                more = self._content(item, tell)
            specs += more[0]
            lines += more[1]
        return specs, lines


def _why(condition: str, wanted: Sequence[str], python: tuple[int, int] | None, left: str, right: str) -> str:
    """Return why an entry is taken or left, and where it would be otherwise."""
    here = evaluate(condition, wanted[0], python)
    others = [platform for platform in wanted[1:] if evaluate(condition, platform, python) != here]
    words = f"{left}{condition}{right} is {'so' if here else 'not so'} on {wanted[0]}"
    return f"{words}, where it is built (otherwise on {', '.join(others)})" if others else words
