"""The cache of conda packages, as rattler lays it out."""

from __future__ import annotations

from pathlib import Path

from jupyter_envstore.spec.lock_entries import CondaEntry

INCOMING = "incoming"
"""Folder beside the cache where packages are unpacked that come from elsewhere; ``gc`` takes what a crash leaves."""


def cache_name(record: CondaEntry) -> str:
    """Return the name of a package's folder in the package cache."""
    return f"{record['name']}-{record['version']}-{record['build']}"


def in_cache(record: CondaEntry, cache_dir: Path) -> bool:
    """Whether the cache holds this very package."""
    return bool(record.get("sha256")) and _cached_hash(record, cache_dir) == record["sha256"]


def holds_another(record: CondaEntry, cache_dir: Path) -> bool:
    """Whether the cache holds another package under the name of this one; rattler fetches this one then."""
    cached = _cached_hash(record, cache_dir)
    return bool(cached and record.get("sha256")) and cached != record["sha256"]


def _cached_hash(record: CondaEntry, cache_dir: Path) -> str:
    """Return the SHA-256 of the package that is there; rattler keeps it in the lock file, after an 8-byte count."""
    stem = cache_name(record)
    try:
        data = (cache_dir / f"{stem}.lock").read_bytes()
    except OSError:
        return ""
    return data[8:40].hex() if len(data) >= 40 and (cache_dir / stem / "info").is_dir() else ""
