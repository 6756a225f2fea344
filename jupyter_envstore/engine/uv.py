"""The program uv: run with no settings but ours, and its explanations."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.engine.bounded_run import run_bounded
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.process_environment import scrubbed_environment, without_logins
from jupyter_envstore.engine.sandbox import NONE, Reach, Sandbox
from jupyter_envstore.errors import LimitError, PipError

MOST_LOG = 32 << 20
"""Bytes of a log that are read: uv names each file that it leaves out of a wheel."""


def find_uv() -> str:
    """Return the path of the uv program that belongs to this Python."""
    import uv

    return uv.find_uv_bin()


@dataclass(frozen=True)
class Bounds:
    """What uv may reach where it runs code of packages: their builds, and their Python.

    Parameters
    ----------
    sandbox : Sandbox
        What bounds it.
    reach : Reach
        What it may reach.
    folder : Path
        Where it runs.
    """

    sandbox: Sandbox
    reach: Reach
    folder: Path

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command line of uv within the bounds."""
        return self.sandbox.command(words, self.reach, self.folder)


def run_uv(command: Sequence[str], timeout: float, what: str, hint: str = "", bounds: Bounds | None = None) -> str:
    """Run uv with no settings but ours, and return what it wrote to its standard error.

    What it leaves out of wheels that it unpacks is in its log alone, so it writes that part of it. Without ``bounds``
    it runs no code of packages; within those of a sandbox it gets no logins of indexes.

    Raises
    ------
    PipError
        It failed; the message is ``what`` and uv's explanation, without credentials. Or it says too much: what is built
        writes into its log.
    LimitError
        It took more than ``timeout`` seconds.
    """
    is_bound = bounds is not None and bounds.sandbox.name != NONE
    environment = (without_logins if is_bound else scrubbed_environment)(
        UV_NO_PROGRESS="1",
        NO_COLOR="1",
        UV_PYTHON_DOWNLOADS="never",
        GIT_TERMINAL_PROMPT="0",
        RUST_LOG="uv_extract=warn",
    )
    try:
        words = bounds.command(command) if bounds is not None else list(command)
        done = run_bounded(words, environment, None, timeout, MOST_LOG)
    except subprocess.TimeoutExpired:
        msg = f"{what}: no answer in {timeout:g} s"
        raise LimitError(msg) from None
    if not done.is_whole:
        msg = f"{what}: uv, or what it builds, says more than {MOST_LOG >> 20} MB"
        raise PipError(msg)
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        text = _explain(said)
        msg = f"{what}: {_clause(text)}\n{text}{hint}"
        raise PipError(msg)
    return said


def _explain(stderr: str) -> str:
    text = redact(re.sub(r"^WARN .*\n?", "", stderr, flags=re.MULTILINE)).strip()
    text = re.sub(r"^error: ", "", text)
    text = re.sub(r"\S*/envstore-pip-\w+/provided", "what conda installs", text)
    return re.sub(r"^\s*(cause|Caused by): ", "", text, flags=re.MULTILINE)


def _clause(text: str) -> str:
    """Return the first cause in uv's explanation, for where there is one line."""
    plain = " ".join(re.sub(r"[^\x00-\x7f]", " ", text).split())  # without what the tree is drawn with
    cause = re.search(r"Because (.+?)(?:,| and )", plain)
    return cause[1] if cause else plain[:200]
