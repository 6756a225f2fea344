"""How workers give way to servers and notebooks."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICENESS = 10


def give_way(pid: int) -> None:
    """Let servers and notebooks go before a worker, whenever they have something to do.

    Where Linux shares processors out among sessions, a process's niceness counts only within its own one, and each
    worker has one: the session's is set too (``sched(7)``, "The autogroup feature").
    """
    with contextlib.suppress(OSError, AttributeError):  # macOS has no such policies
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError, AttributeError):  # it ended already, or is nicer by its administrator's word
        os.setpriority(os.PRIO_PROCESS, pid, max(NICENESS, os.getpriority(os.PRIO_PROCESS, pid)))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(f"{NICENESS}\n", encoding="ascii")
