"""From submit to COMPLETED and to the artifacts, beside what uv and conda-lock take for their part of the same work.

The peer for the whole is rattler alone, driven from a fresh Python: solve and install of the same packages into an
empty prefix with the same warm cache. It makes no record, no lock, no archive, and is not restartable.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from common import best, build, channel, empty_store, report, text

PEER = """
import asyncio, sys, rattler
async def main():
    system = rattler.VirtualPackage.detect()
    records = await rattler.solve([rattler.Channel(sys.argv[1])], sys.argv[4:], virtual_packages=system)
    await rattler.install(records, sys.argv[2], cache_dir=sys.argv[3], show_progress=False)
asyncio.run(main())
import os; os._exit(0)  # see cli.main.run
"""


def main() -> None:
    with empty_store() as store:
        cold = build(store, text())
        warm = [build(store, text()) for _ in range(3)]
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

        theirs = best(3, peer)
        fastest = min(warm, key=lambda view: view["completed"])
        report("submit to COMPLETED, caches empty", cold["completed"], "s")
        report("submit to COMPLETED, caches warm", fastest["completed"], "s", "rattler alone", theirs, "(bar: 3 s)")
        last = min(max(view["ready"].values()) for view in warm)
        report("submit to lock, YAML and archive ready, warm", last, "s", bar="(bar: 6 s)")
        print(f"{fastest['packages']} packages; ready after: { {k: round(v, 2) for k, v in fastest['ready'].items()} }")


if __name__ == "__main__":
    main()
