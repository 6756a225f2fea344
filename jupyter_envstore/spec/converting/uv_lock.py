"""``uv.lock``: what one project of it needs, as lines for pip with the hashes of their files; Python is solved for."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.addresses import file_of
from jupyter_envstore.spec.converting.draft import ChoiceError, Draft, Offer, Pick
from jupyter_envstore.spec.converting.lock_markers import Chosen, any_of_all, remaining
from jupyter_envstore.spec.converting.pins import (
    NO_WHEEL,
    File,
    Pin,
    add_pins,
    archive_place,
    listed_tables,
    name_of_file,
    repository_place,
)
from jupyter_envstore.spec.converting.pylock import NOT_CHOSEN
from jupyter_envstore.spec.converting.pypi import take_moment
from jupyter_envstore.spec.converting.toml import Source, tell_rest
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.sources import is_archive_at_commit

VERSION = 1
MEMBERS = ("editable", "virtual", "directory")
"""Sources of packages that are folders beside the lock."""
HOW_SOLVED = ("revision", "resolution-markers", "conflicts", "manifest")
REASONS = {
    "options": "they say how versions were chosen",
    "supported-markers": "other systems are not looked at",
    "required-markers": "other systems are not looked at",
}
MOST_CONDITIONS = 12
"""How many conditions are kept under which one package is needed; of more, what is common to all of them."""
Node = tuple[int, str]
"""A package by its place in the lock, and one of its extras or nothing."""


def is_uv_lock(data: Mapping[str, Any], file_name: str) -> bool:
    """Whether a TOML file is a lock of uv."""
    metadata = data.get("metadata")
    if isinstance(data.get("package"), list):
        known = "requires-python" in data or "revision" in data or file_name == "uv"
        return known and not (isinstance(metadata, dict) and "content-hash" in metadata)
    # of a script where nothing is needed
    return {"version", "requires-python"} <= set(data) and not {"project", "lock-version", "package"} & set(data)


def uv_draft(data: dict[str, Any], platform: str, pick: Pick, name: str) -> Draft:
    """Return what a project of a ``uv.lock`` needs.

    Parameters
    ----------
    data : dict
        What the file holds.
    platform : str
        Where it shall be built.
    pick : Pick
        The environment is a project of the workspace, the categories are its extras and dependency groups.
    name : str
        Of the environment, where the lock has no project.

    Raises
    ------
    SpecificationError
        It is of another version, or a marker is none; or what was chosen is not there, or nothing is needed.
    """
    source = Source(data)
    version = source.take("version")
    if version != VERSION:
        msg = f"uv.lock of version {str(version)[:20]!r} is not known; version {VERSION} is. Renew it with: uv lock"
        raise SpecificationError(msg)
    draft = Draft(name=name, python=source.text("requires-python").replace(" ", ""))
    take_moment(source.take("options", "exclude-newer"), draft, "options.exclude-newer")
    manifest = source.peek("manifest")
    for key in HOW_SOLVED:
        source.take(key)
    listed = listed_tables(source.take("package") or [], "package")
    graph = _Graph(listed)
    own = _begin(graph, manifest if isinstance(manifest, dict) else {}, pick, draft)
    _tell_members(graph, own, draft)
    pins = [pin for number, marker in graph.needed() if (pin := _pin(listed[number], marker, draft)) is not None]
    if not pins:
        msg = "the uv.lock asks for no packages"
        raise ChoiceError(msg, draft.offer)
    add_pins(draft, pins, platform)
    tell_rest(source, draft, REASONS)
    return draft


def _begin(graph: _Graph, manifest: Mapping[str, Any], pick: Pick, draft: Draft) -> str:
    """Begin with a project of the lock, or with what a script asks for; offer the others.

    Return the name of the project; empty for a script.
    """
    projects = graph.projects()
    if not projects:
        _no_choice(pick)
        asked = manifest.get("requirements")
        graph.start(asked if isinstance(asked, list) else [], Chosen())
        return ""
    names = tuple(projects)
    if pick.environment and pick.environment not in projects:
        msg = f"the lock has no project {pick.environment[:60]!r}"
        raise ChoiceError(msg, Offer(environments=names))
    wanted = pick.environment or names[0]
    project = projects[wanted]
    draft.name = suggest_name(wanted, "") or draft.name
    if len(names) > 1:
        others = ", ".join(other for other in names if other != wanted)
        draft.tell(f"project {wanted} of {len(names)} taken", f"others: {others[:300]}")
    extras, groups = (_tables(project, key) for key in ("optional-dependencies", "dev-dependencies"))
    known = (*extras, *groups)
    missing = [name for name in pick.categories if name not in known]
    if missing:
        msg = f"the project {wanted} has no extra or group {', '.join(missing)[:100]}"
        raise ChoiceError(msg, Offer(environments=names if len(names) > 1 else (), categories=known))
    several = len(names) > 1
    draft.offer = Offer(names if several else (), wanted if several else "", known, pick.categories)
    left = [name for name in known if name not in pick.categories]
    if left:
        draft.tell(f"{', '.join(left)[:300]} left out", NOT_CHOSEN)
    length = f"{len(wanted)}-{wanted}"  # as uv names choices that exclude one another
    conflicts = [f"extra-{length}-{name}" for name in pick.categories if name in extras]
    conflicts += [f"group-{length}-{name}" for name in pick.categories if name in groups]
    edges = [*_edges(project.get("dependencies"))]
    for name in pick.categories:
        edges += [*_edges(extras.get(name)), *_edges(groups.get(name))]
    graph.start(edges, Chosen(conflicts=frozenset(conflicts)))
    return wanted


def _tell_members(graph: _Graph, own: str, draft: Draft) -> None:
    """Tell which other folders beside the lock are needed: they are not installed, what they need is."""
    for package in graph.members(own):
        place = next(str(value) for key, value in package["source"].items() if key in MEMBERS)
        why = f"it is the folder {place[:100]} beside the lock, which is not installed; what it needs is"
        draft.tell(f"{package.get('name')} left out", why)


def _no_choice(pick: Pick) -> None:
    for wanted in (pick.environment, *pick.categories):
        if wanted:
            msg = f"the lock is of a script, and has no {wanted[:60]!r} to choose"
            raise SpecificationError(msg)


def _tables(package: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = package.get(key)
    return found if isinstance(found, dict) else {}


def _edges(listed: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict))


class _Graph:
    """Packages and what they need, walked through from a project on, with the conditions of each way."""

    def __init__(self, packages: Sequence[Mapping[str, Any]]) -> None:
        self.packages = packages
        self.chosen = Chosen()
        self.by_name: dict[str, list[int]] = {}
        for number, package in enumerate(packages):
            self.by_name.setdefault(str(package.get("name")), []).append(number)
        self.conditions: dict[Node, set[frozenset[str]]] = {}
        self.left: deque[Node] = deque()

    def projects(self) -> dict[str, Mapping[str, Any]]:
        """Return the packages that are folders beside the lock, the one that lies with it first."""
        found = {
            str(package.get("name")): package
            for package in self.packages
            if isinstance(package.get("source"), dict) and set(MEMBERS) & set(package["source"])
        }
        return dict(sorted(found.items(), key=lambda item: "." not in item[1]["source"].values()))

    def start(self, edges: Sequence[Mapping[str, Any]], chosen: Chosen) -> None:
        """Go through all that is needed by edges, and by what they lead to."""
        self.chosen = chosen
        self._follow(edges, {frozenset()})
        while self.left:
            number, extra = node = self.left.popleft()
            package = self.packages[number]
            needs = _tables(package, "optional-dependencies").get(extra) if extra else package.get("dependencies")
            self._follow(list(_edges(needs)), set(self.conditions[node]))

    def _follow(self, edges: Sequence[Mapping[str, Any]], ways: set[frozenset[str]]) -> None:
        for edge in edges:
            try:
                marker = remaining(str(edge["marker"]), self.chosen) if edge.get("marker") else ""
            except ValueError as error:
                msg = f"{str(edge.get('name'))[:60]}: {error}"
                raise SpecificationError(msg) from None
            if marker is None:
                continue
            more = {way | {marker} if marker else way for way in ways}
            extras = edge.get("extra")
            for number in self._targets(edge):
                for extra in ("", *(map(str, extras) if isinstance(extras, list) else ())):
                    self._add((number, extra), more)

    def _targets(self, edge: Mapping[str, Any]) -> list[int]:
        """Return the packages that an edge leads to: version and source are said where there are several."""
        found = self.by_name.get(str(edge.get("name")), [])
        for key in ("version", "source"):
            if key in edge and len(found) > 1:
                said = json.dumps(edge[key], sort_keys=True, default=str)
                found = [n for n in found if json.dumps(self.packages[n].get(key), sort_keys=True, default=str) == said]
        return found

    def _add(self, node: Node, ways: set[frozenset[str]]) -> None:
        known = self.conditions.setdefault(node, set())
        before = set(known)
        for way in ways:
            if not any(other <= way for other in known):
                known.difference_update([other for other in known if way <= other])
                known.add(way)
        if len(known) > MOST_CONDITIONS:
            known.intersection_update(())
            known.add(frozenset.intersection(*before, *ways))
        if known != before:
            self.left.append(node)

    def members(self, own: str) -> Iterator[Mapping[str, Any]]:
        """Yield the folders beside the lock that are needed, without the project itself."""
        for number, package in enumerate(self.packages):
            is_needed = (number, "") in self.conditions and package.get("name") != own
            if is_needed and set(MEMBERS) & set(package.get("source") or ()):
                yield package

    def needed(self) -> Iterator[tuple[int, str]]:
        """Yield each package that is needed and is no folder, with the marker of where it is."""
        for number, package in enumerate(self.packages):
            ways = self.conditions.get((number, ""))
            if ways and not set(MEMBERS) & set(package.get("source") or ()):
                yield number, any_of_all(ways)


def _pin(package: Mapping[str, Any], marker: str, draft: Draft) -> Pin | None:
    name, version = str(package.get("name")), str(package.get("version") or "")
    source = package.get("source")
    source = source if isinstance(source, dict) else {}
    wheels = tuple(_file(item) for item in _edges(package.get("wheels")))
    sdist = _file(package["sdist"]) if isinstance(package.get("sdist"), dict) else None
    if "registry" in source and version:
        index = str(source["registry"])
        if "://" in index:
            return Pin(name, version, marker, index, wheels=wheels, sdist=sdist)
    place = _place(source, next(iter(wheels), sdist))
    if not place:
        draft.tell(f"{name} left out", NO_WHEEL)
        return None
    return Pin(name, version, marker, place=place)


def _file(item: Mapping[str, Any]) -> File:
    url = str(item.get("url") or "")
    kind, _, digest = str(item.get("hash") or "").partition(":")
    name = name_of_file(item.get("filename"), url, item.get("path"))
    return File(name, url, digest.lower() if kind == "sha256" else "")


def _place(source: Mapping[str, Any], file: File | None) -> str:
    """Return the address of a package of a repository or an address; empty where nobody else can have it."""
    if isinstance(source.get("git"), str):
        address, _, commit = source["git"].rpartition("#")
        base, _, query = address.partition("?")
        folder = parse_qs(query).get("subdirectory", [""])[0]
        return repository_place(base, commit, folder)
    if isinstance(source.get("url"), str):
        digest = file.sha256 if file else ""
        url = archive_place(source["url"].partition("#")[0], digest, source.get("subdirectory"))
        return url if file_of(url).endswith(".whl") or is_archive_at_commit(url) else ""
    return ""
