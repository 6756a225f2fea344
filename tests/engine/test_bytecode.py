"""Byte code in a prefix: linked, copied, replaced, whatever is there already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_envstore.engine import bytecode


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
