"""Installers of real environments, and a place to run them that has nothing of this machine but its C library."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.record import BuildRecord
from tests.conftest import PYTHON
from tests.helpers import Store, opened_stores

NOBODY = 65_534
SCIENCE = f"""
name: science
description: Numbers and tables
channels: ['{{channel}}']
dependencies: [python={PYTHON}, numpy, flask, pip, {{{{pip: [cowsay]}}}}]
variables: {{{{GREETING: hello you}}}}
"""
"""An environment with conda packages, compiled ones among them, a PyPI package, entry points and a variable."""


@dataclass
class Made:
    """An installer, and the build that it was made of."""

    path: Path
    state: dict[str, Any]
    record: BuildRecord
    platform: str


def installer_of(store: Store, view: dict[str, Any], folder: Path, variant: str = "") -> Made:
    """Have the installer of a build made."""
    artifact = store.envstore.artifacts.request(view["id"], "installer", variant)
    store.wait(view["id"])
    state = store.envstore.artifacts.get(artifact)
    assert state["state"] == "ready", state["reason"]
    path = folder / state["file_name"]
    shutil.copyfile(store.envstore.artifacts.path(state["sha256"]), path)
    return Made(
        path, state, store.envstore.records.read(view["id"]), store.envstore.builds.show(view["id"])["platform"]
    )


@pytest.fixture(scope="session")
def store_with(package_cache: Path) -> Iterator[Callable[..., Store]]:
    """Make stores with settings of their own."""
    with opened_stores(package_cache) as make:

        def make_with(packages: Path, **settings: Any) -> Store:
            chosen = {"installer_maker": "self-extracting", "artifacts_at_once": [], **settings}
            return make(packages, settings=chosen)

        yield make_with


@pytest.fixture(scope="session")
def science(
    store_with: Callable[..., Store], package_cache: Path, channel: str, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """An installer with conda packages, compiled ones among them, a PyPI package, entry points and a variable."""
    store = store_with(package_cache)
    view = store.build(SCIENCE.format(channel=channel))
    assert view["status"] == "COMPLETED", view["reason"]
    return installer_of(store, view, tmp_path_factory.mktemp("installer"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder that everybody may use."""
    folder = Path(tempfile.mkdtemp(prefix="es-i-"))
    folder.chmod(0o777)
    yield folder
    remove_tree(folder)


def run(*command: str | Path, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a clean environment, and check its exit code."""
    more.setdefault("env", {})
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=120, **more
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def install(made: Made, prefix: Path, *options: str, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run an installer."""
    return run("/bin/sh", made.path, "-b", "-p", prefix, *options, code=code, **more)


class Island:
    """A root file system of busybox and this machine's C library, without a network, used by nobody."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run something in it."""
        process = f"--mount-proc={self.root}/proc"  # where the loader learns where a program lies
        inside = [
            "unshare",
            "--net",
            "--pid",
            "--fork",
            process,
            "chroot",
            f"--userspec={NOBODY}:{NOBODY}",
            str(self.root),
            *command,
        ]
        return run(*inside, code=code, env={"PATH": os.environ["PATH"]})


@pytest.fixture(scope="session")
def island(base: Path) -> Iterator[Island]:
    """The host's loader and libraries out of the base image, and busybox for everything else."""
    if os.geteuid() != 0:
        pytest.skip("needs root, who may change the root folder")
    busybox, unshare = shutil.which("busybox"), shutil.which("unshare")
    if busybox is None or unshare is None:
        pytest.skip("needs busybox and unshare")
    root = Path(tempfile.mkdtemp(prefix="es-island-"))
    root.chmod(0o755)
    for blob in sorted((base / "blobs" / "sha256").iterdir()):
        if blob.read_bytes()[:2] == b"\x1f\x8b":
            with tarfile.open(blob) as archive:
                archive.extractall(root, filter="fully_trusted")  # noqa: S202 - made by us
    for folder in ("usr/bin", "usr/sbin", "bin", "sbin"):
        real = root / folder
        if real.is_dir() and not real.is_symlink():
            for program in real.iterdir():
                program.unlink()
    (root / "usr" / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, root / "usr" / "bin" / "busybox")
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        link = root / "usr" / "bin" / name
        if not link.exists():
            link.symlink_to("busybox")
    if not (root / "bin").exists():
        (root / "bin").symlink_to("usr/bin")
    if not (root / "bin" / "sh").exists():
        (root / "bin" / "sh").symlink_to("/usr/bin/busybox")
    (root / "tmp").chmod(0o1777)
    for name, minor in (("null", 3), ("urandom", 9)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)
    yield Island(root)
    remove_tree(root)
