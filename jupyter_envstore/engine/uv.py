"""The program uv: run with no settings but ours, and its explanations."""

from __future__ import annotations

import re
import subprocess

from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.errors import LimitError, PipError


def find_uv() -> str:
    """Return the path of the uv program that belongs to this Python."""
    import uv

    return uv.find_uv_bin()


def run_uv(command: list[str], timeout: float, what: str, hint: str = "") -> str:
    """Run uv with no settings but ours, and return what it wrote to its standard error.

    What it leaves out of wheels that it unpacks is in its log alone, so it writes that part of it.

    Raises
    ------
    PipError
        It failed; the message is ``what`` and uv's explanation, without credentials.
    LimitError
        It took more than ``timeout`` seconds.
    """
    environment = scrubbed_environment(
        UV_NO_PROGRESS="1",
        NO_COLOR="1",
        UV_PYTHON_DOWNLOADS="never",
        GIT_TERMINAL_PROMPT="0",
        RUST_LOG="uv_extract=warn",
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=environment)
    except subprocess.TimeoutExpired:
        msg = f"{what}: no answer in {timeout:g} s"
        raise LimitError(msg) from None
    if done.returncode:
        text = _explain(done.stderr)
        msg = f"{what}: {_clause(text)}\n{text}{hint}"
        raise PipError(msg)
    return done.stderr


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
