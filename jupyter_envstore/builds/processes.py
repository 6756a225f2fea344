"""Processes of this host: who they are, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path


def this_host() -> str:
    """Return a name of this host that a reboot changes."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}:{boot[:8]}"
    return socket.gethostname()


def start_time(pid: int) -> str:
    """Return when a process started, in the system's own count; empty when there is none.

    Together with the number it tells one process from a later one (``starttime``, field 22 of proc_pid_stat(5)).
    """
    with contextlib.suppress(OSError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    if Path("/proc/self/stat").exists():
        return ""
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def is_alive(pid: int, started: str) -> bool:
    """Whether the process that was noted with this start time still runs."""
    return pid > 0 and bool(started) and start_time(pid) == started


def end_group(pid: int, started: str, patience: float = 2.0) -> bool:
    """End a process and its group: asked first, killed after ``patience`` seconds; False if it was not there.

    Where the process itself is gone already, what it started is ended too.
    """
    if not is_alive(pid, started):
        if pid > 0 and started and not start_time(pid):  # the number is free, so the group can only be its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while is_alive(pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    while is_alive(pid, started) and time.monotonic() < deadline + patience:
        time.sleep(0.02)
    return True
