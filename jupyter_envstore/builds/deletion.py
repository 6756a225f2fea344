"""Deleted builds and environments: what stays of them, and how their files go."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from jupyter_envstore import policy
from jupyter_envstore.builds.prefix_disk import check_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Build, Environment
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.errors import StorageError

UNDO = timedelta(minutes=10)
"""How long a deleted environment keeps its builds and their files, so that it can be brought back."""


@dataclass(frozen=True)
class Cleared:
    """An environment that was deleted, and the bytes that its builds hold."""

    name: str
    size: int


def kept_on_deletion(config: StoreConfig, session: Session) -> list[str]:
    """Return the kinds of artifacts that stay when a build is deleted."""
    settings = policy.effective([config.settings, *settings_rows.scope_settings(session, None, None)])
    kept: list[str] = settings["build_artifacts_kept_on_deletion"]
    return kept


def is_gone(config: StoreConfig, session: Session, build: Build, kind: str) -> bool:
    """Whether an artifact (or ``logs``) of a build went with it, though the environment may come back yet."""
    return build.deleted_on is not None and kind not in kept_on_deletion(config, session)


def uncleared(session: Session, before: datetime) -> list[Cleared]:
    """Return the environments that were deleted before a moment, and whose files are there yet."""
    found = []
    for namespace, environment in queries.uncleared_environments(session, before):
        builds = queries.builds_deleted_with(session, environment)
        found.append(Cleared(f"{namespace.name}/{environment.name}", _size(session, builds)))
    return found


def clear_deleted(
    config: StoreConfig, database: Database, before: datetime, environment_id: int | None = None
) -> list[Cleared]:
    """Forget the builds of environments that were deleted before a moment, and remove their files.

    A crash in between leaves files that belong to no build, which the next collection finds.
    """
    cleared, gone = [], []
    with database.write() as session:
        kept = kept_on_deletion(config, session)
        for namespace, environment in queries.uncleared_environments(session, before):
            if environment_id not in (None, environment.id):
                continue
            builds = queries.builds_deleted_with(session, environment)
            cleared.append(Cleared(f"{namespace.name}/{environment.name}", _size(session, builds)))
            _forget(session, environment, builds, kept)
            gone += builds
    remove_prefixes(config, gone)
    return cleared


def _forget(session: Session, environment: Environment, builds: Iterable[Build], kept: list[str]) -> None:
    environment.current_build_id, environment.cleared_on = None, now()
    for build in builds:
        rows.forget_build(session, build, kept)


def _size(session: Session, builds: Iterable[Build]) -> int:
    return sum(build.own_size + queries.droppable_bytes(session, build.id) for build in builds)


def remove_prefixes(config: StoreConfig, builds: Iterable[Build]) -> None:
    """Remove the files of deleted builds; those that a process runs from stay for ``gc`` until it ends.

    Nothing is removed from the disk of another folder.
    """
    try:
        check_mark(config)
    except StorageError:
        return
    used = prefixes_in_use(config.builds)
    for build in builds:
        prefix = config.builds / build.directory
        if build.directory and build.directory not in used and prefix.exists():
            remove_tree(prefix)


def prefixes_in_use(builds: Path) -> set[str]:
    """Return the folders below ``builds`` that a process of this host runs from."""
    used = set()
    root = f"{builds}{os.sep}"
    if not Path("/proc/self/exe").exists():  # macOS
        done = subprocess.run(["ps", "-axo", "command="], capture_output=True, text=True, check=False)
        return {Path(line[len(root) :]).parts[0] for line in done.stdout.splitlines() if line.startswith(root)}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program = os.readlink(process / "exe")  # noqa: PTH115
            if program.startswith(root):
                used.add(Path(program[len(root) :]).parts[0])
    return used
