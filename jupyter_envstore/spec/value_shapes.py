"""Values of another shape than their key takes, said as it takes them: one channel instead of a list, a list of
variables, a mapping of packages, an empty entry, a mapping that is merged into another (``<<``).
"""

from __future__ import annotations

import re
from typing import Any

from jupyter_envstore.spec.converting.draft import quoted
from jupyter_envstore.spec.document import Items, Table, Text, Value
from jupyter_envstore.spec.locks import plain
from jupyter_envstore.spec.package_editing import last_place
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.text_editor import Change, Editor
from jupyter_envstore.spec.wording import KEYS

MERGE = "<<"
SPEC_KEYS = ("name", "version", "build", "channel")
CHANNEL_KEYS = ("name", "channel", "url")
VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
NAME = re.compile(r"[A-Za-z0-9_][\w.-]*")
BOUNDS = re.compile(r"[<>=!~\d].*")


def mend_shapes(sheet: Sheet) -> tuple[Sheet, list[Change]]:
    """Return a text whose values have the shapes that their keys take, and what was changed.

    Raises
    ------
    SpecificationError
        The text is no mapping.
    """
    sheet, changes = _of_mlflow(sheet) or _written_out(sheet)
    root = sheet.root
    editor = Editor(sheet.text, root, ())
    for key, mend in (("channels", _channels), ("dependencies", _dependencies), ("variables", _variables)):
        found = mend(root.get(key))
        if found is not None:
            value, what = found
            start, end = root.spans[key]
            end = end if root.flow or _ends_blank(root[key]) else last_place(root[key]) or end
            tail = "\n" if not root.flow and editor.text[end - 1 : end] in ("\n", "") else ""
            editor.write(start, end, (_flow(key, value) if root.flow else _block(key, value)) + tail)
            editor.changed(what, "so its values stand here")
    if not editor.changes:
        return sheet, changes
    return Sheet(editor.result()), [*changes, *editor.changes]


def _of_mlflow(sheet: Sheet) -> tuple[Sheet, list[Change]] | None:
    """Read a ``python_env.yaml`` as MLflow lays it beside a model: its packages are all of PyPI; None for others."""
    root = sheet.root
    python, listed = root.get("python"), root.get("dependencies")
    if "build_dependencies" not in root or not isinstance(python, Text | None):
        return None
    lines = [str(item) for item in listed if isinstance(item, Text)] if isinstance(listed, Items) else []
    text = "\n".join(["dependencies:", f"  - python{f'={python}' if python else ''}"])
    text += "\n  - pip:\n" + "".join(f"      - {quoted(line)}\n" for line in lines) if lines else "\n"
    told = [
        Change("python_env.yaml of MLflow read as environment.yml", "its packages are PyPI's"),
        Change("build_dependencies left out", "nothing of the model is built"),
    ]
    return Sheet(text), told


def _ends_blank(value: Value) -> bool:
    """Whether the last thing in a value is an empty entry, of which nothing says where it ends."""
    if isinstance(value, Items | Table) and value:
        return _ends_blank(value[-1] if isinstance(value, Items) else list(value.values())[-1])
    return value is None


def _written_out(sheet: Sheet) -> tuple[Sheet, list[Change]]:
    """Write out what stands elsewhere by reference, where what it refers to has a key of its own, which would go."""
    import yaml

    root = sheet.root
    if not sheet.document.has_aliases or all(key in KEYS for key in root):
        return sheet, []
    value = _merged(plain(root))
    own = {key: item for key, item in value.items() if key in KEYS} or value
    gone = [key for key in root if key not in own and key != MERGE]
    text = yaml.safe_dump(own, sort_keys=False, allow_unicode=True)
    what = "what anchors ('&', '*') stand for is written out"
    return Sheet(text), [Change(f"{what}; {', '.join(gone)[:100]} left out" if gone else what, "comments go with it")]


def _merged(value: Any) -> Any:
    """Return a value with its merged mappings in place, as YAML 1.1 has it: what stands in a mapping itself wins."""
    if isinstance(value, list):
        return [_merged(item) for item in value]
    if not isinstance(value, dict):
        return value
    own = {key: _merged(item) for key, item in value.items() if key != MERGE}
    others = value.get(MERGE)
    merged: dict[str, Any] = {}
    for other in others if isinstance(others, list) else [others]:
        found = _merged(other)
        merged = {**(found if isinstance(found, dict) else {}), **merged}
    return {**{key: item for key, item in merged.items() if key not in own}, **own}


def _channels(value: Value) -> tuple[Any, str] | None:
    if isinstance(value, Text):
        names = [name.strip() for name in str(value).split(",") if name.strip()]
        return names, f"channels became a list: {', '.join(names)[:100]}"
    if not isinstance(value, Items) or all(isinstance(item, Text) for item in value):
        return None
    names = []
    gone: dict[str, None] = {}
    for item in value:
        found: Value = item
        if isinstance(item, Table):
            key = next((key for key in CHANNEL_KEYS if item.get(key)), "")
            found = item.get(key)
            gone |= dict.fromkeys(other for other in item if other != key)
        if not isinstance(found, Text | None):
            return None
        names += [str(found)] if found is not None else []
    left = f"; {', '.join(gone)[:100]} left out" if gone else ""
    return names, f"channels became a list of names: {', '.join(names)[:100]}{left}"


def _dependencies(value: Value) -> tuple[Any, str] | None:
    if isinstance(value, Table):
        entries: list[Any] = []
        for name, bounds in value.items():
            if name == "pip":
                entries.append({"pip": plain(bounds)})
            elif isinstance(bounds, Items | Table) or not NAME.fullmatch(name):
                return None
            else:
                entries.append(_spec(name, str(bounds or "").strip()))
        return entries, "the mapping of dependencies became a list"
    if not isinstance(value, Items):
        return None
    named = [item for item in value if isinstance(item, Table) and _is_named(item)]
    if named:
        gone = dict.fromkeys(key for item in named for key in item if key not in SPEC_KEYS)
        left = f"; {', '.join(gone)[:100]} left out" if gone else ""
        entries = [_from_parts(item) if isinstance(item, Table) and _is_named(item) else plain(item) for item in value]
        return entries, f"mappings with a name became lines: {', '.join(map(str, _names(named)))[:100]}{left}"
    lines = [item.get("pip") for item in value if isinstance(item, Table)]
    odd = [line for line in lines if isinstance(line, Text) or _is_odd(line)]
    blank = None in value or any(isinstance(line, Items) and None in line for line in lines)
    if not odd and not blank:
        return None
    entries = []
    for item in value:
        if isinstance(item, Table) and isinstance(item.get("pip"), Text | Table | Items):
            entries.append({**plain(item), "pip": _pip(item["pip"])})
        elif item is not None:
            entries.append(plain(item))
    return entries, "empty entries of dependencies left out" if not odd else "what stands behind 'pip:' became a list"


def _is_named(table: Table) -> bool:
    """Whether an entry of dependencies is a mapping with the parts of a match spec, as recipes and manifests have."""
    name = table.get("name")
    parts = [table.get(key) for key in SPEC_KEYS if table.get(key) is not None]
    return isinstance(name, Text) and bool(NAME.fullmatch(name)) and all(isinstance(part, Text) for part in parts)


def _names(tables: list[Table]) -> list[str]:
    return [str(table["name"]) for table in tables]


def _from_parts(table: Table) -> str:
    """Return the match spec that the parts of a mapping make."""
    parts = {key: str(table.get(key) or "").strip() for key in SPEC_KEYS}
    channel = f"{parts['channel']}::" if parts["channel"] else ""
    version = parts["version"] or ("*" if parts["build"] else "")
    return " ".join(part for part in (f"{channel}{parts['name']}", version, parts["build"]) if part)


def _is_odd(value: Value) -> bool:
    """Whether what stands behind ``pip:`` is a mapping of packages, or a list with lists or such mappings in it."""
    if isinstance(value, Items):
        return any(isinstance(item, Items) or _is_odd(item) for item in value)
    return isinstance(value, Table) and _are_pins(value)


def _are_pins(table: Table) -> bool:
    if "if" in table:  # a condition, as recipes have it
        return False
    return all(not isinstance(item, Items | Table) and NAME.fullmatch(key) for key, item in table.items())


def _pip(value: Value) -> Any:
    if isinstance(value, Text):
        return [line.strip() for line in str(value).splitlines() if line.strip()]
    if isinstance(value, Table):
        return [_spec(name, str(bounds or "").strip(), "==") for name, bounds in value.items()]
    lines: list[Any] = []
    for item in value or ():
        is_several = isinstance(item, Items) or (isinstance(item, Table) and _are_pins(item))
        lines += _pip(item) if is_several else [plain(item)] if item is not None else []
    return lines


def _spec(name: str, bounds: str, equal: str = "=") -> str:
    if bounds in ("", "*"):
        return name
    return f"{name}{bounds}" if bounds[0] in "<>=!~" else f"{name}{equal}{bounds}"


def _variables(value: Value) -> tuple[Any, str] | None:
    if not isinstance(value, Items):
        return None
    found: dict[str, str] = {}
    for item in value:
        pair = VARIABLE.fullmatch(item) if isinstance(item, Text) else None
        if pair is not None:
            found[pair[1]] = pair[2]
        elif isinstance(item, Table) and not any(isinstance(part, Items | Table) for part in item.values()):
            found |= {key: str(part or "") for key, part in item.items()}
        else:
            return None
    return found, "the list of variables became a mapping"


def _block(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join([f"{key}:", *(f"  {quoted(name)}: {quoted(item)}" for name, item in value.items())])
    lines = [f"{key}:"]
    for item in value:
        lines.append(f"  - {_inline(item)}")
    return "\n".join(lines) if value else f"{key}: []"


def _flow(key: str, value: Any) -> str:
    return f"{quoted(key)}: {_inline(value)}"


def _inline(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return quoted(value) if isinstance(value, str) else "null" if value is None else str(value).lower()
