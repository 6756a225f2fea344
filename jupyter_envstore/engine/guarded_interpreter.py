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
from typing import NoReturn

from jupyter_envstore.engine.bounded_run import run_bounded
from jupyter_envstore.engine.prefix import is_within
from jupyter_envstore.engine.process_environment import package_environment
from jupyter_envstore.engine.sandbox import Reach, Sandbox, sandbox_of

SECONDS = 60.0
PLACES = (
    "sys_base_prefix", "sys_base_exec_prefix", "sys_prefix", "sys_base_executable", "sys_executable", "sys_path",
    "site_packages", "stdlib", "scheme",
)  # fmt: skip
"""What uv takes for places, in the answer."""
KEYS = ("platlib", "purelib", "include", "scripts", "data")
"""The names of the places of ``scheme``."""
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
    done = run_bounded(command, package_environment(), Path("/"), SECONDS)
    text = done.stdout.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        said = done.stderr[-2000:].decode("utf-8", "replace").strip()
        msg = f"the Python of the environment does not answer: {said or done.returncode}"
        raise ValueError(msg) from None
    _check(answer, prefix, tuple(map(str, asked)))
    return json.dumps(answer)


def _check(answer: object, prefix: Path, asked: tuple[str, ...]) -> None:
    """Refuse an answer that names a place outside of an environment.

    What uv takes for places must be absolute, and lead into the environment on the disk, too: uv runs elsewhere, so a
    relative path would be anywhere. Below ``virtualenv`` they are relative to what uv makes itself.

    Raises
    ------
    ValueError
        It does.
    """
    if not isinstance(answer, dict):
        msg = "the Python of the environment does not answer as Pythons do"
        raise ValueError(msg)
    allowed = (str(prefix), os.path.realpath(prefix))
    places = [value for key in PLACES for value in _texts(answer.get(key))]
    for value in _texts(answer):
        if value not in asked and not _is_within(value, allowed):
            _refuse(value)
    for value in places:
        if value not in asked and value not in KEYS and not (value.startswith("/") and is_within(prefix, f"{value}/x")):
            _refuse(value)


def _refuse(value: str) -> NoReturn:
    msg = f"the Python of the environment names a place outside of it: {value[:200]}"
    raise ValueError(msg)


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
