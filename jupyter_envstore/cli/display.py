"""Progress on a terminal, and tables."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TextIO

from jupyter_envstore.artifacts.artifact_reach import WORDS
from jupyter_envstore.database.states import QUEUED
from jupyter_envstore.policy.artifact_kinds import artifact_kinds
from jupyter_envstore.representation.artifacts import ArtifactView
from jupyter_envstore.representation.builds import BuildProgress, StepView
from jupyter_envstore.spec.wording import human_size

TITLES = {
    "solve": "Find versions",
    "fetch": "Download packages",
    "pip": "Find PyPI packages",
    "scripts": "Run scripts of packages",
    "record": "Write build record",
    "link": "Link packages",
    "activate": "Activate",
    "compile": "Compile",
    "check": "Check",
    "keep": "Keep packages",
}
TICK, CROSS = "✓", "✗"


class LiveDisplay:
    """Shows steps as they run: one line that changes on a terminal, plain lines elsewhere."""

    def __init__(self, output: TextIO | None = None) -> None:
        self.output = output or sys.stderr
        self.live = self.output.isatty()
        self.finished: set[tuple[str, str]] = set()
        self.since = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()
        self._shown = self._told = ""

    def update(self, view: BuildProgress) -> None:
        """Show the state of a build."""
        running = None
        for step in view["steps"]:
            key = (step["started_on"], step["name"])
            if step["started_on"] < self.since:
                continue  # of an earlier job: this display follows what happens now
            if step["state"] == "running":
                running = step
            elif key not in self.finished:
                self.finished.add(key)
                self._line(f"  {TICK if step['state'] == 'done' else CROSS} {_title(step):<24} {_detail(step)}")
        if running is not None:
            self._status(f"  … {_title(running):<24} {_progress(running)}")
        elif view["status"] == QUEUED:
            if view["reason"] not in ("", self._told):
                self._told = view["reason"]
                self._line(f"  {self._told}")
            self._status("  … waiting for a worker")

    def line(self, text: str) -> None:
        """Print a line above the changing one."""
        self._line(text)

    def close(self) -> None:
        """Remove the changing line."""
        self._status("")

    def _line(self, text: str) -> None:
        self._status("")
        print(text, file=self.output, flush=True)

    def _status(self, text: str) -> None:
        if not self.live or text == self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        self.output.write("\r\x1b[2K" + text[:width])
        self.output.flush()
        self._shown = text


def _title(step: StepView) -> str:
    name = step["name"]
    if name in TITLES:
        return TITLES[name]
    kind = name.removeprefix("artifact-")
    found = artifact_kinds().get(kind)
    return f"Make {found.title if found else kind}"


def _detail(step: StepView) -> str:
    seconds = f"{step['duration']:6.1f} s" if step["duration"] is not None else ""
    return f"{seconds}  {_amount(step['total'], step['unit'])}".rstrip()


def _progress(step: StepView) -> str:
    if not step["total"]:
        return str(step["message"])
    share = min(1.0, step["done"] / step["total"])
    bar = "█" * int(share * 20)
    return f"{bar:░<20} {share:4.0%}  {_amount(step['done'], step['unit'])}  {step['message']}"


def _amount(value: int, unit: str) -> str:
    if not value:
        return ""
    return human_size(value) if unit == "bytes" else f"{value} {unit if value != 1 else unit.removesuffix('s')}"


def remark(artifact: ArtifactView) -> str:
    """Return what people should know of an artifact: why it cannot be made, or where alone it works."""
    return str(artifact["reason"] or WORDS[artifact["reach"]])


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns."""
    widths = [max(len(str(line[column])) for line in [headings, *lines]) for column in range(len(headings))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [headings, *lines]
    )
