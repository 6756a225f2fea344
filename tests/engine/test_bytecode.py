"""Byte code in a prefix: linked, copied, replaced, whatever is there already."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from jupyter_envstore.engine import bytecode
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.errors import PackageError


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


def test_a_disk_that_is_full_leaves_no_half_file_in_the_cache(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    folder = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    library = prefix / folder / "site-packages"
    library.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    (library / "large.py").write_text("".join(f"name_{n} = {n}\n" for n in range(5000)))
    source = str((library / "large.py").relative_to(prefix))
    unit = bytecode.CompileUnit("large", "0" * 64, (source,))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(PackageError, match="File too large"):
            bytecode._compile(prefix, [unit], tmp_path / "cache", folder, Silent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, previous)
    assert not list((tmp_path / "cache").rglob("*.pyc"))
    bytecode._compile(prefix, [unit], tmp_path / "cache", folder, Silent())
    assert list((tmp_path / "cache").rglob("large*.pyc"))
