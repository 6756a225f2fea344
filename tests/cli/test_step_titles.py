"""The command line calls each step of a build as its log does."""

from __future__ import annotations

import re
from pathlib import Path

import jupyter_envstore
from jupyter_envstore.cli.display import TITLES

STEP = re.compile(r'\.step\("(\w+)", "([^"]+)"\)')


def test_every_step_has_the_title_that_stands_in_the_log() -> None:
    builds = Path(jupyter_envstore.__file__).parent / "builds"
    named = {found for path in builds.glob("*.py") for found in STEP.findall(path.read_text(encoding="utf-8"))}
    assert {name for name, _ in named} >= {"fetch", "link", "keep"}
    assert dict(named) == TITLES
