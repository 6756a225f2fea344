"""Our tar headers are those of the standard library, to the byte."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_envstore.engine.tarstream import EPOCH, header

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=140)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE])


@given(NAMES, KINDS, st.sampled_from([0o644, 0o755, 0o777]), st.integers(0, 2**40), NAMES)
def test_a_header_is_what_tarfile_writes(name: str, kind: bytes, mode: int, size: int, target: str) -> None:
    name = f"{name}/" if kind == tarfile.DIRTYPE else name
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, size, target, EPOCH
    assert header(name, kind, mode, size, target) == info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


@pytest.mark.parametrize("length", [99, 100, 101, 255])
def test_names_of_any_length_are_read_back(length: int) -> None:
    name = "n" * length
    stream = io.BytesIO(header(name, tarfile.REGTYPE, 0o644, 0) + bytes(1024))
    assert tarfile.open(fileobj=stream).getnames() == [name]  # noqa: SIM115 - nothing to close
