"""Solving at conda-forge's scale: a synthetic channel of 30,000 names and 1,000,000 records.

Time and peak memory of a solve in a fresh process, indexes not yet read and read before, beside rattler alone.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import report

NAMES, RECORDS = 30_000, 1_000_000
OURS = r"""
import json, re, sys, time
from pathlib import Path
from jupyter_envstore.engine.solve import solve
started = time.perf_counter()
solution = solve(sys.argv[3:], [sys.argv[1]], "linux-64", Path(sys.argv[2]))
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([time.perf_counter() - started, peak, len(solution.records)]))
"""
PEER = r"""
import asyncio, json, re, sys, time, rattler
started = time.perf_counter()
gateway = rattler.Gateway(cache_dir=sys.argv[2])
channels = [rattler.Channel(sys.argv[1])]
records = asyncio.run(rattler.solve(channels, sys.argv[3:], gateway=gateway, platforms=["linux-64", "noarch"]))
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([time.perf_counter() - started, peak, len(records)]))
"""


def make_channel(folder: Path) -> None:
    """Write the index of a channel whose packages do not exist: 33 records a name, a handful of dependencies each."""
    chance = random.Random(7)  # noqa: S311
    packages = {}
    for number in range(NAMES):
        name = f"package-{number}"
        # most packages need what most others need: Python, a few libraries
        needs = sorted({int(number * chance.random() ** 6) for _ in range(min(6, number))}) if number else []
        for record in range(RECORDS // NAMES):
            version = f"{record // 3 + 1}.{record % 3}.0"
            depends = [f"package-{other} >={chance.randrange(1, 4)}.0" for other in needs]
            packages[f"{name}-{version}-h{record:04x}_0.conda"] = {
                "name": name,
                "version": version,
                "build": f"h{record:04x}_0",
                "build_number": 0,
                "depends": depends,
                "subdir": "linux-64",
                "size": 100_000,
                "sha256": f"{number * 1000 + record:064x}",
                "md5": f"{number * 1000 + record:032x}",
                "timestamp": 1_700_000_000_000,
                "license": "BSD-3-Clause",
            }
    for subdir, content in (("linux-64", packages), ("noarch", {})):
        (folder / subdir).mkdir()
        index = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": content, "repodata_version": 1}
        (folder / subdir / "repodata.json").write_text(json.dumps(index))


def run(code: str, *arguments: str) -> tuple[float, float, int]:
    """Run a program in a fresh Python; return seconds, peak memory in MB, number of packages."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    seconds, memory, count = json.loads(done.stdout)
    return seconds, memory, count


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        channel = Path(folder) / "channel"
        channel.mkdir()
        started = time.perf_counter()
        make_channel(channel)
        size = (channel / "linux-64" / "repodata.json").stat().st_size
        print(
            f"channel made in {time.perf_counter() - started:.0f} s, index {size / 1e6:.0f} MB, {os.cpu_count()} cores"
        )
        specs = [f"package-{number}" for number in (29_999, 25_000, 20_000, 15_000, 10_000)]
        for state in ("cold", "warm"):
            ours = run(OURS, channel.as_uri(), str(Path(folder) / "ours"), *specs)
            peer = run(PEER, channel.as_uri(), str(Path(folder) / "peer"), *specs)
            report(f"solve, {state}: {ours[2]} packages", ours[0], "s", "rattler alone", peer[0])
            report(f"solve, {state}: peak memory", ours[1], "MB", "rattler alone", peer[1], "(bar: 1000 MB)")


if __name__ == "__main__":
    main()
