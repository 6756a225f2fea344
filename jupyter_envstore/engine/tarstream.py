"""A tar stream whose bytes depend on names and contents alone, compressed while it is written."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol, cast

EPOCH = 315_532_800
"""1980-01-01: the earliest time that zip files can hold, since people put unpacked files into some."""
MAX_OCTAL = 0o77777777777
EMPTY_TAIL = bytes(tarfile.BLOCKSIZE - 265)
"""User, group, device numbers: none."""
ZEROS = bytes(tarfile.BLOCKSIZE)
CHUNK = 1 << 20
SMALL = 64 << 10
GZIP_LEVEL = 3
"""Of layers, which are made once and pulled often."""
STREAM_LEVEL = 2
"""Of whole environments: a third less time than level 3, for files that are three hundredths larger."""
ZSTD_LEVEL = 3
THREADS = 2


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes) -> int:
        """Write ``data``."""


class TarStream:
    """Writes entries one after the other; owner, times and modes are the same everywhere."""

    def __init__(self, output: Sink) -> None:
        self._output = output
        self._size = 0

    def add_file(self, path: Path | str, name: str, status: os.stat_result | None = None) -> None:
        """Add a file, a symbolic link or an empty folder.

        Parameters
        ----------
        status : os.stat_result or None
            What ``lstat`` says of ``path``, where that is known.
        """
        status = status or os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            self._header(name, tarfile.SYMTYPE, 0o777, 0, os.readlink(path))  # noqa: PTH115 - thousands of files
        elif stat.S_ISDIR(status.st_mode):
            self._header(f"{name}/", tarfile.DIRTYPE, 0o755, 0)
        else:
            self._file(path, name, status)

    def _file(self, path: Path | str, name: str, status: os.stat_result) -> None:
        left = status.st_size
        start = header(name, tarfile.REGTYPE, _mode(status.st_mode), left)
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a file object takes longer than most files do
        try:
            if left < SMALL:  # most are: a call for each part takes longer than the file
                data = os.read(file, left)
                left -= len(data)
                self._write(b"%b%b%b" % (start, data, _padding(status.st_size)))
            else:
                self._write(start)
                while left and (data := os.read(file, min(left, CHUNK))):
                    self._write(data)
                    left -= len(data)
                self._write(_padding(status.st_size))
        finally:
            os.close(file)
        if left:
            msg = f"{name} became shorter while it was read"
            raise OSError(msg)

    def add_bytes(self, data: bytes, name: str, executable: bool = False) -> None:
        """Add a file with this content."""
        self._header(name, tarfile.REGTYPE, 0o755 if executable else 0o644, len(data))
        self._write(data)
        self._write(_padding(len(data)))

    def add_folder(self, name: str, mode: int = 0o755) -> None:
        """Add a folder, whether or not there is one."""
        self._header(f"{name}/", tarfile.DIRTYPE, mode, 0)

    def add_link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._header(name, tarfile.SYMTYPE, 0o777, 0, target)

    def close(self) -> None:
        """End the stream: two empty blocks, filled up to a record (POSIX.1-1988, ustar)."""
        self._write(b"\0" * (2 * tarfile.BLOCKSIZE))
        self._write(b"\0" * (-self._size % tarfile.RECORDSIZE))

    def _header(self, name: str, kind: bytes, mode: int, size: int, target: str = "") -> None:
        self._write(header(name, kind, mode, size, target))

    def _write(self, data: bytes) -> None:
        self._output.write(data)
        self._size += len(data)


def header(name: str, kind: bytes, mode: int, size: int, target: str = "") -> bytes:
    """Return the header of an entry, in GNU's format.

    The same bytes as ``tarfile`` writes, several times as fast: a prefix has tens of thousands.
    """
    path, link = os.fsencode(name), os.fsencode(target)
    if size > MAX_OCTAL:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, size, target, EPOCH
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    long_link = _long(link, tarfile.GNUTYPE_LONGLINK) if len(link) > tarfile.LENGTH_LINK else b""
    long_name = _long(path, tarfile.GNUTYPE_LONGNAME) if len(path) > tarfile.LENGTH_NAME else b""
    return long_link + long_name + _block(path, kind, mode, size, EPOCH, link)


def _long(name: bytes, kind: bytes) -> bytes:
    """Return an entry that holds a name or target for the one behind it (GNU tar's manual, "Basic Tar Format")."""
    data = name + b"\0"
    return _block(b"././@LongLink", kind, 0, len(data), 0, b"") + data + _padding(len(data))


def _padding(size: int) -> bytes:
    """Return what fills the last block behind ``size`` bytes."""
    return ZEROS[: -size % tarfile.BLOCKSIZE]


def _block(path: bytes, kind: bytes, mode: int, size: int, moment: int, link: bytes) -> bytes:
    path, link = path[: tarfile.LENGTH_NAME], link[: tarfile.LENGTH_LINK]
    numbers = b"%07o\x000000000\x000000000\x00%011o\x00%011o\x00" % (mode, size, moment)
    after = b"%b%bustar  \x00" % (kind, link.ljust(tarfile.LENGTH_LINK, b"\x00"))
    checksum = sum(path) + sum(numbers) + sum(after) + 8 * ord(" ")  # what is filled with zeros adds nothing
    return b"%b%b%06o\x00 %b%b" % (path.ljust(tarfile.LENGTH_NAME, b"\x00"), numbers, checksum, after, EMPTY_TAIL)


@contextlib.contextmanager
def compressed(sink: Sink, kind: str) -> Iterator[Sink]:
    """Open a file that compresses what is written to it into ``sink``; ``kind`` is ``gz`` or ``zst``."""
    if kind == "gz":
        from isal import igzip_threaded

        file: Any = igzip_threaded.open(
            _File(sink), "wb", compresslevel=STREAM_LEVEL, threads=THREADS, block_size=CHUNK
        )
        raw: Any = file.detach()  # chunks need no buffer
    else:
        from zstandard import ZstdCompressor

        compressor = ZstdCompressor(level=ZSTD_LEVEL, threads=THREADS)
        raw = compressor.stream_writer(cast(IO[bytes], _File(sink)), closefd=False)
    with raw:
        chunks = _Chunks(raw)
        yield chunks
        chunks.flush()


class _Chunks:
    """Hands on what is written in pieces of up to a chunk, without copying what is one already."""

    def __init__(self, output: Sink) -> None:
        self.output = output
        self.parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        if self.size + len(data) > CHUNK:
            self.flush()
        self.parts.append(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        if self.parts:
            self.output.write(b"".join(self.parts))
            self.parts, self.size = [], 0


class _File(io.RawIOBase):
    """A sink as a file object."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self.sink.write(bytes(data))


def _mode(mode: int) -> int:
    return 0o755 if mode & 0o111 else 0o644
