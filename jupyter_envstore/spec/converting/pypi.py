"""Requirements and options for PyPI packages, as pixi, uv and Poetry write them in TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from jupyter_envstore.spec.converting.bounds import read_bounds
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.requirement_parts import read_parts
from jupyter_envstore.spec.sources import COMMIT

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?")
NO_COMMIT = "it points at a repository without a full commit (rev, of 40 characters)"
OPTIONAL = "it is optional"
ONE_MACHINE = "it points at a repository or a path of one machine"
ISO_SPAN = re.compile(r"P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?")
UNITS = {
    word: seconds
    for words, seconds in (
        ("s sec secs second seconds", 1),
        ("m min mins minute minutes", 60),
        ("h hr hrs hour hours", 3_600),
        ("d day days", 86_400),
        ("w wk wks week weeks", 604_800),
    )
    for word in words.split()
}
"""Seconds of a unit of time, as the Rust crates humantime and jiff call them, which pixi and uv read spans with."""
MOST = 36_500
POETRY_ONLY = re.compile(r"\^|~(?!=)|\|\|")
"""What Poetry writes bounds with, and conda does not."""
FOLDERS = ("path", "file", "directory", "workspace", "editable", "virtual")
"""What names a folder or a file of one machine, in Poetry, pixi, uv and conda-lock."""
OTHER_REPOSITORIES = ("hg", "svn", "bzr")
ELSEWHERE = {"git", "url", *FOLDERS, *OTHER_REPOSITORIES}
"""What says that a package is of no index."""
CONDITIONS = {"extras", "markers", "env-markers", "marker"}


def requirement(package: str, bounds: Any, draft: Draft) -> str | None:
    """Return a requirement for pip, or None where it cannot be carried over, which is told."""
    from packaging.utils import canonicalize_name

    said = bounds if isinstance(bounds, dict) else {"version": bounds}
    draft.placed.update([canonicalize_name(package)] if any(said.get(key) for key in ELSEWHERE) else ())
    place = _place(package, said, draft)
    if place is None:
        return None
    version = "" if place else bound(package, str(said.get("version", "*")), draft)
    names = said.get("extras")
    names = [names] if isinstance(names, str) else names if isinstance(names, list) else []
    extras = f"[{','.join(map(str, names))}]" if names else ""
    marker = said.get("markers") or said.get("env-markers") or said.get("marker")  # Poetry, pixi, uv
    line = f"{package}{extras}{place or version}{f' ; {marker}' if marker else ''}"
    try:
        read_parts(line)
    except ValueError as error:
        draft.tell(f"{package} left out", f"{line[:120]!r} is no requirement ({str(error).splitlines()[0]})")
        return None
    return line


def _place(package: str, said: Mapping[str, Any], draft: Draft) -> str | None:
    """Return the address of a package behind its name, empty where an index has it; None where nobody else has it."""
    folder = f"subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
    if said.get("git"):
        revision = str(said.get("rev") or "")
        if not COMMIT.fullmatch(revision):
            draft.tell(f"{package} left out", NO_COMMIT)
            return None
        _unknown(package, said, {"git", "rev", "subdirectory"}, draft)
        return f" @ git+{str(said['git']).removeprefix('git+')}@{revision}{f'#{folder}' if folder else ''}"
    if said.get("url"):
        _unknown(package, said, {"url", "subdirectory"}, draft)
        url = str(said["url"])
        return f" @ {url}{'&' if '#' in url else '#'}{folder}" if folder else f" @ {url}"
    if any(said.get(key) for key in FOLDERS):
        draft.tell(f"{package} left out", ONE_MACHINE)
        return None
    other = next((key for key in OTHER_REPOSITORIES if said.get(key)), "")
    if other:
        draft.tell(f"{package} left out", f"it points at a repository of {other}, and git alone is read")
        return None
    index = said.get("index")
    if isinstance(index, str) and "://" in index:
        add_index(package, index, draft)
    _unknown(package, said, {"version", *(("index",) if index and "://" in str(index) else ())}, draft)
    return ""


def bound(package: str, text: str, draft: Draft) -> str:
    """Return bounds for pip, as one list; tell where they say less or something else than those of the file."""
    try:
        found = read_bounds(text)
    except ValueError as error:
        draft.tell(f"{package}: {text[:60]!r} left out", f"it says no versions ({str(error).splitlines()[0][:120]})")
        return ""
    if found.without_local:
        draft.tell(f"{package} {text[:60]} became {found.newest}", "only == and != can name a local version (PEP 440)")
    if len(found.alternatives) > 1:
        draft.tell(f"{package} {text[:60]} became {found.newest}", "lines for pip have no alternatives: the newest one")
    return found.newest


def conda_bound(package: str, text: str, draft: Draft) -> str:
    """Return bounds for conda, which has alternatives; what is not written as Poetry does stays as it is."""
    if not POETRY_ONLY.search(text):
        return text
    try:
        return "|".join(read_bounds(text).alternatives)
    except ValueError as error:
        draft.tell(f"{package}: {text[:60]!r} left out", f"it says no versions ({str(error).splitlines()[0][:120]})")
        return ""


def python_bound(text: str, draft: Draft) -> str:
    """Return bounds of Python for conda, which has alternatives; empty for any."""
    try:
        return "|".join(read_bounds(text).alternatives)
    except ValueError as error:
        draft.tell(f"python {text[:60]!r} left out", f"it says no versions ({str(error).splitlines()[0][:120]})")
        return ""


def add_index(package: str, url: str, draft: Draft) -> None:
    """Name the index that one package is from, for all packages."""
    option = f"--extra-index-url {url}"
    if option not in draft.options and f"--index-url {url}" not in draft.options:
        draft.options.append(option)
        draft.tell(f"the index of {package} became '--extra-index-url'", "all indexes are for all packages here")


def conditions_of(line: str, place: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extras and the markers of a requirement, which hold wherever it is from, with those of its place."""
    try:
        read = read_parts(line)
    except ValueError:
        return {}
    markers = [str(marker) for marker in (read.marker, place.get("marker")) if marker]
    joined = " and ".join(f"({marker})" for marker in markers) if len(markers) > 1 else "".join(markers)
    return {"markers": joined, "extras": list(dict.fromkeys([*read.extras, *(place.get("extras") or ())]))}


def _unknown(package: str, said: Mapping[str, Any], known: set[str], draft: Draft) -> None:
    left = sorted(key for key in set(said) - known - CONDITIONS if said[key])
    if left:
        draft.tell(f"{package}: {', '.join(left)} left out", "it has no place in a requirement")


def take_options(options: Mapping[str, Any], draft: Draft, prefix: str) -> None:
    """Carry over where PyPI packages come from, and tell the other options by their dotted names."""
    indexes = options.get("index") if isinstance(options.get("index"), list) else []
    for index in indexes or ():
        if isinstance(index, dict) and index.get("url"):
            draft.options.append(f"--{'index-url' if index.get('default') else 'extra-index-url'} {index['url']}")
            if index.get("explicit"):
                draft.tell(
                    f"index {index.get('name', index['url'])} is for all packages", "'explicit' is not known here"
                )
    if options.get("index-url"):
        draft.options.append(f"--index-url {options['index-url']}")
    for url in _items(options.get("extra-index-urls")) + _items(options.get("extra-index-url")):
        draft.options.append(f"--extra-index-url {url}")
    left = set(options) - {"index", "index-url", "extra-index-urls", "extra-index-url", "find-links", "exclude-newer"}
    for link in _items(options.get("find-links")):
        place = link if isinstance(link, str) else link.get("url") if isinstance(link, dict) else ""
        if place and "://" in place:
            draft.options.append(f"--find-links {place}")
        else:
            left.add("find-links")
    if left:
        draft.tell(
            f"{', '.join(f'{prefix}{key}' for key in sorted(left))} left out", "an option that pip's lines lack here"
        )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def take_sources(listed: Any, draft: Draft, prefix: str, default: str) -> None:
    """Carry over a list of indexes as PDM and Rye have it, of which the one called ``default`` stands for PyPI."""
    for place in listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []:
        said = place if isinstance(place, dict) else {}
        name, url = str(said.get("name", ""))[:60], str(said.get("url") or "")
        if "://" not in url:
            draft.tell(f"{prefix} {name} left out", "it has no address that others can reach")
            continue
        option = "--index-url" if name == default else "--extra-index-url"
        option = "--find-links" if said.get("type") == "find_links" else option
        draft.options.append(f"{option} {url}")
        draft.tell(f"{prefix} {name} became '{option}'", "an option among the lines for pip")
        left = sorted(set(said) - {"name", "url", "type", "verify_ssl"})
        if left:
            draft.tell(f"{prefix} {name}: {', '.join(left)[:200]} left out", "all indexes are for all packages here")


def take_moment(value: Any, draft: Draft, name: str) -> None:
    """Carry over ``exclude-newer``, which is a choice for a build."""
    if value is None or value == "":
        return
    age = age_of(str(value))
    if MOMENT.fullmatch(str(value)):
        draft.exclude_newer = str(value)
    elif age is not None:
        draft.exclude_newer = (datetime.now(timezone.utc) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
        draft.tell(f"{name} {str(value)[:60]!r} became {draft.exclude_newer}", "so long before now")
    else:
        draft.tell(f"{name} {str(value)[:60]!r} left out", "no date; give one with --exclude-newer")


def age_of(words: str) -> timedelta | None:
    """Return a span of time as uv and pixi write it, None where it is none: ``7d``, ``1 week``, ``P7D``, ``PT24H``.

    Those of ISO 8601 with months or years have no length, and are none; neither is one of more than a hundred years.
    """
    words = words.strip()
    found = ISO_SPAN.fullmatch(words)
    if found and any(found.groups()):
        names = ("weeks", "days", "hours", "minutes", "seconds")
        parts = {name: int(number) for name, number in zip(names, found.groups(), strict=True) if number}
        return timedelta(**parts) if max(parts.values()) < MOST else None
    spans = re.findall(r"(\d{1,5})\s*([a-z]+)\s*", words)
    if not spans or "".join(f"{number}{unit}" for number, unit in spans) != re.sub(r"\s", "", words):
        return None
    seconds = [int(number) * UNITS[unit] for number, unit in spans if unit in UNITS]
    if len(seconds) != len(spans) or sum(seconds) > MOST * 86400:
        return None
    return timedelta(seconds=sum(seconds))
