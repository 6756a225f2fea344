"""``envs/<namespace>/<name>``: a link to the active build, for people and scripts."""

from __future__ import annotations

import os
from pathlib import Path


def point_at(root: Path, namespace: str, name: str, prefix: Path) -> None:
    """Make the link, at once and never missing in between."""
    link = root / "envs" / namespace / name
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(prefix)
    fresh.replace(link)


def drop_link(root: Path, namespace: str, name: str) -> None:
    """Remove the link, where there is one."""
    (root / "envs" / namespace / name).unlink(missing_ok=True)
