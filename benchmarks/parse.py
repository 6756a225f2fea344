"""Reading large lockfiles: ours beside PyYAML's C loader, conda-lock's models and rattler, on the same file in one run.

``python benchmarks/parse.py [FILE…]``; without files, a conda-lock.yml and a pixi.lock of about one megabyte are made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.repair import repair

HASHES = ("0123456789abcdef" * 2, "0123456789abcdef" * 4)


def conda_lock(count: int) -> str:
    """Return a conda-lock file of so many packages."""
    lines = ["version: 1", "metadata:", "  channels:", "  - url: c", "    used_env_vars: []"]
    lines += ["  platforms:", "  - linux-64", "  sources: []", "  content_hash: {}", "package:"]
    for number in range(count):
        name = f"package-{number}"
        lines += [f"- name: {name}", "  version: 1.2.3", "  manager: conda", "  platform: linux-64", "  dependencies:"]
        lines += [f"    package-{other}: '>=1.0,<2.0a0'" for other in range(max(0, number - 6), number)] or [
            "    a: ''"
        ]
        lines += [f"  url: https://host.example/c/linux-64/{name}-1.2.3-h0_0.conda", "  hash:"]
        lines += [f"    md5: {HASHES[0]}", f"    sha256: {HASHES[1]}", "  category: main", "  optional: false"]
    return "\n".join(lines) + "\n"


def pixi_lock(count: int) -> str:
    """Return a pixi.lock of so many packages in three environments."""
    urls = [f"https://host.example/c/linux-64/package-{number}-1.2.3-h0_0.conda" for number in range(count)]
    lines = ["version: 6", "environments:"]
    for environment in ("default", "docs", "test"):
        lines += [f"  {environment}:", "    channels:", "    - url: https://host.example/c/", "    packages:"]
        lines += ["      linux-64:", *(f"      - conda: {url}" for url in urls)]
    lines.append("packages:")
    for url in urls:
        lines += [f"- conda: {url}", f"  sha256: {HASHES[1]}", f"  md5: {HASHES[0]}", "  depends:"]
        lines += [f"  - package-{other} >=1.0,<2.0a0" for other in range(6)]
        lines += ["  license: MIT", "  purls: []", "  size: 12345", "  timestamp: 1700000000000"]
    return "\n".join(lines) + "\n"


def seconds(call: Callable[[], Any]) -> float:
    """Return the least time of three calls."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def compare(text: str, name: str) -> None:
    """Print what reading takes, as seconds and as a ratio to ours."""
    ours = seconds(lambda: read_specification(repair(text, name).text))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    others = {"PyYAML, C loader": seconds(lambda: yaml.load(text, Loader=loader))}  # noqa: S506  # a safe loader
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        if name.endswith("pixi.lock"):
            from rattler import LockFile

            others["rattler"] = seconds(lambda: LockFile.from_path(path))
        else:
            here = sys.path.pop(0)  # a module beside this one is called as a package that conda-lock needs
            from conda_lock.lockfile import parse_conda_lock_file

            sys.path.insert(0, here)

            others["conda-lock"] = seconds(lambda: parse_conda_lock_file(path))
    print(f"{name}, {len(text.encode()) / 2**20:.2f} MB: ours {ours:.3f} s, repaired and read")
    for other, taken in others.items():
        print(f"  {other}: {taken:.3f} s, {taken / ours:.2f} times ours")


if __name__ == "__main__":
    if sys.argv[1:]:
        for file in sys.argv[1:]:
            compare(Path(file).read_text(encoding="utf-8"), Path(file).name)
    else:
        compare(conda_lock(1800), "conda-lock.yml")
        compare(pixi_lock(1500), "pixi.lock")
