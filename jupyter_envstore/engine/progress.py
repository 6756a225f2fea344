"""How the engine tells what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives log lines and progress of the step that runs. Called from one thread at a time or from several."""

    def log(self, text: str) -> None:
        """Add a line for people."""

    def advance(self, done: int, total: int, unit: str, message: str = "") -> None:
        """Say that ``done`` of ``total`` ``unit`` (``bytes``, ``packages``, ``files``) are through."""


class Silent:
    """A :class:`Progress` that nobody looks at."""

    def log(self, text: str) -> None:
        """Drop the line."""

    def advance(self, done: int, total: int, unit: str, message: str = "") -> None:
        """Drop the figures."""
