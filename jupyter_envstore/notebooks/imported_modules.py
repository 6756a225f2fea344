"""Modules that the cells of a notebook import, from its text: nothing is run."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_NAME = r"[\w.]+(?:\s+as\s+\w+)?"
_LINE = re.compile(rf"^\s*(?:import\s+(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)|from\s+(?P<source>[\w.]+)\s+import\b)")
_R = re.compile(
    r"\b(?:library|require|requireNamespace|loadNamespace)\s*\(\s*(?:package\s*=\s*)?[\"']?"
    r"([A-Za-z][A-Za-z0-9.]*)(?![^)]*character\.only)"
    r"|\b([A-Za-z][A-Za-z0-9.]*):::?[A-Za-z.]"
)
_R_COMMENT = re.compile(r"(\"[^\"\n]*\"|'[^'\n]*')|#[^\n]*")
MOST_BESIDE = 200
LARGEST_BESIDE = 1 << 20
"""How many names are looked for beside a notebook, and bytes of a module that is read."""
R_OWN = {
    *("base", "compiler", "datasets", "graphics", "grDevices", "grid", "methods", "parallel", "splines", "stats"),
    *("stats4", "tcltk", "tools", "utils"),
}
"""What R itself brings."""


def python_modules(cells: Iterable[str], folder: Path | None = None) -> list[str]:
    """Return the modules that cells import, in the order in which they do, without those of Python itself.

    Parameters
    ----------
    cells : iterable of str
        Code; lines of IPython (``%``, ``!``, ``?``) and cells in other languages (``%%bash``) are passed over. A cell
        that is no valid Python is read line by line.
    folder : Path or None
        Modules that lie in it are not packages.
    """
    found: dict[str, None] = {}
    for text in cells:
        for name in _imports(text):
            top = name.partition(".")[0]
            is_own = top in sys.stdlib_module_names or top == "__main__" or _is_beside(top, folder)
            if not is_own and all(part.isidentifier() for part in name.split(".")):
                found.setdefault(name if top in NAMESPACES else top)
    return list(found)


NAMESPACES = frozenset({"google", "azure", "zope", "ruamel", "backports", "sphinxcontrib"})
"""Modules that many packages share: which one is meant, the part behind tells."""


def r_packages(cells: Iterable[str]) -> list[str]:
    """Return the packages of R that cells load, without those that R brings."""
    bare = [_R_COMMENT.sub(lambda match: match[1] or "", text) for text in cells]
    names = [first or second for text in bare for first, second in _R.findall(text)]
    return [name for name in dict.fromkeys(names) if name not in R_OWN]


def with_modules_beside(cells: Iterable[str], folder: Path) -> list[str]:
    """Return the cells, and the text of the modules beside the notebook that they import, and that these import.

    Parameters
    ----------
    folder : Path
        Where the notebook lies. Of a package in it, only ``__init__.py`` is read.
    """
    found = list(cells)
    seen: set[str] = set()
    for text in found:  # it grows
        for top in {name.partition(".")[0] for name in _imports(text)} - seen:
            seen.add(top)
            for path in (folder / f"{top}.py", folder / top / "__init__.py"):
                if len(seen) <= MOST_BESIDE and path.is_file() and path.stat().st_size <= LARGEST_BESIDE:
                    found.append(path.read_text(encoding="utf-8", errors="replace"))
    return found


def _imports(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if lines and lines[0].lstrip().startswith("%%") and not re.match(r"\s*%%(time|timeit|capture|prun)\b", lines[0]):
        return
    plain = "\n".join("" if re.match(r"\s*[%!?]", line) or line.rstrip().endswith("?") else line for line in lines)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        for line in plain.splitlines():
            match = _LINE.match(line)
            if match and match["source"]:
                yield match["source"]
            elif match:
                yield from (part.split()[0] for part in match["names"].split(","))
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module.partition(".")[0] in NAMESPACES:
                yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
            else:
                yield node.module


def _is_beside(name: str, folder: Path | None) -> bool:
    return folder is not None and ((folder / f"{name}.py").is_file() or (folder / name).is_dir())
