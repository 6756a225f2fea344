"""What a linker leaves where packages collide, put right: one file for each path, and one package that has it.

rattler moves the files that lost to ``__clobbers__`` and writes that into their packages' records. Nobody looks there;
conda and mamba have no such folder. So it goes, and with it the claims of those that lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.collisions import Collision, Registry, link_order
from jupyter_envstore.engine.path_rules import CLOBBERS
from jupyter_envstore.engine.prefix import remove_tree, write_new
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import CondaEntry


def settle(prefix: Path, registry: Registry, records: Sequence[CondaEntry]) -> list[Collision]:
    """Leave one owner for each path that several packages have; return those whose files differ.

    Raises
    ------
    PackageError
        A file is missing.
    """
    clobbers = prefix / CLOBBERS
    names = {name for claimants in registry.shared.values() for name in claimants}
    if clobbers.is_dir():
        names |= {path.name for path in clobbers.iterdir()}
    if not names:
        return []
    by_name = {str(record["name"]): record for record in records}
    metas = {name: _Meta(prefix, by_name[name]) for name in link_order(records) if name in names}
    found = []
    for path in sorted({*registry.shared, *(path for meta in metas.values() for path in meta.aside)}):
        claims = {name: content for name, meta in metas.items() if (content := meta.content(path)) is not None}
        programs = [name for name in claims if name in registry.scripts.get(path, ())]
        winner = [*(programs or claims)][-1] if claims else ""
        if winner and path in metas[winner].aside:
            metas[winner].bring_back(path)
        if not winner or not os.path.lexists(prefix / path):
            who = " and ".join(registry.shared.get(path, [*claims]))
            msg = f"{path!r} of {who} is missing: these packages cannot be in one environment; leave one out"
            raise PackageError(msg)
        for name in claims:
            if name != winner:
                metas[name].drop(path)
        losers = tuple(name for name, content in claims.items() if content != claims[winner])
        if losers:
            found.append(Collision(path, winner, losers))
    for meta in metas.values():
        meta.write()
    if clobbers.is_dir():
        remove_tree(clobbers)
    return found


class _Meta:
    """The record of an installed package (``conda-meta/NAME.json``), and which of its files rattler moved aside."""

    def __init__(self, prefix: Path, record: CondaEntry) -> None:
        self.prefix = prefix
        self.path = prefix / "conda-meta" / f"{record['name']}-{record['version']}-{record['build']}.json"
        self.data = json.loads(self.path.read_bytes())
        self.start = f"{CLOBBERS}/{record['name']}/"
        self.entries: dict[str, dict[str, Any]] = {}
        self.aside: set[str] = set()
        for entry in self.data["paths_data"]["paths"]:
            path = str(entry["_path"])
            if path.startswith(self.start):
                path = path[len(self.start) :]
                self.aside.add(path)
            self.entries[path] = {key: value for key, value in entry.items() if key != "original_path"} | {
                "_path": path
            }
        self.changed = bool(self.aside)

    def content(self, path: str) -> tuple[object, ...] | None:
        """Return what tells a file from another; None where the package does not have it."""
        entry = self.entries.get(path)
        if entry is None:
            return None
        return entry.get("path_type"), entry.get("sha256_in_prefix") or entry.get("sha256")

    def drop(self, path: str) -> None:
        """Forget a path, which is another's."""
        del self.entries[path]
        self.aside.discard(path)
        self.changed = True

    def bring_back(self, path: str) -> None:
        """Put a file to its place that was moved aside."""
        self.aside.remove(path)
        (self.prefix / path).parent.mkdir(parents=True, exist_ok=True)
        (self.prefix / f"{self.start}{path}").replace(self.prefix / path)

    def write(self) -> None:
        """Write the record where it was changed."""
        if self.changed:
            self.data["paths_data"]["paths"] = [self.entries[path] for path in sorted(self.entries)]
            self.data["files"] = sorted(self.entries)
            write_new(self.path, json.dumps(self.data, indent=2).encode())
