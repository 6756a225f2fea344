"""``envs/<namespace>/<name>``: a link to the active build, for people and scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.active_builds import active_builds
from jupyter_envstore.database.connection import Database


def sync_link(config: StoreConfig, database: Database, environment_id: int) -> None:
    """Make the link say what the database says; looked at again afterwards, since others may change it meanwhile."""
    seen: Path | None = None
    for _ in range(5):
        with database.read() as session:
            namespace, name, directory = rows.active_directory(session, environment_id)
        if directory is None:  # none is active, or it is in another folder
            if seen is not None or "#" not in name:
                drop_link(config.root, namespace.lower(), name.split("#")[0])
            return
        prefix = config.builds / directory
        if prefix == seen:
            return
        point_at(config.root, namespace, name, prefix)
        seen = prefix


def sync_all_links(config: StoreConfig, database: Database, environment_ids: Iterable[int]) -> None:
    """Make every link right, and remove those of environments that are gone: after a crash."""
    for environment_id in environment_ids:
        sync_link(config, database, environment_id)
    with database.read() as session:
        wanted = {
            f"{namespace.name_key}/{environment.name_key}"
            for namespace, environment, build, _ in rows.list_environments(session)
            if build is not None
        }
    for link in links_folder(config.root).glob("*/*"):
        if link.is_symlink() and f"{link.parent.name}/{link.name}" not in wanted and not link.exists():
            link.unlink(missing_ok=True)


def sync_missing_links(config: StoreConfig, database: Database) -> int:
    """Make the links that are missing or wrong right; return how many there were.

    It asks the database once, so it can be done whenever a server starts. A link whose active build is in another
    folder goes.
    """
    with database.read() as session:
        active = [row for row in active_builds(session) if row.directory]
    mended = 0
    for row in active:
        link = links_folder(config.root) / row.namespace.lower() / row.name.lower()
        prefix = config.builds / str(row.directory)
        is_wrong = prefix.is_dir() and not _leads_to(link, prefix) if row.present else link.is_symlink()
        if is_wrong:
            sync_link(config, database, row.environment_id)
            mended += 1
    return mended


def point_at(root: Path, namespace: str, name: str, prefix: Path) -> None:
    """Make the link, at once and never missing in between."""
    link = links_folder(root) / namespace / name
    if _leads_to(link, prefix):
        return
    links_folder(root).mkdir(mode=0o700, exist_ok=True)
    link.parent.mkdir(exist_ok=True)
    fresh = link.with_name(f".{name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(prefix)
    fresh.replace(link)


def _leads_to(link: Path, prefix: Path) -> bool:
    return link.is_symlink() and link.readlink() == prefix


def drop_link(root: Path, namespace: str, name: str) -> None:
    """Remove the link, where there is one."""
    (links_folder(root) / namespace / name).unlink(missing_ok=True)


def links_folder(root: Path) -> Path:
    """Return the folder of a store that holds the links."""
    return root / "envs"
