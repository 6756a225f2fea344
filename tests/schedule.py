"""In which order tests run, and which of them run in one process, where several processes share them (pytest-xdist)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler.loadscope import LoadScopeScheduling

FIRST = ("lab", "release", "server", "installers", "images", "builds", "cli", "docs", "engine", "artifacts")
"""Folders whose tests take longest, in this order: so no process has a long file left when the others are done."""
TOGETHER = ("lab", "server", "installers")
"""Folders whose files share a server, a browser or an environment that takes long to make: one process runs each."""


def folder_of(nodeid: str) -> str:
    """Return the folder of a test below ``tests``; empty where it lies in none."""
    parts = nodeid.split("::", 1)[0].split("/")
    return parts[1] if len(parts) > 2 else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take longest first."""
    rank = {folder: place for place, folder in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(folder_of(item.nodeid), len(FIRST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Share tests by file, and by folder where files share something, in the order of the tests."""
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = folder_of(nodeid)
            return folder if folder in TOGETHER else nodeid.split("::", 1)[0]

    config.option.loadscopereorder = False
    return Files(config, log)
