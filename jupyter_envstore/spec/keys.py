"""Keys of an ``environment.yml`` that other tools know: said in the words of this one, or left out and told."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.document import Items, Table, Text, Value
from jupyter_envstore.spec.match_specs import EXTRAS
from jupyter_envstore.spec.package_editing import append_pip_lines, as_scalar
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.pip_lines import check_url
from jupyter_envstore.spec.selectors import PLATFORMS, selector_key
from jupyter_envstore.spec.specification import PRIORITIES
from jupyter_envstore.spec.text_editor import Change, Editor
from jupyter_envstore.spec.wording import ACCEPTED, KEYS

FOR_PIP = re.compile(r"(git|hg|svn|bzr)\+|-e\s|--editable\s|https?://\S+\.(whl|zip|tar\.gz)(\s|#|$)|[\w.-]+\s*@\s*\S")
"""What stands among conda packages and is a line for pip."""
FROM_PYPI = re.compile(r"(?:pypi::)?([A-Za-z0-9][\w.-]*)\s?==?([\w.!+]+)=pypi_\d+")
"""A package of PyPI, as ``conda list --export`` writes it among the others."""
ALIKE = 0.8
SAME = {
    "channel": "channels",
    "platform": "platforms",
    "environment": "variables",
    "env": "variables",
    "env_vars": "variables",
    "environment_variables": "variables",
    "packages": "dependencies",
    "requirements": "dependencies",
    "system_requirements": "system-requirements",
    "channel_priority": "channel-priority",
}
"""What other tools call a key: conda-devenv, anaconda-project, conda-lock."""
OWN = {"dependencies", "channels", "prefix"}
"""Keys of which every file that says what an environment shall be has one."""
WHOLE_FILES = {
    "lockfileVersion": "a lockfile of npm or pnpm",
    "importers": "a lockfile of pnpm",
    "$schema": "a document with a schema of its own",
    "nodes": "flake.lock, of Nix",
    "requirements": "a Conda recipe",
    "package": "a Conda recipe",
}
"""Keys by which a file of another kind is known, and what it is."""
REPOSITORIES = ("pip-repositories", "pip_repositories")
FOR_PIP_TOO = ("pip", "pip3", "pypi")
VERSION = re.compile(r"[0-9][\w.!+]*(\.?\*)?")
BOUNDS = re.compile(r"[<>=!~].*")


def mend_keys(sheet: Sheet) -> tuple[Sheet, list[Change], list[str]]:
    """Return a text whose keys are known, what was changed, and lines for pip that some of them held.

    ``category`` is conda-lock's name for a group: every package of the file is of it, so all are kept.

    Raises
    ------
    SpecificationError
        The text is no mapping; or it has no key that an environment's file has, and others instead.
    """
    root = sheet.root
    editor = Editor(sheet.text, root, ())
    lines: list[str] = []
    left = []
    renamed = set()
    for key, value in root.items():
        if key in KEYS and (key != "channel-priority" or FITS[key](value)):
            continue
        if key in REPOSITORIES:
            _repositories(editor, key, value, lines)
        elif key == "pip" and isinstance(value, Items):
            moved = [str(line) for line in value if isinstance(line, Text)]
            lines += moved
            editor.drop_key(root, key)
            editor.changed(f"'pip' moved into dependencies: {', '.join(moved)[:200]}", "it stands there")
        elif name := _renamed(editor, key, value):
            renamed.add(name)
        else:
            left.append(key)
            editor.drop_key(root, key)
            editor.changed(f"{key} left out", _reason(key, value))
    if left and not lines and not OWN & (set(root) | renamed):
        raise SpecificationError(_no_environment(left))
    return (sheet.written(editor.result()) if editor.changes else sheet), editor.changes, lines


def mend_entries(sheet: Sheet) -> tuple[Sheet, list[Change]]:
    """Return a text whose dependencies are conda packages, where they were mappings or PyPI's, and what was changed.

    Raises
    ------
    SpecificationError
        The text is no mapping.
    """
    root = sheet.root
    editor = Editor(sheet.text, root, ())
    lines: list[str] = []
    dependencies = root.get("dependencies")
    for item in dependencies if isinstance(dependencies, Items) else ():
        if isinstance(item, Table):
            _mapping(editor, item)
        elif isinstance(item, Text) and isinstance(dependencies, Items) and FOR_PIP.match(item):
            lines.append(str(item))
            editor.drop_item(dependencies, item)
            editor.changed(f"{str(item)[:100]} moved to 'pip:'", "only pip knows such a line")
        elif isinstance(item, Text) and isinstance(dependencies, Items) and EXTRAS.match(item):
            lines.append(re.sub(r"(\])\s*=\s*(?=\d)", r"\1==", str(item)))
            editor.drop_item(dependencies, item)
            editor.changed(f"{item} moved to 'pip:'", "extras belong to packages of PyPI")
        elif (
            isinstance(item, Text) and isinstance(dependencies, Items) and (found := FROM_PYPI.fullmatch(item.strip()))
        ):
            lines.append(f"{found[1]}=={found[2]}")
            editor.drop_item(dependencies, item)
            editor.changed(f"{item} moved to 'pip:'", "its build string says that pip installed it")
    if not editor.changes:
        return sheet, []
    return Sheet(append_pip_lines(editor.result(), lines)), editor.changes


def _no_environment(keys: Sequence[str]) -> str:
    """Return what is wrong with a file that has other keys instead of those of an environment."""
    kind = next((WHOLE_FILES[key] for key in keys if key in WHOLE_FILES), "no environment's file")
    listed = ", ".join(keys)[:200]
    return f"this is {kind}: it has neither 'dependencies:' nor 'channels:', but {listed}. Accepted: {ACCEPTED}"


def _reason(key: str, value: Value) -> str:
    if key == "category":
        return f"every package of the file is of the category {str(value)[:60]}, and all are kept"
    if key == "extras":
        names = ", ".join(value if isinstance(value, Table) else [str(item) for item in value or ()])
        return f"packages that may be chosen ({names[:100]}) have no place here; list those that you want"
    if key.replace("_", "-") == "channel-priority":
        return f"it is {' or '.join(PRIORITIES)}; without it, the first channel that has a package is taken"
    if key.replace("_", "-") == "exclude-newer":
        return "it is a choice for a build, as --exclude-newer, and no key of a specification"
    return "no key of a specification; conda leaves it out too"


def _repositories(editor: Editor, key: str, value: Value, lines: list[str]) -> None:
    for item in value if isinstance(value, Items) else [value] if isinstance(value, Text) else ():
        line = f"--extra-index-url {item}"
        try:
            check_url(str(item), key)
        except ValueError as error:
            editor.changed(f"an address of {key} left out", str(error))
        else:
            lines.append(line)
            editor.changed(f"{key} became '{line}'", "an option among the lines for pip")
    editor.drop_key(editor.root, key)


def _renamed(editor: Editor, key: str, value: Value) -> str:
    """Call a key by its name here, where the file has none of that name, and return that; empty where it has."""
    close = difflib.get_close_matches(key.lower(), KEYS, 1, ALIKE)
    name = SAME.get(key.lower()) or (close[0] if close else "")
    if not name or name in editor.root or not FITS[name](value):
        return ""
    start = editor.root.spans[key][0]
    quote = editor.text[start] if editor.text[start] in "'\"" else ""
    written = f"{quote}{key}{quote}"
    if not editor.text.startswith(written, start):
        return ""
    if isinstance(value, Text) and name in LISTS:
        editor.write(start, value.span[1], f"{name}: [{as_scalar(str(value), True)}]")
    else:
        editor.write(start, start + len(written), name)
    editor.changed(f"{key} became {name}", "as the key is called here")
    return name


def _is_list(value: Value) -> bool:
    return isinstance(value, Items | Text)


def _are_platforms(value: Value) -> bool:
    return all(str(item) in PLATFORMS for item in (value if isinstance(value, Items) else [value]))


def _is_mapping(value: Value) -> bool:
    return isinstance(value, Table) and not any(isinstance(item, Items | Table) for item in value.values())


LISTS = ("channels", "dependencies", "platforms")
FITS: dict[str, Callable[[Value], bool]] = {
    "name": lambda value: isinstance(value, Text),
    "channels": _is_list,
    "dependencies": lambda value: isinstance(value, Items),
    "variables": _is_mapping,
    "description": lambda value: isinstance(value, Text),
    "prefix": lambda value: isinstance(value, Text),
    "platforms": _are_platforms,
    "channel-priority": lambda value: value is None or str(value) in PRIORITIES,
    "system-requirements": _is_mapping,
}
"""What may stand below a key."""


def _mapping(editor: Editor, table: Table) -> None:
    """Mend an entry ``- numpy: 1.26``: a package with a colon where its bound begins; and ``- Pip:``."""
    if len(table) != 1:
        return
    name, value = next(iter(table.items()))
    if name.lower() in FOR_PIP_TOO and name != "pip" and isinstance(value, Items):
        start = table.spans[name][0]
        if editor.text.startswith(name, start):
            editor.write(start, start + len(name), "pip")
            editor.changed(f"{name} became pip", "as the key is called here")
        return
    if name == "pip" or selector_key(name) or isinstance(value, Items | Table):
        return
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        return
    bounds = str(value or "").strip()
    if bounds and not VERSION.fullmatch(bounds) and not BOUNDS.fullmatch(bounds):
        return
    spec = f"{name}={bounds}" if VERSION.fullmatch(bounds) else f"{name}{bounds}"
    start = table.span[0]
    end = table.spans[name][1] if value is not None else start + len(name) + 1
    editor.write(start, max(end, start + len(name)), as_scalar(spec, True))
    editor.changed(f"'{name}: {bounds}' became {spec}", "a package is a line of text, not a mapping")
