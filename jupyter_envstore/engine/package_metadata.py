"""What packages say of themselves: summary, licence, home page; read from what lies on the disk, never fetched."""

from __future__ import annotations

import json
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry

KEYS = ("name", "version", "summary", "license", "home", "documentation", "source")
MOST_TEXT = 2000


def about_package(cache: Path, entry: CondaEntry) -> dict[str, str]:
    """Return what a conda package says of itself (``info/about.json`` of conda-build).

    Parameters
    ----------
    cache : Path
        Folder of unpacked packages.
    entry : dict
        The package's entry in a lock.
    """
    try:
        text = (cache / cache_name(entry) / "info" / "about.json").read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError):
        found = {}
    found = found if isinstance(found, dict) else {}
    return _about(
        entry,
        summary=found.get("summary"),
        license=found.get("license") or entry.get("license"),
        home=_first(found.get("home")),
        documentation=_first(found.get("doc_url")),
        source=_first(found.get("dev_url")),
    )


def about_wheel(prefix: Path, entry: PypiEntry) -> dict[str, str]:
    """Return what a PyPI package in a prefix says of itself (``METADATA``, PyPA's core metadata)."""
    wanted = canonicalize_name(entry["name"])
    folders = prefix.glob(f"lib/python*/site-packages/*-{entry['version']}.dist-info")
    found_in = [path for path in folders if canonicalize_name(path.name.rsplit("-", 2)[0]) == wanted]
    path = found_in[0] / "METADATA" if found_in else None
    try:
        found = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace")) if path else None
    except OSError:
        found = None
    return _about(entry, **(about_metadata(found) if found else {}))


def about_metadata(found: Message) -> dict[str, Any]:
    """Return what PyPA's core metadata say: summary, licence, home page, documentation, source."""
    urls = {}
    for line in found.get_all("Project-URL") or []:
        label, _, url = str(line).partition(",")
        urls[label.strip().lower()] = url.strip()
    return {
        "summary": found["Summary"],
        "license": found["License-Expression"] or found["License"],
        "home": found["Home-page"] or urls.get("homepage") or urls.get("home"),
        "documentation": urls.get("documentation") or urls.get("docs"),
        "source": urls.get("source") or urls.get("repository") or urls.get("source code"),
    }


def _about(entry: CondaEntry | PypiEntry, **found: Any) -> dict[str, str]:
    values = {"name": entry["name"], "version": entry["version"], **found}
    about = {key: str(values.get(key) or "")[:MOST_TEXT] for key in KEYS}
    for key in ("home", "documentation", "source"):  # they become links: nothing but addresses of pages
        if not _is_page(about[key]):
            about[key] = ""
    return about


def _is_page(address: str) -> bool:
    try:
        return urlsplit(address).scheme in ("http", "https")
    except ValueError:
        return False


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
