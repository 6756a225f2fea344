"""Poetry's part of a ``pyproject.toml``: dependencies, groups and extras, and the indexes that they are from."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_envstore.spec.converting.bounds import read_bounds
from jupyter_envstore.spec.converting.draft import Draft, Offer, Pick
from jupyter_envstore.spec.converting.groups import NAME
from jupyter_envstore.spec.converting.lock_markers import Chosen, remaining
from jupyter_envstore.spec.converting.pypi import (
    ELSEWHERE,
    OPTIONAL,
    add_index,
    python_bound,
    requirement,
)
from jupyter_envstore.spec.converting.toml import Source
from jupyter_envstore.spec.names import suggest_name

EXTRA = re.compile(r"\bextra\b")
"""What a marker has that asks which extras were chosen (Poetry's documentation, "Exclusive extras")."""
OF_OTHERS = "it is for the packages that name it, and all indexes are for all packages here"


class _Index(NamedTuple):
    """A package source of Poetry: its address, and whether only packages that name it are from there."""

    url: str
    explicit: bool


def take_poetry(source: Source, draft: Draft, pick: Pick) -> None:
    """Carry over Poetry's dependencies with the chosen groups and extras, its indexes, and its name.

    Raises
    ------
    SpecificationError
        A table is none.
    """
    draft.name = suggest_name(source.text("tool", "poetry", "name"), "") or draft.name
    draft.description = draft.description or source.text("tool", "poetry", "description")
    indexes = _indexes(source, draft)
    groups, extras = _groups(source), _extras(source)
    names = dict.fromkeys((*draft.offer.categories, *groups, *extras))
    draft.offer = Offer(categories=tuple(names), taken=pick.categories)
    wanted: set[str] = set()
    for name in pick.categories:
        if name in extras:
            wanted.update(extras[name])
            source.take("tool", "poetry", "extras", name)
    tables = [source.table("tool", "poetry", "dependencies")]
    for name in _with_included(pick.categories, groups, source):
        tables += [source.table(*path) for path in groups[name]]
        source.take("tool", "poetry", "group", name)
    used: set[str] = set()
    for table in tables:
        for package, said in table.items():
            _take(
                package,
                said,
                draft,
                indexes,
                Chosen(extras=frozenset(wanted), conflicts=frozenset(pick.categories)),
                used,
            )
    for name, index in indexes.items():
        if index.explicit and name not in used:
            draft.tell(f"tool.poetry.source {name} left out", OF_OTHERS)


def _groups(source: Source) -> dict[str, list[tuple[str, ...]]]:
    """Return where the dependencies of each group stand; ``dev-dependencies`` is older than groups, and one of them."""
    groups = source.peek("tool", "poetry", "group")
    found: dict[str, list[tuple[str, ...]]] = {
        str(name): [("tool", "poetry", "group", str(name), "dependencies")]
        for name in (groups if isinstance(groups, dict) else ())
    }
    if isinstance(source.peek("tool", "poetry", "dev-dependencies"), dict):
        found.setdefault("dev", []).append(("tool", "poetry", "dev-dependencies"))
    return found


def _with_included(names: Sequence[str], groups: Mapping[str, object], source: Source) -> Iterator[str]:
    """Yield groups that were chosen, and those that they include (``include-groups``), once."""
    left = [name for name in names if name in groups]
    seen: set[str] = set()
    while left:
        name = left.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name
        more = source.peek("tool", "poetry", "group", name, "include-groups")
        left += [str(other) for other in (more if isinstance(more, list) else ()) if str(other) in groups]


def _extras(source: Source) -> dict[str, list[str]]:
    """Return the names of the optional packages of each extra."""
    from packaging.utils import canonicalize_name

    extras = source.peek("tool", "poetry", "extras")
    return {
        str(name): [canonicalize_name(found[1]) for item in items if (found := NAME.match(str(item)))]
        for name, items in (extras.items() if isinstance(extras, dict) else ())
        if isinstance(items, list)
    }


def _indexes(source: Source, draft: Draft) -> dict[str, _Index]:
    """Return Poetry's package sources by name, and name those for all packages; PyPI is asked anyhow."""
    said = source.take("tool", "poetry", "source")
    found: dict[str, _Index] = {}
    for place in said if isinstance(said, list) else [said] if isinstance(said, dict) else []:
        url, name = place.get("url"), str(place.get("name", ""))[:60]
        if name.lower() == "pypi":
            continue
        if not isinstance(url, str):
            draft.tell(f"tool.poetry.source {name} left out", "it has no address")
            continue
        found[name] = _Index(url, place.get("priority") == "explicit")
        if not found[name].explicit:
            draft.options.append(f"--extra-index-url {url}")
            draft.tell(f"tool.poetry.source {name} became '--extra-index-url'", "an option among the lines for pip")
    return found


def _take(package: str, said: Any, draft: Draft, indexes: Mapping[str, _Index], chosen: Chosen, used: set[str]) -> None:
    """Carry over one package; it is a list where systems or versions of Python have bounds of their own.

    Of what is ``chosen``, the extras are the names of the optional packages in them; the conflicts are their own names.
    """
    from packaging.utils import canonicalize_name

    found = []
    own = canonicalize_name(package)
    listed = [line for line in draft.pip if (name := NAME.match(line)) and canonicalize_name(name[1]) == own]
    for one in said if isinstance(said, list) else [said]:
        table = dict(one) if isinstance(one, dict) else {"version": one}
        if own == "python":
            draft.python = python_bound(str(table.get("version", "*")), draft) or draft.python
            return
        if table.pop("optional", False) and own not in chosen.extras and not listed:
            draft.tell(f"{package} left out", OPTIONAL)
            continue
        try:
            table["markers"] = poetry_marker(table)
        except ValueError as error:
            draft.tell(f"{package} left out", f"its 'python' says no versions ({error})")
            continue
        if EXTRA.search(table["markers"]):
            with contextlib.suppress(ValueError):  # told as a requirement that is none
                marker = remaining(table["markers"], chosen)
                if marker is None:
                    draft.tell(f"{package} left out", f"it is for other extras ({table['markers'][:100]})")
                    continue
                table["markers"] = marker
        index = indexes.get(str(table.get("source", "")))
        if index is not None or str(table.get("source", "")).lower() == "pypi":
            used.add(str(table.pop("source")))
        if index is not None and index.explicit:
            add_index(package, index.url, draft)
        if listed and not any(table.get(key) for key in (*ELSEWHERE, "version")):
            requirement(package, table, draft)  # [project] has its line; tells what of this has no place
            continue
        line = requirement(package, table, draft)
        found += [line] if line else []
    draft.pip += found


def poetry_marker(table: dict[str, Any]) -> str:
    """Take the conditions out of what Poetry says of a package (``python``, ``platform``, ``markers``), as one marker.

    Poetry's documentation, "Dependency specification": ``python`` has bounds, ``platform`` is what ``sys.platform`` is.

    Raises
    ------
    ValueError
        ``python`` has no bounds.
    """
    platform, python = str(table.pop("platform", "")).strip(), str(table.pop("python", "*"))
    said = str(table.pop("markers", "") or "")
    systems = [[_platform_marker(part) for part in one.split(",")] for one in re.split(r"\|\|?", platform) if one]
    versions = [[_python_marker(part) for part in one.split(",") if part] for one in read_bounds(python).alternatives]
    found = [f"({said})" if platform or all(versions) else said] if said else []
    for choices in (systems, versions if all(versions) else []):
        texts = [" and ".join(all_of) for all_of in choices]
        found += [f"({' or '.join(texts)})" if len(texts) > 1 else texts[0]] if texts else []
    return " and ".join(found)


def _platform_marker(text: str) -> str:
    operator, name = ("!=", text.strip()[2:]) if text.strip().startswith("!=") else ("==", text.strip().lstrip("="))
    return f"sys_platform {operator} '{name.strip()}'"


def _python_marker(clause: str) -> str:
    """Return a bound of Python as a marker: ``python_version`` has two numbers, ``python_full_version`` all three."""
    operator = clause[: len(clause) - len(clause.lstrip("<>=!~"))]
    written = clause[len(operator) :]
    numbers = written.removesuffix(".*").split(".")
    if len(numbers) > 2 or (operator in (">", "<=", "!=") and not written.endswith(".*")):
        written = ".".join([*numbers, *["0"] * (3 - len(numbers))]) + (".*" if written.endswith(".*") else "")
        return f"python_full_version {operator} '{written}'"
    return f"python_version {operator} '{'.'.join(numbers) if len(numbers) == 2 else written}'"
