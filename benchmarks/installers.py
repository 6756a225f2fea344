"""Installers: how fast they are made and run, how large they are. The peer is constructor, where there is one on PATH.

The peer makes its installer of the same packages; what it carries beside them, conda-standalone, is part of its size.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from common import build, empty_store, report, text

from jupyter_envstore.engine.prefix import remove_tree, tree_size
from jupyter_envstore.services.store import EnvStore

RUNS = 3


def make(store: EnvStore, build_id: int, maker: str) -> dict[str, Any]:
    """Have the installer made anew; return its state."""
    store.settings.change({"installer_maker": maker, "installer_extras": False}, (), "bench")
    artifact = store.artifacts.request(build_id, "installer")
    while store.builds.progress(build_id)["busy"]:
        store.scheduler.tick()
        time.sleep(0.02)
    state = store.artifacts.get(artifact)
    assert state["state"] == "ready", state["reason"]
    return state


def forget(store: EnvStore, state: dict[str, Any]) -> None:
    """Lose an installer, so that it is made again."""
    store.artifacts.path(state["sha256"]).unlink()


def install(path: Path, folder: Path) -> float:
    """Run an installer; return the seconds that it took."""
    prefix = folder / "installed"
    started = time.perf_counter()
    subprocess.run(
        ["/bin/sh", str(path), "-b", "-p", str(prefix)],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    seconds = time.perf_counter() - started
    remove_tree(prefix)
    return seconds


def measure(store: EnvStore, build_id: int, maker: str, folder: Path) -> tuple[float, float, int, dict[str, Any]]:
    """Return the seconds of making and of installing, each the best of some, the bytes, and the state."""
    made, installed = [], []
    path = folder / f"{maker}.sh"
    for _ in range(RUNS):
        state = make(store, build_id, maker)
        made.append(float(state["duration"]))
        shutil.copyfile(store.artifacts.path(state["sha256"]), path)
        installed.append(install(path, folder))
        forget(store, state)
    return min(made), min(installed), path.stat().st_size, state


def main() -> None:
    """Print all figures."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    with empty_store() as store:
        view = build(store, text())
        total, _ = tree_size(Path(view["prefix"]))
        ours = measure(store, view["id"], "self-extracting", folder)
        theirs = measure(store, view["id"], "constructor", folder) if shutil.which("constructor") else None
        peer = "constructor" if theirs else ""
        what = f"of {view['packages']} packages, {total / 1e6:.0f} MB with byte code"
        report(f"installer {what}: made", ours[0], "s", peer, theirs and theirs[0], "(bar: 4 s)")
        report("  installed", ours[1], "s", peer, theirs and theirs[1], "(bar: 4 s)")
        report("  size", ours[2] / 1e6, "MB", peer, theirs and theirs[2] / 1e6, "(bar: ratio 1.1)")
        if theirs:
            print(f"  constructor {theirs[3]['tools']['constructor']}, its own time included in 'made'")
        else:
            print("  constructor is not on PATH: no peer")
    remove_tree(folder)


if __name__ == "__main__":
    main()
