"""From submit to COMPLETED and to the artifacts, beside what uv and conda-lock take for their part of the same work.

The peer for the whole is rattler alone, driven from a fresh Python: solve and install of the same packages into an
empty prefix with the same warm cache. It makes no record, no lock, no archive, and is not restartable.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import best, build, channel, empty_store, report, text

from jupyter_envstore.builds.local_executor import LocalExecutor
from jupyter_envstore.services.store import EnvStore

PEER = """
import asyncio, sys, rattler
async def main():
    system = rattler.VirtualPackage.detect()
    records = await rattler.solve([rattler.Channel(sys.argv[1])], sys.argv[4:], virtual_packages=system)
    await rattler.install(records, sys.argv[2], cache_dir=sys.argv[3], show_progress=False)
asyncio.run(main())
import os; os._exit(0)  # see cli.main.run
"""


def wait_for_worker(store: EnvStore) -> int:
    """Wait until the worker that waits is loaded, as it is soon behind the first job; return its own bytes (PSS)."""
    executor = store.scheduler.executor
    assert isinstance(executor, LocalExecutor)
    while not executor.waiting.usable():
        store.scheduler.tick()
        time.sleep(0.05)
    assert executor.waiting.process is not None
    memory = Path(f"/proc/{executor.waiting.process.pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss: +(\d+)", memory, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def built_alone(store: EnvStore) -> dict[str, Any]:
    """Build once, with the worker that waits, and nothing else going on."""
    wait_for_worker(store)
    return build(store, text())


def main() -> None:
    with empty_store(worker_wait_seconds=300.0) as store:
        cold = build(store, text())
        own = wait_for_worker(store)
        os.sync()  # else what was unpacked is still on its way to the disk while the first ones are timed
        cache = str(store.config.packages / "conda")
        specs = [
            f"python={sys.version_info.major}.{sys.version_info.minor}",
            "ipykernel",
            "numpy",
            "pandas",
            "flask",
            "pip",
        ]

        def peer() -> None:
            command = [sys.executable, "-c", PEER, channel(), tempfile.mkdtemp(), cache, *specs]
            subprocess.run(command, check=True)

        warm, peers = [], []
        for _ in range(7):  # in turn: what the machine does besides is the same for both
            warm.append(built_alone(store))
            peers.append(best(1, peer))
        theirs = min(peers)
        fastest = min(warm, key=lambda view: view["completed"])
        report("submit to COMPLETED, caches empty", cold["completed"], "s")
        report("submit to COMPLETED, caches warm", fastest["completed"], "s", "rattler alone", theirs, "(bar: 1.25)")
        print(f"  the worker that waits has {own / 1e6:.0f} MB of its own")
        last = min(max(view["ready"].values()) for view in warm)
        report("submit to lock, YAML and archive ready, warm", last, "s", bar="(bar: 6 s)")
        print(f"{fastest['packages']} packages; ready after: { {k: round(v, 2) for k, v in fastest['ready'].items()} }")


if __name__ == "__main__":
    main()
