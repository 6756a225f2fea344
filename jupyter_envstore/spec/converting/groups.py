"""Groups and extras of a project (PEP 735, ``[project.optional-dependencies]``, uv's own), with what they include."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.converting.toml import Source
from jupyter_envstore.spec.requirement_parts import read_parts

NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")


class Groups(Mapping[str, list[str]]):
    """Dependency groups by their names as they are written; each is read when it is asked for.

    A file may have thousands that include one another, and one of them is wanted.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        from packaging.utils import canonicalize_name

        self._tables = dict(tables)
        self._names = {canonicalize_name(name): name for name in tables}

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._tables)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tables)

    def __getitem__(self, name: str) -> list[str]:
        """Return the lines of a group, with those of each group that it includes in their place, once.

        Groups are included by any spelling of their names (PEP 735, "Dependency Group Include").
        """
        return self.lines_of(name, set())

    def lines_of(self, name: str, seen: set[str]) -> list[str]:
        """Return the lines of a group as :meth:`__getitem__` does; note in ``seen`` which groups they are of."""
        from packaging.utils import canonicalize_name

        found: list[str] = []
        seen.add(name)
        left = [iter(self._items(self._tables[name]))]
        while left:
            item = next(left[-1], None)
            if item is None:
                left.pop()
            elif isinstance(item, str):
                found.append(item)
            elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
                other = self._names.get(canonicalize_name(item["include-group"]))
                if other is not None and other not in seen:
                    seen.add(other)
                    left.append(iter(self._items(self._tables[other])))
        return found

    @staticmethod
    def _items(items: Any) -> list[Any]:
        return [item for item in items if item is not None] if isinstance(items, list) else []


def groups_of(source: Source, with_uv: bool = True) -> tuple[Groups, dict[str, list[str]]]:
    """Return the dependency groups and the extras of a ``pyproject.toml``.

    Parameters
    ----------
    source : Source
        The file.
    with_uv : bool
        Whether the ``dev-dependencies`` of uv and Rye, older than groups, belong to the group ``dev``, and those of
        PDM to the groups that they are in.
    """
    raw = source.peek("dependency-groups")
    tables = dict(raw) if isinstance(raw, dict) else {}
    legacy = [("dev", source.peek("tool", tool, "dev-dependencies")) for tool in ("uv", "rye")]
    of_pdm = source.peek("tool", "pdm", "dev-dependencies")
    legacy += list(of_pdm.items()) if isinstance(of_pdm, dict) else []
    for name, more in legacy if with_uv else ():
        if isinstance(more, list):
            listed = tables.get(name, [])
            tables[name] = [*(listed if isinstance(listed, list) else []), *more]
    extras = source.peek("project", "optional-dependencies")
    optional = extras if isinstance(extras, dict) else {}
    return Groups(tables), {
        name: [item for item in items if isinstance(item, str)]
        for name, items in optional.items()
        if isinstance(items, list)
    }


def take_groups(
    names: Sequence[str], groups: Groups, extras: Mapping[str, list[str]], source: Source
) -> tuple[dict[str, list[str]], set[str]]:
    """Return the lines of each chosen group or extra, and the groups that they are of, included ones too.

    All of these count as carried over.
    """
    lines: dict[str, list[str]] = {}
    included: set[str] = set()
    for name in names:
        if name in groups:
            within: set[str] = set()
            lines[name] = groups.lines_of(name, within)
            included |= within
        else:
            lines[name] = extras[name]
            source.take("project", "optional-dependencies", name)
    for name in included:
        source.take("dependency-groups", name)
        source.take("tool", "pdm", "dev-dependencies", name)
    if "dev" in included:
        source.take("tool", "rye", "dev-dependencies")
    return lines, included


def without_itself(
    lines: Sequence[str], project: str, extras: Mapping[str, Sequence[str]], draft: Draft, source: Source
) -> list[str]:
    """Return requirements with the extras of the project itself in place of the project, which is not installed.

    ``all = ["tool[plots,docs]"]`` is how a project says that an extra holds others of its own. These count as carried
    over in ``source``.
    """
    from packaging.utils import canonicalize_name

    own = canonicalize_name(project)
    by_name = {canonicalize_name(name): (name, items) for name, items in extras.items()}
    done: dict[str, None] = {}
    seen: set[str] = set()
    left = deque(lines)
    while left:
        line = left.popleft()
        said = NAME.match(line)
        if not project or said is None or canonicalize_name(said[1]) != own:
            done[line] = None
            continue
        try:
            read = read_parts(line)
        except ValueError:
            done[line] = None
            continue
        if not read.extras:
            draft.tell(f"{line} left out", "it is the project itself, which is not installed")
        for extra in sorted(canonicalize_name(name) for name in read.extras):
            if extra not in by_name:
                draft.tell(f"{read.name}[{extra}] left out", "the project has no such extra")
            elif extra not in seen:
                seen.add(extra)
                written, items = by_name[extra]
                source.take("project", "optional-dependencies", written)
                left.extendleft(reversed(items))
    return list(done)
