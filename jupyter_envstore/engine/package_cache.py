"""The cache of conda packages, as rattler lays it out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def cache_name(record: Mapping[str, Any]) -> str:
    """Return the name of a package's folder in the package cache."""
    return f"{record['name']}-{record['version']}-{record['build']}"


def in_cache(record: dict[str, Any], cache_dir: Path) -> bool:
    """Whether the cache holds this very package; rattler keeps its SHA-256 in the lock file, after an 8-byte count."""
    stem = cache_name(record)
    try:
        data = (cache_dir / f"{stem}.lock").read_bytes()
    except OSError:
        return False
    return bool(record.get("sha256")) and data[8:40].hex() == record["sha256"] and (cache_dir / stem / "info").is_dir()
