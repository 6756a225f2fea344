"""``pixi.lock`` of version 6, which pixi 0.40 and all later versions read: the format of rattler's ``rattler_lock``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyter_envstore.engine.lock import sort_topologically
from jupyter_envstore.engine.pylock import is_repository, repository_parts
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.spec.converting.pins import PYPI
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.package_editing import pip_name
from jupyter_envstore.spec.specification import PipOptions

VERSION = 6
COPIED = ("license", "license_family", "purls", "size", "timestamp", "python_site_packages_path")
"""What a conda package says of itself and the lock has in the same words."""
NAMED = ("name", "version", "build", "subdir", "channel")
"""What an address tells of a package."""
NUMBER = re.compile(r"[-+.\d_eExo]+")
"""Texts that a reader of YAML 1.2 takes for numbers, and one of YAML 1.1 does not."""
DEFAULT_INDEX = f"https://{'.'.join(PYPI)}/simple"
"""Which index pixi takes where a manifest names none; it compares the names."""


def pixi_lock_of(record: BuildRecord) -> str:
    """Return the ``pixi.lock`` of a record: one environment, ``default``, for all its platforms."""
    import yaml

    environment: dict[str, Any] = {"channels": [{"url": _with_slash(url)} for url in channels_of(record)]}
    if any(lock.pip for lock in record.platforms.values()):
        environment |= _indexes(record.pip_options)
    if record.channel_priority == "disabled":
        environment["options"] = {"channel-priority": "disabled"}
    environment["packages"] = {platform: _listed(lock) for platform, lock in sorted(record.platforms.items())}
    packages: dict[str, Mapping[str, Any]] = {}
    for lock in record.platforms.values():
        names = {pip_name(package["name"]) for package in lock.pip}
        packages |= {entry["url"]: _conda(entry) for entry in lock.conda}
        packages |= {_place(package): _pypi(package, names) for package in lock.pip}
    whole = {
        "version": VERSION,
        "environments": {"default": environment},
        "packages": [packages[url] for url in sorted(packages, key=lambda url: (url.rsplit("/", 1)[-1], url))],
    }

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Writes what looks like a number, and is a text, in quotes."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="'" if NUMBER.fullmatch(value) else None)

    Dumper.add_representer(str, text)
    return str(yaml.dump(whole, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000))


def channels_of(record: BuildRecord) -> list[str]:
    """Return the addresses of all channels that packages of a record come from, those that were asked for first."""
    used = sorted({entry["channel"].rstrip("/") for lock in record.platforms.values() for entry in lock.conda})
    return list(dict.fromkeys([*(url.rstrip("/") for url in record.channels if "://" in url), *used]))


def _with_slash(url: str) -> str:
    return f"{url}/"


def _indexes(options: PipOptions) -> dict[str, Any]:
    found: dict[str, Any] = {"indexes": [options.index_url or DEFAULT_INDEX, *options.extra_index_urls]}
    return found | ({"find-links": places} if (places := link_places(options)) else {})


def link_places(options: PipOptions) -> list[dict[str, str]]:
    """Return the places of ``--find-links`` as pixi has them: addresses and paths."""
    return [{"url" if "://" in place else "path": place} for place in options.find_links]


def _listed(lock: PlatformLock) -> list[dict[str, str]]:
    conda = [{"conda": entry["url"]} for entry in sort_topologically(lock.conda)]
    return conda + [{"pypi": _place(package)} for package in lock.pip]


def _conda(entry: CondaEntry) -> dict[str, Any]:
    values: dict[str, Any] = {"conda": entry["url"]}
    is_plain = entry["url"].startswith(("http://", "https://")) and entry["url"].rpartition("/")[2] == entry["fn"]
    if not is_plain:  # of a path, or a file name with codes, rattler derives nothing
        values |= {key: entry[key] for key in NAMED}  # type: ignore[literal-required]
    if entry["subdir"] == "noarch" and entry.get("noarch"):
        values["noarch"] = entry["noarch"]
    values["build_number"] = entry.get("build_number") or 0
    values |= {kind: entry[kind] for kind in ("sha256", "md5") if entry.get(kind)}
    values |= {key: list(entry[key]) for key in ("depends", "constrains") if entry.get(key)}
    return values | {key: entry[key] for key in COPIED if entry.get(key) not in (None, "")}  # type: ignore[literal-required]


def _pypi(package: PypiEntry, names: set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"pypi": _place(package), "name": pip_name(package["name"]), "version": package["version"]}
    if not is_repository(package):
        values["sha256"] = package["sha256"]
    needs = [name for name in package.get("dependencies") or () if pip_name(name) in names]
    return values | ({"requires_dist": needs} if needs else {})


def _place(package: PypiEntry) -> str:
    """Return the address of a package: of a repository as uv and pixi write it, with the commit as the fragment."""
    if not is_repository(package):
        return package["url"]
    url, commit, folder = repository_parts(package)
    return f"git+{url}?rev={commit}{f'&subdirectory={folder}' if folder else ''}#{commit}"
