"""Processes that code of packages leaves behind: known by an environment variable, wherever they went.

A process group is not enough: what starts a session of its own (kernels, daemons, the process that imports modules)
outlives the worker whose group is ended. What it starts inherits its variables. On Linux, where one can see them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

JOB_MARK = "JUPYTER_ENVSTORE_JOB"
"""The variable that all processes of a job have; its value is the job's own folder."""
ROUNDS = 100
PAUSE = 0.02


def job_mark() -> dict[str, str]:
    """Return the variable that marks this process's job, for processes whose variables are made anew."""
    return {JOB_MARK: os.environ[JOB_MARK]} if os.environ.get(JOB_MARK) else {}


def end_strays(variable: str, value: str) -> int:
    """End all processes that were started with a variable, but for this one; return how many there were.

    It looks again until there are none: what forks meanwhile is found, too.
    """
    needle = os.fsencode(f"{variable}={value}")
    ended: set[int] = set()
    for _ in range(ROUNDS):
        found = _marked(needle)
        if not found:
            break
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        ended.update(found)
        time.sleep(PAUSE)
    return len(ended)


def _marked(needle: bytes) -> list[int]:
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():  # noqa: PTH112, PTH208
        if entry.isdigit() and int(entry) != os.getpid():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/environ", "rb") as file:  # noqa: PTH123
                if needle in file.read().split(b"\0"):
                    found.append(int(entry))
    return found
