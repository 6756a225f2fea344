"""Values that the use cases give and take."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class BuildRef:
    """Where a build is found: names, its number in the environment, its id; and what settings changed, in words."""

    namespace: str
    name: str
    number: int
    id: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}:{self.number}"


@dataclass(frozen=True)
class LogMark:
    """How much of a log was seen: the last piece, the blob before it, and bytes in all."""

    chunk: int = 0
    digest: str | None = None
    seen: int = 0


@dataclass(frozen=True)
class Document:
    """A text that is sent, its media type, and its SHA-256."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The SHA-256."""
        return hashlib.sha256(self.data).hexdigest()
