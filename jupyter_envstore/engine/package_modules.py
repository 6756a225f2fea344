"""Which package a file of a prefix is of, and which modules of Python a package brings."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.engine.prefix import site_packages_folders

NOT_FOR_PEOPLE = re.compile(
    r"(__.*|tests?|testing|docs?|examples?|benchmarks?|samples?|scripts?|conftest|setup)$", re.I
)
"""Names at the top that packages put there by mistake, or that are not for people to import."""
MODULE = re.compile(r"([A-Za-z_]\w*)(\.(cpython-[\w-]+|abi3))?\.(py|pyc|so)$")
DEEPEST = 3


@dataclass(frozen=True)
class Installed:
    """A package in a prefix: who installed it, its name as the lock has it, and its files by their paths there."""

    manager: str
    name: str
    files: tuple[str, ...]


def installed_packages(prefix: Path) -> list[Installed]:
    """Return the packages of a prefix with their files, from what conda and pip noted of them."""
    found = []
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        meta = json.loads(path.read_text(encoding="utf-8"))
        found.append(Installed("conda", meta["name"], tuple(meta["files"])))
    taken = {name for package in found for name in package.files if name.endswith(".dist-info/RECORD")}
    for site in site_packages_folders(prefix):
        inside = site.relative_to(prefix).as_posix()
        for record in sorted(site.glob("*.dist-info/RECORD")):
            if f"{inside}/{record.parent.name}/RECORD" in taken:
                continue
            name = canonicalize_name(record.parent.name.split("-")[0])
            with record.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                paths = (os.path.normpath(f"{inside}/{row[0]}") for row in csv.reader(file) if row)
                found.append(Installed("pip", name, tuple(paths)))
    return found


def top_modules(package: Installed) -> list[str]:
    """Return the modules at the top of a package; of a namespace that packages share, those at its top.

    Of a package that has no others, modules count that lie deep in a namespace, or in no package at all, and those with
    an underscore in front.

    >>> files = ("lib/python3.12/site-packages/google/cloud/storage/__init__.py", "lib/python3.12/site-packages/six.py")
    >>> top_modules(Installed("pip", "example", files))
    ['google.cloud.storage', 'six']
    """
    parts = [path.split("site-packages/", 1)[1].split("/") for path in package.files if "/site-packages/" in path]
    named = [(tuple(path[:-1]), found[1]) for path in parts if (found := MODULE.fullmatch(path[-1]))]
    folders = {inside for inside, name in named if name == "__init__"}
    modules: set[str] = set()
    others: set[str] = set()
    for inside, own in named:
        if any(inside[:depth] in folders for depth in range(1, len(inside))):
            continue  # below a package that is one of the tops
        name = ".".join(inside if own == "__init__" or inside in folders else (*inside, own))
        if not all(part.isidentifier() for part in name.split(".")) or NOT_FOR_PEOPLE.match(name.split(".")[0]):
            continue
        usual = len(inside) <= DEEPEST and (not inside or inside in folders) and not name.startswith("_")
        (modules if usual else others).add(name)
    return sorted(modules or others)
