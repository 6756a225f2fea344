"""``pyproject.toml``: its ``[tool.pixi]``, else ``[tool.conda-lock]``, ``[project]`` and Poetry's dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import ChoiceError, Draft, Offer, Pick
from jupyter_envstore.spec.converting.groups import NAME, groups_of, take_groups, without_itself
from jupyter_envstore.spec.converting.pixi import check_asks_for_packages, conda_spec, pixi_draft
from jupyter_envstore.spec.converting.poetry import OF_OTHERS, take_poetry
from jupyter_envstore.spec.converting.pypi import (
    ELSEWHERE,
    NO_COMMIT,
    ONE_MACHINE,
    OPTIONAL,
    conda_bound,
    conditions_of,
    python_bound,
    requirement,
    take_moment,
    take_options,
    take_sources,
)
from jupyter_envstore.spec.converting.toml import Source, tell_rest
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.requirement_parts import read_parts

PROJECT = "it is about the project, which itself is not installed"
TOOLS = "settings of other tools"
REASONS = {
    "project": PROJECT,
    "build-system": PROJECT,
    "tool.poetry": PROJECT,
    "tool.poetry.source": OF_OTHERS,
    "tool.poetry.group": "groups that were not chosen",
    "tool.poetry.dev-dependencies": "the group dev, which was not chosen",
    "tool.poetry.extras": "extras that were not chosen",
    "tool.pdm.dev-dependencies": "groups that were not chosen",
    "tool.rye.dev-dependencies": "the group dev, which was not chosen",
    "tool.hatch.envs": "environments of Hatch are not read; list what they need under [dependency-groups]",
    "tool.flit.metadata": "the form before [project] is not read; flit tomlify writes it anew",
    "tool.conda-lock": "it has no place in a specification",
    "tool": TOOLS,
    "dependency-groups": "groups that were not chosen",
    "project.optional-dependencies": "extras that were not chosen",
}
OPENED = {"tool", "tool.pdm", "tool.rye", "tool.hatch", "tool.flit"}
"""Tables that are told of part by part, since some parts name packages."""
DYNAMIC = "a program of the project says what they are (dynamic); list them in an environment.yml"
DYNAMIC_FILES = (
    ("tool", "setuptools", "dynamic", "dependencies", "file"),
    ("tool", "hatch", "metadata", "hooks", "requirements_txt", "files"),
)
"""Where setuptools and hatch-requirements-txt name files that hold a project's dependencies."""


def pyproject_draft(data: dict[str, Any], platform: str, pick: Pick, name: str) -> Draft:
    """Return what a ``pyproject.toml`` asks for.

    Raises
    ------
    SpecificationError
        It asks for nothing, or a group that was chosen is not there.
    """
    source = Source(data)
    tool = data.get("tool")
    if not isinstance(tool, dict | None):
        msg = "tool must be a table, as in: [tool.pixi]"
        raise SpecificationError(msg)
    draft = Draft(name=name)
    pixi = source.take("tool", "pixi")
    if pixi is not None:
        if not isinstance(pixi, dict):
            msg = "tool.pixi must be a table, as in: [tool.pixi]"
            raise SpecificationError(msg)
        draft = pixi_draft(_with_groups(pixi, source, pick), platform, pick, name, "tool.pixi.")
        _give_way(_project(source, draft, Pick(), with_lines=not _lacks_default(pixi, pick)), draft)
        check_asks_for_packages(draft)
    else:
        if pick.environment:
            msg = f"the file has no environment {pick.environment[:60]!r}: its groups and extras are categories"
            raise SpecificationError(msg)
        is_alone = source.take("tool", "conda-lock", "skip-non-conda-lock") is True
        lines = _project(source, draft, Pick() if is_alone else pick, with_lines=not is_alone)
        if is_alone:
            draft.offer = Offer()
            draft.tell("packages of the project left out", "skip-non-conda-lock is set in [tool.conda-lock]")
        elif isinstance(source.peek("tool", "poetry"), dict):
            take_poetry(source, draft, pick)
        _conda_lock(source, draft, is_alone)
        _check_categories(draft, pick)
        _give_way(lines, draft)
    draft.name = draft.name or name
    if not (draft.conda or draft.pip):
        if any(change.why == DYNAMIC for change in draft.told):
            msg = f"the file does not name the packages of its project: {DYNAMIC}"
            raise SpecificationError(msg)
        wanted = [change for change in draft.told if change.why in (ONE_MACHINE, NO_COMMIT, OPTIONAL)]
        gone = "; ".join(f"{change.what}: {change.why}" for change in wanted)
        msg = "the file asks for no packages: no [project] dependencies, no [tool.pixi], no [tool.conda-lock]"
        msg = f"nothing is left of what the file asks for ({gone[:300]})" if gone else msg
        raise ChoiceError(msg, draft.offer)
    tell_rest(source, draft, REASONS, opened=OPENED)
    return draft


def _with_groups(pixi: dict[str, Any], source: Source, pick: Pick) -> dict[str, Any]:
    """Return the pixi tables with the dependency groups and extras that an environment has, as its features."""
    groups, extras = groups_of(source, with_uv=False)
    environments = pixi.get("environments")
    said = environments.get(pick.environment or "default") if isinstance(environments, dict) else None
    wanted = said.get("features") if isinstance(said, dict) else said
    features = pixi.get("feature")
    if not isinstance(wanted, list) or not isinstance(features, dict | None):
        return pixi
    added: dict[str, Any] = {}
    chosen = [name for name in wanted if isinstance(name, str) and (name in groups or name in extras)]
    for name, lines in take_groups(chosen, groups, extras, source)[0].items():
        feature = dict((features or {}).get(name, {}))
        added[name] = {**feature, "pypi-dependencies": {**_by_name(lines), **feature.get("pypi-dependencies", {})}}
    return {**pixi, "feature": {**(features or {}), **added}} if added else pixi


def _by_name(lines: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in lines:
        try:
            read = read_parts(line)
        except ValueError:
            found[line] = "*"
            continue
        table: dict[str, Any] = {"version": read.specifier or "*"}
        if read.extras:
            table["extras"] = list(read.extras)
        if read.marker:
            table["markers"] = read.marker
        if read.url:
            table = {"url": read.url}
        found[read.name] = table
    return found


def _lacks_default(pixi: dict[str, Any], pick: Pick) -> bool:
    """Whether an environment of pixi lacks the default feature, which what ``[project]`` asks for belongs to."""
    environments = pixi.get("environments")
    said = environments.get(pick.environment or "default") if isinstance(environments, dict) else None
    return isinstance(said, dict) and bool(said.get("no-default-feature"))


def _project(source: Source, draft: Draft, pick: Pick, with_lines: bool = True) -> list[str]:
    """Carry over ``[project]`` with the groups and extras that were chosen; without ``with_lines``, its names alone.

    Return the lines for pip that were taken.
    """
    draft.name = suggest_name(source.text("project", "name"), "") or draft.name
    draft.description = draft.description or source.text("project", "description")
    draft.python = python_bound(source.text("project", "requires-python"), draft) or draft.python
    lines = [*source.texts("project", "dependencies"), *_dynamic(source, draft)]
    if not with_lines:
        lines = []
    groups, extras = groups_of(source)
    known = dict.fromkeys((*extras, *groups))
    draft.offer = draft.offer if draft.offer.environments else Offer(categories=tuple(known), taken=pick.categories)
    chosen = [name for name in pick.categories if name in known]
    taken, included = take_groups(chosen, groups, extras, source)
    lines += [line for found in taken.values() for line in found]
    lines = without_itself(lines, str(source.peek("project", "name") or ""), extras, draft, source)
    take_sources(source.take("tool", "pdm", "source"), draft, "tool.pdm.source", "pypi")
    take_sources(source.take("tool", "rye", "sources"), draft, "tool.rye.sources", "default")
    uv = source.table("tool", "uv")
    overrides = uv.pop("sources", {})
    take_moment(uv.pop("exclude-newer", None), draft, "tool.uv.exclude-newer")
    if uv.pop("dev-dependencies", []) and "dev" not in included:
        draft.tell("tool.uv.dev-dependencies left out", "a group that was not chosen: dev")
    if uv:
        take_options(uv, draft, "tool.uv.")
    taken_lines = with_sources(lines, overrides if isinstance(overrides, dict) else {}, draft)
    draft.pip += taken_lines
    return taken_lines


def _dynamic(source: Source, draft: Draft) -> list[str]:
    """Return lines that read the files with the dependencies of a project; tell where a program makes them."""
    dynamic = source.peek("project", "dynamic")
    if not isinstance(dynamic, list) or "dependencies" not in dynamic:
        return []
    for path in DYNAMIC_FILES:
        files = source.peek(*path)
        names = [files] if isinstance(files, str) else files if isinstance(files, list) else []
        if names and all(isinstance(name, str) for name in names):
            source.take(*path)
            return [f"-r {name}" for name in names]
    if not isinstance(source.peek("tool", "poetry", "dependencies"), dict):
        draft.tell("dependencies of the project left out", DYNAMIC)
    return []


def with_sources(lines: list[str], sources: dict[str, Any], draft: Draft) -> list[str]:
    """Return requirements with what uv's ``sources`` say of them: another place, or none that others can reach.

    A list says what holds under which markers (uv's documentation, "Multiple sources").
    """
    from packaging.utils import canonicalize_name

    by_name = {canonicalize_name(name): value for name, value in sources.items()}
    done = []
    for line in lines:
        found = NAME.match(line)
        name = canonicalize_name(found[1] if found else "-")
        said = by_name.get(name)
        places = [place for place in (said if isinstance(said, list) else [said]) if isinstance(place, dict)]
        elsewhere = [place for place in places if any(place.get(key) for key in ELSEWHERE)]
        if any(place.get("index") for place in places):
            draft.tell(f"tool.uv.sources.{name} left out", "all indexes are for all packages here")
        if len(places) > len(elsewhere) or not elsewhere:
            done.append(line)
        for place in elsewhere:
            if len(places) > len(elsewhere):
                draft.tell(
                    f"a source of {name} left out", "it is for some systems only, others have the released package"
                )
                continue
            wanted = requirement(str(name), {**place, **conditions_of(line, place)}, draft)
            done += [wanted] if wanted else []
    return done


def _conda_lock(source: Source, draft: Draft, is_alone: bool) -> None:
    """Carry over ``[tool.conda-lock]``, beside the packages of the project or alone."""
    if source.peek("tool", "conda-lock") is None:
        return
    draft.channels = source.texts("tool", "conda-lock", "channels")
    draft.platforms = source.texts("tool", "conda-lock", "platforms")
    if source.peek("tool", "conda-lock", "default-non-conda-source") == "pip":  # as it is here
        source.take("tool", "conda-lock", "default-non-conda-source")
    for url in source.texts("tool", "conda-lock", "pip-repositories"):
        draft.options.append(f"--extra-index-url {url}")
    for package, bounds in source.table("tool", "conda-lock", "dependencies").items():
        if not isinstance(bounds, str | dict):
            draft.tell(f"{package} left out", "its bounds are neither text nor a table")
            continue
        said = dict(bounds) if isinstance(bounds, dict) else {"version": bounds}
        is_pip = said.pop("source", "") == "pypi" or said.get("manager") == "pip"
        said.pop("manager", None)
        if said.pop("optional", False):
            draft.tell(f"{package} taken", "it is optional in the file; leave it out if it is not wanted")
        if not is_pip:
            version = conda_bound(package, str(said.get("version", "*")), draft)
            spec = conda_spec(package, {**said, "version": version or "*"}, draft)
            draft.conda += [spec] if spec else []
            continue
        line = requirement(package, said, draft)
        draft.pip += [line] if line else []
    if not is_alone:
        draft.tell("dependencies of the project are taken from PyPI", "conda-lock looks for them in channels first")


def _give_way(lines: Sequence[str], draft: Draft) -> None:
    """Drop the lines of ``[project]`` whose package another table has at an address; their conditions stay."""
    for line in lines:
        name = _name_of(line)
        if name not in draft.placed or " @ " in line:
            continue
        draft.pip.remove(line)
        for at, other in enumerate(draft.pip):
            if _name_of(other) == name and " @ " in other:
                read = read_parts(other)
                found = conditions_of(line, {"marker": read.marker, "extras": read.extras})
                draft.pip[at] = str(read._replace(marker=found["markers"], extras=tuple(found["extras"])))


def _name_of(line: str) -> str:
    from packaging.utils import canonicalize_name

    found = NAME.match(line)
    return canonicalize_name(found[1]) if found else ""


def _check_categories(draft: Draft, pick: Pick) -> None:
    missing = [name for name in pick.categories if name not in draft.offer.categories]
    if missing:
        msg = f"the file has no group or extra {', '.join(missing)[:100]}"
        raise ChoiceError(msg, replace(draft.offer, taken=()))
