"""``pixi.toml``, and ``[tool.pixi]`` of a ``pyproject.toml``: one environment of it, for one platform."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import ChoiceError, Draft, Offer, Pick, as_text
from jupyter_envstore.spec.converting.pixi_platforms import Here, choose_platform, read_platforms, take_requirements
from jupyter_envstore.spec.converting.pypi import (
    ELSEWHERE,
    NO_COMMIT,
    ONE_MACHINE,
    requirement,
    take_moment,
    take_options,
)
from jupyter_envstore.spec.converting.toml import Source, tell_rest

PROJECT = "it is about the project, not about its packages"
ABOUT = (
    *("version", "authors", "license", "license-file", "readme", "homepage", "repository", "documentation", "preview"),
    *("requires-pixi", "conda-pypi-map"),
)
"""What a workspace says of itself (pixi's documentation, "The manifest")."""
REASONS = {
    "tasks": "commands are no packages",
    "feature": "another environment has it",
    "environments": "one environment is taken",
    "target": "it is for another platform",
    "package": "it says how the project itself is built, which is not installed",
    "dev": "sources of a folder are not installed",
    "build-variants": "nothing is built here",
    "workspace.build-variants": "nothing is built here",
    "project.build-variants": "nothing is built here",
    "constraints": "bounds of packages that nobody asks for have no place here",
    "activation": "scripts of a folder cannot be run elsewhere",
    "tool": "settings of other tools",
    "solve-strategy": "the newest versions are taken",
    **{f"{head}.{key}": PROJECT for head in ("workspace", "project") for key in ABOUT},
    "workspace.solve-strategy": "the newest versions are taken",
    "project.solve-strategy": "the newest versions are taken",
    "workspace": "no key of it that is known here",
    "project": "no key of it that is known here",
    "$schema": PROJECT,
}
STRICT = "the first channel that has a package is taken here; write CHANNEL::PACKAGE where it shall be another"
NO_PLACE = "it points at a repository, a path or a file"
CONDA_TABLES = ("dependencies", "host-dependencies", "build-dependencies")
MANIFEST = (
    "this is a package's manifest, not an environment's: it has [package] and no [workspace]; "
    "read the pixi.toml of the workspace that it belongs to"
)


def pixi_draft(data: dict[str, Any], platform: str, pick: Pick, name: str, prefix: str = "") -> Draft:
    """Return what one environment of a pixi workspace says.

    Parameters
    ----------
    data : dict
        What the file holds.
    platform : str
        Where it shall be built; decides which ``target`` holds.
    pick : Pick
        Which environment; the default one otherwise.
    name : str
        Where it has none.
    prefix : str
        What stands before the names of its tables in the file.

    Raises
    ------
    SpecificationError
        It is a package's manifest, has tables of another kind, or no such environment.
    """
    has_workspace = "workspace" in data or "project" in data
    if "package" in data and not has_workspace and "dependencies" not in data:
        raise SpecificationError(MANIFEST)
    source = Source(data)
    head = "workspace" if "workspace" in data else "project"
    draft = Draft(name=name)
    draft.name = source.text(head, "name") or name
    draft.description = source.text(head, "description")
    take_moment(source.take(head, "exclude-newer"), draft, f"{prefix}{head}.exclude-newer")
    features = _features(source, pick, draft)
    channels = source.take(head, "channels")
    draft.channels = _channels(["conda-forge"] if channels is None else channels)
    wanted = [names for path in features if isinstance(names := source.peek(*path, "platforms"), list) and path]
    listed = read_platforms(source.take(head, "platforms"))
    here = choose_platform(listed, [list(map(str, names)) for names in wanted], platform, draft)
    _priority(source.take(head, "channel-priority"), draft, f"{prefix}{head}.channel-priority")
    take_options(source.table(head, "pypi-options"), draft, f"{prefix}{head}.pypi-options.")
    for path in features:
        _feature(source, path, here, draft, prefix)
    tell_rest(source, draft, REASONS, prefix)
    return draft


def check_asks_for_packages(draft: Draft) -> None:
    """Refuse an environment of a pixi workspace that nothing is left of.

    Raises
    ------
    SpecificationError
        It asks for no packages; the message names what was left out.
    """
    if draft.conda or draft.pip:
        return
    msg = f"the environment {draft.offer.environment or 'default'} asks for no packages"
    gone = [change for change in draft.told if change.why in (NO_PLACE, ONE_MACHINE, NO_COMMIT)]
    others = [other for other in draft.offer.environments if other != draft.offer.environment]
    if gone:
        listed = "; ".join(f"{change.what}: {change.why}" for change in gone)
        msg += f" that can be installed elsewhere ({listed[:300]})"
    elif not others:
        msg += ": [dependencies] and [pypi-dependencies] name what it shall have"
    raise ChoiceError(msg, draft.offer)


def _features(source: Source, pick: Pick, draft: Draft) -> list[tuple[str, ...]]:
    """Return the paths of the tables that an environment is made of, and offer the others."""
    environments = source.table("environments")
    names = ("default", *(name for name in environments if name != "default"))
    wanted = pick.environment or "default"
    if wanted not in names:
        msg = f"the file has no environment {wanted[:60]!r}"
        raise ChoiceError(msg, Offer(environments=names))
    if len(names) > 1:
        draft.offer = Offer(environments=names, environment=wanted)
        others = ", ".join(name for name in names if name != wanted)
        draft.tell(f"environment {wanted} of {len(names)} taken", f"others: {others[:300]}")
    said = environments.get(wanted, [])
    without_default = isinstance(said, dict) and bool(said.get("no-default-feature"))
    features = said.get("features", []) if isinstance(said, dict) else said
    if not isinstance(features, list) or not all(isinstance(name, str) for name in features):
        msg = f"environments.{wanted} must be a list of features"
        raise SpecificationError(msg)
    missing = [name for name in features if source.take("feature", name) is None]
    if missing:
        msg = f"environments.{wanted} names features that the file has not: {', '.join(missing)[:200]}"
        raise SpecificationError(msg)
    own: list[tuple[str, ...]] = [] if without_default else [()]
    return [*own, *(("feature", name) for name in features)]


def _feature(source: Source, path: tuple[str, ...], here: Here, draft: Draft, prefix: str) -> None:
    """Carry over one feature: its tables, then those of the targets that hold, which have the last word."""
    name = ".".join(path)
    inner = Source(source.table(*path)) if path else source
    label = f"{prefix}{name}." if name else prefix
    conda: dict[str, Any] = {}
    pypi: dict[str, Any] = {}
    targets = inner.peek("target")
    selectors = list(targets) if isinstance(targets, dict) else []
    gone: dict[str, list[str]] = {}
    for key in (key for key in selectors if not here.has(key)):
        gone.setdefault(here.why_not(key), []).append(f"{label}target.{key}")
        inner.take("target", key)
    for why, names in gone.items():
        draft.tell(f"{', '.join(names)} left out", why)
    for place in ((), *(("target", key) for key in selectors if here.has(key))):
        for kind in CONDA_TABLES:
            found = inner.table(*place, kind)
            conda.update(found)
            if found and kind != "dependencies":
                draft.tell(f"{label}{'.'.join((*place, kind))} taken as dependencies", "pixi installs them too")
        pypi.update(inner.table(*place, "pypi-dependencies"))
        if inner.take(*place, "activation", "scripts"):
            draft.tell(f"{label}{'.'.join((*place, 'activation.scripts'))} left out", REASONS["activation"])
        variables = inner.table(*place, "activation", "env")
        draft.variables.update({key: as_text(value) for key, value in variables.items()})
    take_requirements(inner.table("system-requirements"), draft, f"{label}system-requirements.")
    take_options(inner.table("pypi-options"), draft, f"{label}pypi-options.")
    if path:
        channels = inner.take("channels")
        draft.channels = list(dict.fromkeys([*(_channels(channels) if channels else []), *draft.channels]))
        inner.take("platforms")
        _priority(inner.take("channel-priority"), draft, f"{label}channel-priority")
        tell_rest(inner, draft, REASONS, label)
    draft.conda += [spec for package, bounds in conda.items() if (spec := conda_spec(package, bounds, draft))]
    draft.pip += [line for package, bounds in pypi.items() if (line := requirement(package, bounds, draft))]


def _priority(wanted: Any, draft: Draft, label: str) -> None:
    """Carry over which channels are looked at; the usual one is pixi's own default."""
    if wanted == "disabled":
        draft.priority = wanted
    elif wanted not in (None, "strict"):
        draft.tell(f"{label} left out", STRICT)


def _channels(channels: Any) -> list[str]:
    if not isinstance(channels, list):
        msg = "channels must be a list"
        raise SpecificationError(msg)
    names = [
        (channel.get("channel"), channel.get("priority") or 0) if isinstance(channel, dict) else (channel, 0)
        for channel in channels
    ]
    if not all(isinstance(name, str) and isinstance(priority, int) for name, priority in names):
        msg = "each of the channels is text, or a table with 'channel'"
        raise SpecificationError(msg)
    return [str(name) for name, _ in sorted(names, key=lambda pair: -pair[1])]


def conda_spec(package: str, bounds: Any, draft: Draft) -> str | None:
    """Return a match spec, or None where it cannot be carried over, which is told."""
    channel = ""
    if isinstance(bounds, dict):
        if any(bounds.get(key) for key in ELSEWHERE):
            draft.tell(f"{package} left out", NO_PLACE)
            return None
        left = sorted(set(bounds) - {"version", "build", "channel", "extras"})
        if bounds.get("extras"):
            names = ", ".join(map(str, bounds["extras"] if isinstance(bounds["extras"], list) else [bounds["extras"]]))
            draft.tell(f"{package}: extras {names[:100]} left out", "name the packages that they stand for")
        if left:
            draft.tell(f"{package}: {', '.join(left)} left out", "it has no place in a dependency")
        channel = f"{bounds['channel']}::" if bounds.get("channel") else ""
        build = f" {bounds['build']}" if bounds.get("build") else ""
        bounds = f"{bounds.get('version', '*')}{build}"
    return f"{channel}{package}" if bounds == "*" else f"{channel}{package} {bounds}"
