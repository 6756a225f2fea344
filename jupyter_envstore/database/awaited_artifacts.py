"""Artifacts that somebody waits for."""

from __future__ import annotations

from typing import NamedTuple

from jupyter_envstore.database.states import ABSENT, MAKING, PENDING, UNSETTLED


class Wanted(NamedTuple):
    """An artifact of a build."""

    build: int
    kind: str
    variant: str = ""


class Standing(NamedTuple):
    """State of a build and of an artifact of it; a build that is gone has an empty one."""

    build: str
    artifact: str

    @property
    def moves(self) -> bool:
        """Whether somebody works on it, so that it is another one soon."""
        return self.build in UNSETTLED or self.artifact in (PENDING, MAKING)


GONE = Standing("", ABSENT)
