"""Import modules with an environment's own Python, one after the other in one process, and tell what fails."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.engine.last_output import with_last_words
from jupyter_envstore.engine.sandbox import Reach, Sandbox

# Runs in the environment's own Python, which is told the modules at its input. Answers go to a copy of its output, as
# modules print; and only the process that was started answers, as modules fork. What a module wants done at the end of
# Python is not waited for. Before each module a mark is written where modules complain, so that one is not told with
# the words of another.
IMPORTER = """
import importlib, json, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
most, hard = int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_DATA)[1]
resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
mark = sys.argv[2].encode()
modules = json.load(sys.stdin)
own = os.getpid()
sys.argv = ["python"]
for module in modules:
    reason = None
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    try:
        os.write(2, mark)
    except OSError:
        pass
    try:
        importlib.import_module(module)
    except BaseException as error:
        try:
            text = str(error).strip().splitlines() or [""]
        except BaseException:
            text = [""]
        reason = type(error).__name__ + (": " + (text[0] if len(text) < 4 else text[-1]) if text[0] else "")
    if os.getpid() != own:
        os._exit(0)
    answers.write(json.dumps([module, reason and reason[:1000]]) + "\\n")
    answers.flush()
os._exit(0)
"""
MODULE_SECONDS = 60.0
"""How long one module may take. The first import of a large one from a slow disk takes some ten seconds."""
ALL_SECONDS = 300.0
MEMORY = 8 * 2**30
"""Bytes of memory of its own that the process may have."""
LONGEST = 1 << 16
MOST_READS = 64
SAID = 1 << 16
"""Bytes of what a module says that are looked at, the last ones."""
STRANGE = "it writes where Python's answers are"


@dataclass(frozen=True)
class FailedImport:
    """A module that cannot be imported, and the reason: of its error, or of how Python ended and what was said last."""

    module: str
    reason: str


def import_modules(
    prefix: Path,
    modules: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    sandbox: Sandbox,
    seconds: float = MODULE_SECONDS,
) -> Iterator[FailedImport]:
    """Import ``modules`` and yield those that fail; behind one that ends the process or hangs, another process goes on.

    Parameters
    ----------
    prefix : Path
        The environment.
    modules : sequence of str
        Dotted names.
    environment : mapping of str to str
        The variables of the activated environment.
    folder : Path
        Where it runs; what modules leave behind stays there.
    sandbox : Sandbox
        What bounds them.
    seconds : float
        How long one module may take.
    """
    deadline = time.monotonic() + ALL_SECONDS
    left = list(modules)
    while left:
        done, reason = 0, ""
        for module, failed in _run(prefix, left, environment, folder, sandbox, seconds, deadline):
            if module is None:
                reason = failed or ""
                break
            done += 1
            if failed:
                yield FailedImport(module, failed)
        if done < len(left):
            yield FailedImport(left[done], reason)
        left = left[done + 1 :]


def _run(
    prefix: Path,
    modules: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    sandbox: Sandbox,
    seconds: float,
    deadline: float,
) -> Iterator[tuple[str | None, str | None]]:
    """Yield each module that was tried with its fault; at last, where it ended too early, None with the reason."""
    said = _Said()
    command = [str(prefix / "bin" / "python"), "-c", IMPORTER, str(MEMORY), said.mark]
    with subprocess.Popen(
        sandbox.command(command, Reach((prefix,), (folder,)), folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101 - pipes were asked for
        try:
            process.stdin.write(json.dumps(list(modules)).encode())
            process.stdin.close()
        except BrokenPipeError:  # what ended it is told below
            pass
        try:
            yield from _answers(process.stdout.fileno(), process.stderr.fileno(), said, modules, seconds, deadline)
        finally:
            _end_group(process.pid)
        said.read_rest(process.stderr.fileno())
        code = sandbox.ended(process.wait())
    ended = f"it ends Python with signal {-code}" if code < 0 else f"it ends Python with code {code}"
    yield None, with_last_words(ended, said.of_module)


class _Said:
    """What modules say, of which the last part is kept: everything is read, so that none of them waits to be heard."""

    def __init__(self) -> None:
        self.mark = f"\n{uuid.uuid4().hex}\n"
        self._data = b""

    @property
    def of_module(self) -> bytes:
        """What the module said that is tried."""
        return self._data.rpartition(self.mark.encode())[2]

    def read(self, file: int) -> bool:
        """Read what is there; return False at the end."""
        more = os.read(file, SAID)
        self._data = (self._data + more)[-2 * SAID :]
        return bool(more)

    def read_rest(self, file: int) -> None:
        """Read what is there without waiting for more: a process that was left behind may hold it open."""
        for _ in range(MOST_READS):
            if not select.select([file], [], [], 0)[0] or not self.read(file):
                return


def _answers(
    output: int, errors: int, said: _Said, modules: Sequence[str], seconds: float, deadline: float
) -> Iterator[tuple[str | None, str | None]]:
    data, done = b"", 0
    files = [output, errors]
    limit = max(0.0, min(seconds, deadline - time.monotonic()))
    until = time.monotonic() + limit
    while done < len(modules):
        readable, _, _ = select.select(files, [], [], max(0.0, until - time.monotonic()))
        if errors in readable and not said.read(errors):
            files.remove(errors)
        if output not in readable:
            if time.monotonic() < until:
                continue
            yield None, with_last_words(f"it does not end within {limit:.0f} s", said.of_module)
            return
        limit = max(0.0, min(seconds, deadline - time.monotonic()))
        until = time.monotonic() + limit
        more = os.read(output, 65536)
        if not more:
            return
        *lines, data = (data + more).split(b"\n")
        for line in lines:
            answer = _answer(line)
            if answer is None or answer[0] != modules[done]:
                yield None, STRANGE
                return
            done += 1
            yield answer
        if len(data) > LONGEST:
            yield None, STRANGE
            return


def _answer(line: bytes) -> tuple[str, str | None] | None:
    """Read an answer; None for what is none: a module may have written there."""
    try:
        module, reason = json.loads(line)
    except (ValueError, TypeError):
        return None
    if isinstance(module, str) and (reason is None or isinstance(reason, str)):
        return module, reason
    return None


def _end_group(pid: int) -> None:
    """End what the modules started, too."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
