"""Where workers run: behind servers and notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_envstore.builds.priority import NICENESS, give_way


@pytest.mark.skipif(sys.platform != "linux", reason="the process file system is Linux's")
def test_a_worker_gives_way_within_its_session_and_beside_others() -> None:
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        give_way(worker.pid)
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) >= NICENESS
        assert os.sched_getscheduler(worker.pid) == os.SCHED_BATCH
        group = Path(f"/proc/{worker.pid}/autogroup")
        if group.exists():  # the kernel's CONFIG_SCHED_AUTOGROUP
            assert group.read_text(encoding="ascii").split()[-2:] == ["nice", str(NICENESS)]
    finally:
        worker.communicate(b"\n")
    give_way(worker.pid)  # one that has ended is no trouble
