"""What the benchmarks share: a channel, a full environment, and how results are printed.

Where thousands of files were deleted a while ago, ext4 takes up to forty times as long to make new ones: it passes over
inodes that were freed within the last minutes. Let ``TMPDIR`` be a folder in which nothing was deleted yet.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from jupyter_envstore.channel_maker.channel import make_channel
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.models import Build
from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import read_specification

CACHE = Path(__file__).parent.parent / ".cache"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def channel() -> str:
    """Return the address of a channel with some fifty real packages."""
    return make_channel(CACHE / "channel").path.as_uri()


def text(packages: str = "ipykernel, numpy, pandas, flask, pip") -> str:
    """Return an environment.yml of about forty packages."""
    return f"name: bench\nchannels: [{channel()}]\ndependencies: ['python={PYTHON}', {packages}]\n"


@contextmanager
def empty_store(worker_wait_seconds: float = 0.0) -> Iterator[EnvStore]:
    """Open an empty store in a short temporary folder."""
    root = Path(tempfile.mkdtemp(prefix="es-bench-"))
    store = EnvStore.open(StoreConfig(str(root), worker_wait_seconds=worker_wait_seconds))
    try:
        yield store
    finally:
        store.close()
        remove_tree(root)


def build(store: EnvStore, specification: str, name: str = "bench", whole: bool = True) -> dict[str, Any]:
    """Build, and return the view with the seconds to COMPLETED and to the last artifact."""
    started = time.perf_counter()
    reference = store.builds.submit(read_specification(specification), "default", name, "bench")
    completed = 0.0
    ready: dict[str, float] = {}
    ticked = 0.0
    while _status(store, reference.id) in UNSETTLED:  # one short query: who measures shall not be what is measured
        if time.perf_counter() - ticked > 0.1:
            store.scheduler.tick()
            ticked = time.perf_counter()
        time.sleep(0.005)
    while True:
        view = store.builds.show(reference.id)
        if not completed and view["status"] not in UNSETTLED:
            completed = time.perf_counter() - started
            assert view["status"] == COMPLETED, view["reason"]
        for artifact in view["artifacts"]:
            if artifact["state"] == "ready":
                ready.setdefault(artifact["type"], time.perf_counter() - started)
        if completed and (not whole or not store.builds.progress(reference.id)["busy"]):
            return {**view, "completed": completed, "ready": ready}
        time.sleep(0.02)
        store.scheduler.tick()


def _status(store: EnvStore, build_id: int) -> str:
    with store.database.read() as session:
        return str(session.scalar(select(Build.status).where(Build.id == build_id)))


def best(times: int, function: Callable[[], Any]) -> float:
    """Return the shortest of several runs, in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return min(taken)


def report(what: str, ours: float, unit: str, peer: str = "", theirs: float | None = None, bar: str = "") -> None:
    """Print one line: ours, the peer's beside it, and the ratio."""
    line = f"{what:<52} {ours:10.3f} {unit}"
    if theirs is not None:
        line += f"   {peer}: {theirs:.3f} {unit}   ratio {ours / theirs:.2f}"
    print(f"{line}   {bar}".rstrip(), flush=True)


def program(name: str) -> str:
    """Return the path of a program beside this Python."""
    found = Path(sys.executable).with_name(name)
    return str(found) if found.exists() else shutil.which(name) or name
