"""Files that uv leaves out of the wheels that it unpacks: their names would lead out of the package's folder.

uv says so in its log alone (``uv_extract``), without the name of the wheel; takes them out of the wheel's ``RECORD``;
and finds the rest in its cache afterwards. So the wheels are unpacked once more, each by itself, to see whose they are.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from jupyter_envstore.engine.path_rules import path_fault
from jupyter_envstore.engine.uv import find_uv, run_uv
from jupyter_envstore.engine.wheel_contents import refused_path
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import PypiEntry

SKIPPED = re.compile(r"^WARN Skipping unsafe file name: (.*)$", re.MULTILINE)
SECONDS = 600.0


def refuse_left_out(
    log: str,
    packages: Iterable[PypiEntry],
    cache_dir: Path,
    unpack: Callable[[PypiEntry, Path], str],
) -> None:
    """Refuse wheels that uv left files out of, and forget what it has of them in its cache.

    Parameters
    ----------
    log : str
        What uv wrote.
    packages : iterable of dict
        What it may have unpacked.
    cache_dir : Path
        Its cache.
    unpack : callable
        Lets uv unpack one package with an empty cache in the folder that it is given, and returns what it wrote.

    Raises
    ------
    PipError
        With the package, its file and the path.
    """
    skipped = SKIPPED.findall(log)
    if not skipped:
        return
    found: list[PipError] = []
    packages = list(packages)
    for package in packages:
        with tempfile.TemporaryDirectory(prefix="envstore-unpack-") as folder:
            names = SKIPPED.findall(unpack(package, Path(folder)))
        if names:
            # without waiting for others that install from the cache just now
            clean = [find_uv(), "cache", "clean", str(package["name"]), "--cache-dir", str(cache_dir), "--force"]
            run_uv(clean, SECONDS, "uv's cache cannot be cleaned")
            fault = path_fault(names[0].rstrip("/"), windows=True) or "leads out of where it belongs"
            found.append(refused_path(package, names[0], fault))
    if found:
        raise found[0]
    listed = ", ".join(str(package["name"]) for package in packages)
    msg = f"a file of a wheel leads out of where it belongs: {skipped[0][:200]!r}; it is one of {listed[:300]}"
    raise PipError(msg)
