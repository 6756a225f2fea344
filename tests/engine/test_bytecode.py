"""Byte code in a prefix: linked, copied, replaced, whatever is there already."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from jupyter_envstore.engine import bytecode
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.errors import PackageError
from tests.helpers import Told

FOLDER = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = f"{FOLDER}/site-packages"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Compiled file in the cache, and where it shall lie."""
    (tmp_path / "cache.pyc").write_bytes(b"compiled")
    return str(tmp_path / "cache.pyc"), str(tmp_path / "prefix.pyc")


def test_it_is_linked_and_doing_it_again_changes_nothing(files: tuple[str, str]) -> None:
    compiled, target = files
    for _ in range(2):
        bytecode._place(compiled, target)
        assert Path(target).samefile(compiled)


def test_what_a_kernel_wrote_is_replaced(files: tuple[str, str]) -> None:
    compiled, target = files
    Path(target).write_bytes(b"written by a kernel")
    bytecode._place(compiled, target)
    assert Path(target).samefile(compiled)


def test_where_links_cannot_be_made_it_is_copied_once(files: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, target = files

    def refuse(source: str, destination: str) -> None:
        if Path(destination).exists():
            raise FileExistsError(17, "File exists")
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)  # a second file system cannot be had without root
    for _ in range(2):
        bytecode._place(compiled, target)
        assert Path(target).read_bytes() == b"compiled"
    assert Path(target).stat().st_nlink == 1


def test_a_source_that_did_not_compile_is_passed_over(files: tuple[str, str]) -> None:
    bytecode._place(files[0] + "-missing", files[1])
    assert not Path(files[1]).exists()


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A prefix with this Python and two packages of one module each."""
    prefix = tmp_path / "prefix"
    (prefix / LIBRARY).mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    for name in ("first", "second"):
        (prefix / LIBRARY / f"{name}.py").write_text(f"name = {name!r}\n")
    return prefix


def unit_of(name: str) -> bytecode.CompileUnit:
    """Return the package with the module ``name``."""
    return bytecode.CompileUnit(name, hashlib.sha256(name.encode()).hexdigest(), (f"{LIBRARY}/{name}.py",))


@pytest.mark.parametrize("is_made", [True, False], ids=["made", "given-up"])
def test_what_another_build_compiles_is_waited_for(prefix: Path, tmp_path: Path, is_made: bool) -> None:
    """While it compiles one package, the other is compiled here; if it ends without result, this is done here, too."""
    root = tmp_path / "bytecode" / "cpython"
    root.mkdir(parents=True)
    first, second = unit_of("first"), unit_of("second")
    told = Told()
    compiling = threading.Thread(
        target=bytecode._compile, args=(prefix, [first, second], root, FOLDER, Unbounded(), told)
    )
    with contextlib.ExitStack() as other:
        assert bytecode._claim(root, first, other, wait=False)
        compiling.start()
        deadline = time.monotonic() + 60
        while not told.lines:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert told.lines == ["waiting for another build that compiles first"]
        assert list(bytecode._folder(root, second).rglob("second*.pyc"))
        assert not bytecode._folder(root, first).exists()
        if is_made:
            bytecode._folder(root, first).mkdir(parents=True)
    compiling.join(60)
    assert not compiling.is_alive()
    assert bool(list(bytecode._folder(root, first).rglob("first*.pyc"))) is not is_made
    assert list((tmp_path / "bytecode" / bytecode.CLAIMS).iterdir()) == []


def test_a_disk_that_is_full_leaves_no_half_file_in_the_cache(prefix: Path, tmp_path: Path) -> None:
    (prefix / LIBRARY / "large.py").write_text("".join(f"name_{n} = {n}\n" for n in range(5000)))
    unit = bytecode.CompileUnit("large", "0" * 64, (f"{LIBRARY}/large.py",))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(PackageError, match="File too large"):
            bytecode._compile(prefix, [unit], tmp_path / "cache", FOLDER, Unbounded(), Silent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, previous)
    assert not list((tmp_path / "cache").rglob("*.pyc"))
    bytecode._compile(prefix, [unit], tmp_path / "cache", FOLDER, Unbounded(), Silent())
    assert list((tmp_path / "cache").rglob("large*.pyc"))
