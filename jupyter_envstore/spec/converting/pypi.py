"""Requirements and options for PyPI packages, as pixi, uv and Poetry write them in TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from jupyter_envstore.spec.converting.draft import Draft
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
PYTHON_BOUND = re.compile(r"(<=|>=|==|!=|<|>|~=)\s*(\d[\w.*]*)")
BARE = re.compile(r"\d+(\.\d+)*([a-z]+\d+)?")


def requirement(package: str, bounds: Any, draft: Draft) -> str | None:
    """Return a requirement for pip, or None where it cannot be carried over, which is told."""
    if not isinstance(bounds, dict):
        return f"{package}{_bounds(str(bounds))}"
    extras = f"[{','.join(map(str, bounds['extras']))}]" if bounds.get("extras") else ""
    said = bounds.get("markers") or bounds.get("env-markers") or bounds.get("marker")  # Poetry, pixi, uv
    marker = f" ; {said}" if said else ""
    known = {"version", "extras", "markers", "env-markers", "marker"}
    if bounds.get("git"):
        revision = str(bounds.get("rev") or "")
        if not COMMIT.fullmatch(revision):
            draft.tell(f"{package} left out", NO_COMMIT)
            return None
        folder = f"#subdirectory={bounds['subdirectory']}" if bounds.get("subdirectory") else ""
        _unknown(package, bounds, known | {"git", "rev", "subdirectory"}, draft)
        address = str(bounds["git"]).removeprefix("git+")
        return f"{package}{extras} @ git+{address}@{revision}{folder}{marker}"
    if bounds.get("url"):
        _unknown(package, bounds, known | {"url"}, draft)
        return f"{package}{extras} @ {bounds['url']}{marker}"
    if bounds.get("path") or bounds.get("workspace") or bounds.get("editable"):
        draft.tell(f"{package} left out", ONE_MACHINE)
        return None
    _unknown(package, bounds, known, draft)
    return f"{package}{extras}{_bounds(str(bounds.get('version', '*')))}{marker}"


def _bounds(bounds: str) -> str:
    bounds = bounds.strip()
    if bounds in ("*", ""):
        return ""
    return f"=={bounds}" if BARE.fullmatch(bounds) else bounds


def _unknown(package: str, bounds: Mapping[str, Any], known: set[str], draft: Draft) -> None:
    left = sorted(set(bounds) - known)
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


def poetry_marker(table: dict[str, Any]) -> str:
    """Take the conditions out of what Poetry says of a package (``python``, ``platform``, ``markers``), as one marker.

    Poetry's documentation, "Dependency specification": ``python`` has bounds, ``platform`` is what ``sys.platform`` is.
    """
    parts = [f"({table.pop('markers')})"] if table.get("markers") else []
    platform, python = table.pop("platform", None), str(table.pop("python", "*")).strip()
    if platform:
        parts.append(f"sys_platform == '{platform}'")
    choices = []
    for choice in re.split(r"\|\|?", python):
        bounds = [part.strip() for part in poetry_bounds(choice.strip()).split(",") if part.strip()]
        known = [PYTHON_BOUND.fullmatch(bound) for bound in bounds]
        choices.append(
            " and ".join(
                f"{'python_full_version' if found[2].count('.') > 1 else 'python_version'} {found[1]} '{found[2]}'"
                for found in known
                if found
            )
        )
    if all(choices):
        parts.append(f"({' or '.join(choices)})" if len(choices) > 1 else choices[0])
    return " and ".join(parts)


def poetry_bounds(bounds: str) -> str:
    """Return Poetry's bounds as PEP 440 has them: ``^1.2`` is ``>=1.2,<2``, ``~1.2`` is ``>=1.2,<1.3``."""
    done = []
    for part in (item.strip() for item in bounds.split(",")):
        found = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)(.*)", part)
        if not found or part.startswith("~="):
            done.append(f"=={part}" if re.fullmatch(r"\d+(\.\d+)*(\.\*)?", part) else part)
            continue
        numbers = [int(number) for number in found[2].split(".")]
        if found[1] == "^":
            place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
        else:
            place = min(1, len(numbers) - 1)
        upper = [*numbers[:place], numbers[place] + 1]
        done.append(f">={found[2]}{found[3]},<{'.'.join(map(str, upper))}")
    return ",".join(part for part in done if part not in ("*", "==*"))
