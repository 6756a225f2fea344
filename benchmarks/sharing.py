"""What a second environment costs on disk, beside a virtual environment of the same wheels (which shares nothing)."""

from __future__ import annotations

import shutil
from pathlib import Path

from common import build, empty_store, report, text

from jupyter_envstore.engine.prefix import tree_size


def main() -> None:
    with empty_store() as store:
        before = 0
        for number, packages in enumerate(("ipykernel, numpy, pandas, flask, pip", "ipykernel, numpy, pandas, pip")):
            view = build(store, text(packages), f"e{number}")
            used = disk_usage(store.config.builds, store.config.packages)
            report(f"environment {number + 1}: disk used by prefixes and caches", (used - before) / 1e6, "MB")
            before = used
        total, own = tree_size(Path(view["prefix"]))
        report("second environment: its own bytes", own / 1e6, "MB", "its size", total / 1e6, "(bar: 0.10)")
        copy = store.config.root / "copy"
        shutil.copytree(view["prefix"], copy, symlinks=True)
        report("the same as plain files", tree_size(copy)[0] / 1e6, "MB")


def disk_usage(*folders: Path) -> int:
    """Return the bytes of all files below ``folders``, each inode once."""
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            status = path.lstat()
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


if __name__ == "__main__":
    main()
