"""What a shared object of Linux needs, read from its file without running anything.

The format: "Tool Interface Standard, Executable and Linking Format, version 1.2", and ``elf.h``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x7fELF"
LOAD, DYNAMIC = 1, 2
NEEDED, STRING_TABLE, RPATH, RUNPATH = 1, 5, 15, 29
MOST_ENTRIES = 10_000
MOST_BYTES = 4096
"""Of a name; paths of libraries are shorter."""


@dataclass(frozen=True)
class SharedObject:
    """What the loader reads of a file.

    Parameters
    ----------
    needed : tuple of str
        Names of libraries.
    rpath, runpath : tuple of str
        Where to look, ``$ORIGIN`` as it stands there.
    """

    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


def read_shared_object(path: Path) -> SharedObject | None:
    """Return what a file needs to be loaded; None where it is no program or shared object, or is damaged."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, struct.error, ValueError, IndexError):
        return None


def _read(file: BinaryIO) -> SharedObject | None:
    head = file.read(64)
    if len(head) < 52 or head[:4] != MAGIC or head[4] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if wide:
        (start,) = struct.unpack_from(f"{order}Q", head, 32)
        size, count = struct.unpack_from(f"{order}HH", head, 54)
    else:
        (start,) = struct.unpack_from(f"{order}I", head, 28)
        size, count = struct.unpack_from(f"{order}HH", head, 42)
    file.seek(start)
    table = file.read(size * count)
    loads: list[tuple[int, int, int]] = []
    dynamic = None
    for place in range(count):
        if wide:
            kind, _, offset, address, _, length = struct.unpack_from(f"{order}IIQQQQ", table, place * size)
        else:
            kind, offset, address, _, length = struct.unpack_from(f"{order}IIIII", table, place * size)
        if kind == LOAD:
            loads.append((address, offset, length))
        elif kind == DYNAMIC:
            dynamic = offset, length
    if dynamic is None:  # a static program needs nothing
        return SharedObject()
    return _dynamic(file, order, wide, loads, dynamic)


def _dynamic(
    file: BinaryIO, order: str, wide: bool, loads: list[tuple[int, int, int]], dynamic: tuple[int, int]
) -> SharedObject | None:
    entry = f"{order}qQ" if wide else f"{order}iI"
    size = struct.calcsize(entry)
    file.seek(dynamic[0])
    data = file.read(min(dynamic[1], size * MOST_ENTRIES))
    entries: list[tuple[int, int]] = []
    for tag, value in struct.iter_unpack(entry, data[: len(data) // size * size]):
        if tag == 0:
            break
        entries.append((tag, value))
    address = next((value for tag, value in entries if tag == STRING_TABLE), None)
    base = next((offset + address - start for start, offset, length in loads
                 if address is not None and start <= address < start + length), None)  # fmt: skip
    if base is None:
        return None

    def text(value: int) -> str:
        file.seek(base + value)
        return file.read(MOST_BYTES).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")

    def paths(wanted: int) -> tuple[str, ...]:
        return tuple(part for tag, value in entries if tag == wanted for part in text(value).split(":") if part)

    return SharedObject(
        tuple(text(value) for tag, value in entries if tag == NEEDED),
        paths(RPATH),
        paths(RUNPATH),
    )
