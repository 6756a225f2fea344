"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_digest(path: Path, kind: str = "sha256") -> str:
    """Return the hash of a file (hexadecimal), read in pieces."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
