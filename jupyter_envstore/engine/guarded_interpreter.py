"""A Python that uv asks about itself, in a sandbox: ``python -m jupyter_envstore.engine.guarded_interpreter FILE``.

uv runs the Python of an environment to learn where it installs packages (``get_interpreter_info.py`` in its source),
and then writes there itself. The Python is code of packages, so it runs in a sandbox, and it may say anything: what it
names outside its environment is refused, so that uv writes nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_envstore.engine.process_environment import package_environment
from jupyter_envstore.engine.sandbox import Reach, Sandbox, sandbox_of

SECONDS = 60.0
MOST_BYTES = 4 << 20
ASKED = re.compile(r'b"([^"\\]*/\.tmp[^"/\\]*)"')
"""In the code that uv gives: where its question lies."""


def write_guard(folder: Path, python: Path, cache: Path, sandbox: Sandbox) -> Path:
    """Write a program into ``folder`` that uv takes for ``python``; return it.

    Parameters
    ----------
    cache : Path
        uv's cache, where it puts its question.
    """
    told = folder / "guard.json"
    values = {
        "python": str(python),
        "cache": str(cache),
        "sandbox": sandbox.name,
        "reads": [str(path) for path in sandbox.reads],
        "store": str(sandbox.store or ""),
    }
    told.write_text(json.dumps(values), encoding="utf-8")
    program = folder / "python"
    words = f"exec '{sys.executable}' -I -m {__name__} '{told}'"
    program.write_text(f'#!/bin/sh\n{words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def ask(told: Path, arguments: list[str]) -> str:
    """Run the Python of an environment in its sandbox, and return what it says of itself.

    Raises
    ------
    ValueError
        It names a place outside its environment, or does not answer.
    """
    values = json.loads(told.read_text(encoding="utf-8"))
    python = Path(values["python"])
    prefix = python.parent.parent
    asked = [Path(found) for argument in arguments for found in ASKED.findall(argument)]
    cache = os.path.realpath(values["cache"])
    asked = [path for path in asked if os.path.realpath(path.parent) == cache]
    reach = Reach((prefix, *asked))
    command = sandbox_of(values["sandbox"], values["reads"], values["store"]).command(
        [str(python), *arguments], reach, Path("/")
    )
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        env=package_environment(),
    )
    text = done.stdout[:MOST_BYTES].decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except ValueError:
        said = done.stderr[-2000:].decode("utf-8", "replace").strip()
        msg = f"the Python of the environment does not answer: {said or done.returncode}"
        raise ValueError(msg) from None
    allowed = (str(prefix), os.path.realpath(prefix))
    for value in _texts(answer):
        if not _is_within(value, allowed) and value not in map(str, asked):
            msg = f"the Python of the environment names a place outside of it: {value[:200]}"
            raise ValueError(msg)
    return json.dumps(answer)


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)


def _is_within(text: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a text is no path, or one that stays in a prefix."""
    if ".." in text.split("/") or "\0" in text:
        return False
    return not text.startswith("/") or any(text == prefix or text.startswith(f"{prefix}/") for prefix in prefixes)


if __name__ == "__main__":
    try:
        print(ask(Path(sys.argv[1]), sys.argv[2:]))
    except (ValueError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(str(error))
