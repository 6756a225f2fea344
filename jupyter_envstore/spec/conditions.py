"""Conditions in an ``environment.yml``: told when it is read, resolved when it is mended.

A specification has one list of packages for all its platforms, so the platform that it is built on decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_envstore.spec.document import Items, Table, Text, Value
from jupyter_envstore.spec.package_editing import append_pip_lines, as_scalar, last_place
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.selectors import PLATFORMS, evaluate, python_of, selector_behind, selector_key
from jupyter_envstore.spec.text_editor import Change, Editor, dash_before
from jupyter_envstore.spec.text_positions import line_start

MOST_NAMED = 5


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
    pip: list[str] = []
    dependencies = root.get("dependencies")
    for item in dependencies if isinstance(dependencies, Items) else ():
        if isinstance(item, Table) and isinstance(dependencies, Items) and any(map(selector_key, item)):
            _resolve_keys(editor, dependencies, item, wanted, python, pip)
    if not editor.changes:
        return sheet, []
    return Sheet(append_pip_lines(editor.result(), pip)), editor.changes


def _resolve_keys(
    editor: Editor,
    dependencies: Items,
    table: Table,
    wanted: Sequence[str],
    python: tuple[int, int] | None,
    pip: list[str],
) -> None:
    """Put what ``sel(…)`` keys hold in their place, where the condition holds."""
    taken: list[str] = []
    others: dict[str, Value] = {}
    for key, value in table.items():
        condition = selector_key(key)
        if condition is None:
            others[key] = value
            continue
        holds = evaluate(condition, wanted[0], python)
        specs, lines = _content(value)
        if holds is not False:
            taken += specs
            pip += lines
        shown = ", ".join([*specs, *(f"pip: {line}" for line in lines)])[:200] or "nothing"
        why = "is not understood" if holds is None else ""
        what = f"{shown} left out" if holds is False else f"{shown} taken from {key}"
        editor.changed(what, f"{key} {why}" if why else _why(condition, wanted, python, "sel(", ")"))
    if "pip" in others:  # beside a condition in one entry
        pip += _content(Items([table]))[1]
    if not taken:
        editor.drop_item(dependencies, table)
        return
    start = table.span[0]
    if dependencies.flow:
        editor.write(*table.span, ", ".join(as_scalar(spec, True) for spec in taken))
        return
    dash = dash_before(editor.text, start)
    indent = editor.text[line_start(editor.text, dash) : dash]
    editor.write(start, last_place(table), f"\n{indent}- ".join(as_scalar(spec) for spec in taken))


def _content(value: Value) -> tuple[list[str], list[str]]:
    """Return the packages and the lines for pip in what a condition holds."""
    if isinstance(value, Text):
        return [str(value)], []
    specs: list[str] = []
    lines: list[str] = []
    for item in [value] if isinstance(value, Table) else value or ():
        if isinstance(item, Text):
            specs.append(str(item))
        elif isinstance(item, Table):
            found = item.get("pip")
            lines += [str(line) for line in found] if isinstance(found, Items) else [str(found)] if found else []
    return specs, lines


def _why(condition: str, wanted: Sequence[str], python: tuple[int, int] | None, left: str, right: str) -> str:
    """Return why an entry is taken or left, and where it would be otherwise."""
    here = evaluate(condition, wanted[0], python)
    others = [platform for platform in wanted[1:] if evaluate(condition, platform, python) != here]
    words = f"{left}{condition}{right} is {'so' if here else 'not so'} on {wanted[0]}"
    return f"{words}, where it is built (otherwise on {', '.join(others)})" if others else words
