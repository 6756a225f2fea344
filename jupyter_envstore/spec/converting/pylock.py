"""``pylock.toml`` (PEP 751): its packages as lines for pip, with the hashes of their files; Python is solved for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.draft import ChoiceError, Draft, Offer, Pick
from jupyter_envstore.spec.converting.lock_markers import Chosen, remaining
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
from jupyter_envstore.spec.converting.toml import Source, tell_rest
from jupyter_envstore.spec.sources import COMMIT, is_archive_at_commit
from jupyter_envstore.spec.wording import counted

VERSION = "1."
NOT_CHOSEN = "extras and groups that were not chosen"
KNOWN = {
    *("name", "version", "marker", "index", "wheels", "sdist", "archive", "vcs", "directory"),
    *("requires-python", "dependencies", "attestation-identities", "tool"),
}
"""Keys of a package. The last four are for people and for tools: what is installed does not depend on them."""
OF_INDEX = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+$")
"""How PyPI, and what mirrors it, names files: they are found by name there, too. pip's locks say no index."""
REASONS = {"tool": "settings of other tools"}


def is_pylock(data: Mapping[str, Any]) -> bool:
    """Whether a TOML file is a lock of PEP 751."""
    return "lock-version" in data and not isinstance(data.get("package"), list)


def pylock_draft(data: dict[str, Any], platform: str, pick: Pick, name: str) -> Draft:
    """Return what a ``pylock.toml`` pins.

    Parameters
    ----------
    data : dict
        What the file holds.
    platform : str
        Where it shall be built.
    pick : Pick
        The categories are its extras and dependency groups.
    name : str
        Of the environment.

    Raises
    ------
    SpecificationError
        It is of another version, or a package of it is none; or what was chosen is not there, or nothing is left.
    """
    source = Source(data)
    version = str(source.take("lock-version"))
    if not version.startswith(VERSION):
        msg = f"pylock.toml of version {version[:20]!r} is not known; version 1.0 is"
        raise SpecificationError(msg)
    draft = Draft(name=name, python=source.text("requires-python").replace(" ", ""))
    source.take("created-by")
    extras, groups = source.texts("extras"), source.texts("dependency-groups")
    chosen, draft.offer = _chosen(extras, groups, source.texts("default-groups"), pick)
    if draft.offer.categories and not set(draft.offer.categories) <= set(draft.offer.taken):
        others = [name for name in draft.offer.categories if name not in draft.offer.taken]
        draft.tell(f"{', '.join(others)[:300]} left out", NOT_CHOSEN)
    _tell_environments(source.texts("environments"), draft)
    listed = listed_tables(source.take("packages"), "packages")
    pins = [pin for item in listed if (pin := _pin(item, chosen, draft)) is not None]
    if not pins:
        msg = f"nothing is left of the {counted(len(listed), 'package')} of the lock"
        raise ChoiceError(msg, draft.offer)
    add_pins(draft, pins, platform)
    tell_rest(source, draft, REASONS)
    return draft


def _chosen(extras: list[str], groups: list[str], defaults: list[str], pick: Pick) -> tuple[Chosen, Offer]:
    """Return what was chosen, and what there is to choose from.

    Default groups stand for what the project itself needs: they are taken always, and nobody is asked for them.
    """
    names = (*extras, *(group for group in groups if group not in defaults))
    missing = [name for name in pick.categories if name not in names]
    if missing:
        msg = f"the lock has no extra or group {', '.join(missing)[:100]}"
        raise ChoiceError(msg, Offer(categories=names))
    picked = Chosen.of(
        [name for name in pick.categories if name in extras],
        [*(name for name in pick.categories if name in groups), *defaults],
    )
    return picked, Offer(categories=names, taken=pick.categories) if names else Offer()


def _tell_environments(markers: list[str], draft: Draft) -> None:
    if markers:
        draft.tell(f"environments {'; '.join(markers)[:300]} left out", "other systems are not looked at")


def _pin(item: Mapping[str, Any], chosen: Chosen, draft: Draft) -> Pin | None:
    name = item.get("name")
    if not isinstance(name, str) or not name:
        msg = "a package of the lock has no name"
        raise SpecificationError(msg)
    try:
        marker = remaining(str(item["marker"]), chosen) if item.get("marker") else ""
    except ValueError as error:
        msg = f"{name[:60]}: {error}"
        raise SpecificationError(msg) from None
    if marker is None:
        return None
    unknown = sorted(set(item) - KNOWN)
    if unknown:
        draft.tell(f"{name}: {', '.join(unknown)[:200]} left out", "it has no place in a requirement")
    version, index = str(item.get("version") or ""), str(item.get("index") or "")
    place = _place(item)
    if place:
        return Pin(name, version, marker, place=place)
    raw = item.get("wheels")
    wheels = tuple(_file(name, wheel) for wheel in (raw if isinstance(raw, list) else ()) if isinstance(wheel, dict))
    sdist = _file(name, item["sdist"]) if isinstance(item.get("sdist"), dict) else None
    files = [file for file in (*wheels, sdist) if file is not None]
    if not version or not any(file.url for file in files):
        draft.tell(f"{name} left out", NO_WHEEL)
        return None
    if all(file.url.startswith("file:") for file in files if file.url):
        draft.tell(f"{name} taken by its name and hash", "its address is of one machine")
        return Pin(name, version, marker, index, wheels=wheels, sdist=sdist)
    is_alone = len(wheels) == 1 and wheels[0].sha256 and not sdist
    if not index and is_alone and not OF_INDEX.search(wheels[0].url):
        return Pin(name, version, marker, place=f"{wheels[0].url}#sha256={wheels[0].sha256}")
    return Pin(name, version, marker, index, wheels=wheels, sdist=sdist)


def _file(package: str, table: Mapping[str, Any]) -> File:
    """Return a file of a package.

    Raises
    ------
    SpecificationError
        It has no hash, so it could be anything.
    """
    url = str(table.get("url") or "")
    hashes = table.get("hashes")
    name = name_of_file(table.get("name"), url, table.get("path"))
    if not isinstance(hashes, dict) or not hashes:
        msg = f"{package[:60]}: {name[:120]} has no hashes in the lock, so it could be anything; lock it again"
        raise SpecificationError(msg)
    return File(name, url, str(hashes.get("sha256") or "").lower())


def _place(item: Mapping[str, Any]) -> str:
    """Return the address of a package that is of no index; empty where it has none that others can reach."""
    vcs, archive = item.get("vcs"), item.get("archive")
    if isinstance(vcs, dict) and vcs.get("type") == "git" and COMMIT.fullmatch(str(vcs.get("commit-id"))):
        return repository_place(vcs["url"], vcs["commit-id"], vcs.get("subdirectory")) if vcs.get("url") else ""
    if isinstance(archive, dict) and archive.get("url"):
        file = _file(str(item.get("name")), archive)
        url = archive_place(file.url, file.sha256, archive.get("subdirectory"))
        return url if file.sha256 and (file.name.endswith(".whl") or is_archive_at_commit(url)) else ""
    return ""
