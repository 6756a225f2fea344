"""The archive beside the conda-pack command on the same prefix: time, size, peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import build, empty_store, program, report, text

OURS = r"""
import json, re, sys, time
from pathlib import Path
from jupyter_envstore.artifacts.archive import Archive
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.blobs import blob_store
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import BuildRecord
record = BuildRecord.from_bytes(Path(sys.argv[1]).read_bytes())
config = StoreConfig.from_text(sys.argv[2])
started = time.perf_counter()
staging = Path(sys.argv[3] + ".staging")
with open(sys.argv[3], "wb") as sink:
    blobs = blob_store(config)
    Archive().make(ArtifactRequest(record, sys.argv[4], sys.argv[5], config, blobs, staging, Silent(), None, {}), sink)
seconds = time.perf_counter() - started
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([seconds, peak]))
"""


def main() -> None:
    with empty_store() as store, tempfile.TemporaryDirectory() as folder:
        view = build(store, text())
        record = Path(folder) / "record"
        record.write_bytes(store.records.read(view["id"]).to_bytes())

        def ours(variant: str) -> tuple[float, float, int]:
            runs = []
            for number in range(3):
                target = Path(folder) / f"ours-{variant}-{number}"
                command = [
                    sys.executable,
                    "-c",
                    OURS,
                    str(record),
                    store.config.to_text(),
                    str(target),
                    view["platform"],
                    variant,
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs.append((*json.loads(done.stdout), target.stat().st_size))
            return min(runs)

        def theirs() -> tuple[float, int]:
            runs = []
            for number in range(3):
                target = Path(folder) / f"theirs-{number}.tar.gz"
                command = [program("conda-pack"), "--prefix", view["prefix"], "--output", str(target), "--quiet"]
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                runs.append((time.perf_counter() - started, target.stat().st_size))
            return min(runs)

        peer_time, peer_size = theirs()
        peer_memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        for variant in ("tar.gz", "tar.zst"):
            seconds, memory, size = ours(variant)
            bars = ("(bar: 0.22)", "(bar: 1.15)") if variant == "tar.gz" else ("", "")
            report(f"{variant}: time, linking included", seconds, "s", "conda-pack tar.gz", peer_time, bars[0])
            report(f"{variant}: size", size / 1e6, "MB", "conda-pack tar.gz", peer_size / 1e6, bars[1])
            report(
                f"{variant}: peak memory", memory / 1e6, "MB", "any child so far", peer_memory / 1e6, "(bar: 300 MB)"
            )


if __name__ == "__main__":
    main()
