"""Groups and extras of a project (PEP 735, ``[project.optional-dependencies]``, uv's own), with what they include."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.converting.toml import Source

Groups = dict[str, list[str]]


def groups_of(source: Source, with_uv: bool = True) -> tuple[Groups, Groups]:
    """Return the dependency groups and the extras of a ``pyproject.toml``, each with all its lines.

    Parameters
    ----------
    source : Source
        The file.
    with_uv : bool
        Whether uv's own ``dev-dependencies``, older than groups, belong to the group ``dev``.
    """
    raw = source.peek("dependency-groups")
    tables = dict(raw) if isinstance(raw, dict) else {}
    legacy = source.peek("tool", "uv", "dev-dependencies")
    if with_uv and isinstance(legacy, list):
        listed = tables.get("dev", [])
        tables["dev"] = [*(listed if isinstance(listed, list) else []), *legacy]

    def lines(name: str, seen: tuple[str, ...]) -> list[str]:
        found: list[str] = []
        items = tables.get(name, [])
        for item in items if isinstance(items, list) else []:
            if isinstance(item, str):
                found.append(item)
            elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
                other = item["include-group"]
                found += [] if other in seen else lines(other, (*seen, other))
        return found

    extras = source.peek("project", "optional-dependencies")
    optional = extras if isinstance(extras, dict) else {}
    own = {name: lines(name, (name,)) for name in tables}
    return own, {
        name: [item for item in items if isinstance(item, str)]
        for name, items in optional.items()
        if isinstance(items, list)
    }


def without_itself(lines: Sequence[str], project: str, extras: Mapping[str, Sequence[str]], draft: Draft) -> list[str]:
    """Return requirements with the extras of the project itself in place of the project, which is not installed.

    ``all = ["tool[plots,docs]"]`` is how a project says that an extra holds others of its own.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    by_name = {canonicalize_name(name): items for name, items in extras.items()}
    done: dict[str, None] = {}
    seen: set[str] = set()
    left = list(lines)
    while left:
        line = left.pop(0)
        try:
            read = Requirement(line)
        except InvalidRequirement:
            done[line] = None
            continue
        if not project or canonicalize_name(read.name) != canonicalize_name(project):
            done[line] = None
            continue
        if not read.extras:
            draft.tell(f"{line} left out", "it is the project itself, which is not installed")
        for extra in sorted(canonicalize_name(name) for name in read.extras):
            if extra not in by_name:
                draft.tell(f"{read.name}[{extra}] left out", "the project has no such extra")
            elif extra not in seen:
                seen.add(extra)
                left = [*by_name[extra], *left]
    return list(done)
