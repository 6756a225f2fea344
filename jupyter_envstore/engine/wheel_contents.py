"""What a wheel holds, checked as a whole: its faults are told with package, index and path, not in uv's words alone.

The rules are those of PyPA's "Binary distribution format" and "Entry points specification", as far as uv keeps to them:
nothing is refused here that uv installs and that does no harm.
"""

from __future__ import annotations

import configparser
import csv
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from jupyter_envstore.engine.channels import redact, strip_credentials, strip_login
from jupyter_envstore.engine.path_rules import LONGEST, parents_of, path_fault
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import PypiEntry, PypiFile
from jupyter_envstore.spec.specification import PipOptions

DATA_KINDS = ("purelib", "platlib", "scripts", "data", "headers")
PROGRAM_GROUPS = ("console_scripts", "gui_scripts")
PROGRAM_NAME = re.compile(r"[^/\0-\x1f\x7f]+")
TARGET = re.compile(r"[\w.-]+\s*:\s*[\w.-]+\s*(?:\[.*\])?", re.DOTALL)
"""``module:function [extras]``; uv is content with names that Python would not import."""
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What :mod:`zipfile` raises of files that are not as they should be; names that are no UTF-8 are a ``ValueError``."""
RESERVED = re.compile(r"pythonw?\d*(?:\.\d+)*(?:\.exe)?")
"""Programs of Python itself, which uv lets no wheel have."""


def check_wheel(package: PypiFile, place: Path, thorough: bool = False) -> None:
    """Refuse a wheel that uv would refuse, or that has files where none may be.

    Parameters
    ----------
    place : Path
        The file.
    thorough : bool
        Whether the checksums of all its files are looked at, which reads them all.

    Raises
    ------
    PipError
        With package, index and path.
    OSError
        It cannot be read.
    """
    try:
        with zipfile.ZipFile(place) as wheel:
            for member in wheel.infolist():
                check_member(package, member.orig_filename)
            fault = next(_faults(package, wheel), "")
            broken = wheel.testzip() if thorough and not fault else None
    except DAMAGED as error:
        raise refused_wheel(package, f"its file is no ZIP archive, or is damaged ({error})") from None
    if broken is not None:
        fault = f"its {broken[:200]!r} is damaged: its checksum is wrong"
    if fault:
        raise refused_wheel(package, fault)


def check_member(package: PypiFile, name: str) -> None:
    """Refuse a file of a wheel that would lie elsewhere than its package's files.

    Raises
    ------
    PipError
        With package, file and path.
    """
    plain = name.rstrip("/")
    if fault := path_fault(plain, windows=True):
        raise refused_path(package, name, fault)
    top, _, rest = plain.partition("/")
    if top.endswith(".data"):
        kind, _, path = rest.partition("/")
        if kind == "data" and path and (fault := path_fault(path)):
            raise refused_path(package, name, fault)


def refused_path(package: PypiFile, path: str, fault: str) -> PipError:
    """Return the error that tells of a path of a wheel."""
    return refused_wheel(package, f"its path {path[:200]!r} {fault}")


def refused_wheel(package: PypiFile, fault: str) -> PipError:
    """Return the error for a wheel that cannot be installed, with its index."""
    return PipError(
        f"PyPI package {package['name']} {package['version']} ({package['filename']}, {index_of(package)}) is not "
        f"installed: {fault}; ask for another version of it, and tell whoever keeps the index"
    )


def index_of(package: PypiFile) -> str:
    """Return the index of a package without credentials; the folder of its file where no index is known."""
    said = str(package.get("index") or str(package.get("url") or "").rpartition("/")[0])
    return redact(strip_credentials(said)) or "PyPI"


def with_index(package: PypiEntry, options: PipOptions) -> PypiEntry:
    """Return a package with its index, where a lock has none and only one can be meant.

    A repository, and a file of another host than the index, may be a direct address that no index has.
    """
    if package["index"] or not options.index_url or options.extra_index_urls or options.find_links:
        return package
    place, index = urlsplit(package["url"]), urlsplit(options.index_url)
    if place.scheme not in ("http", "https") or place.hostname != index.hostname:
        return package
    return {**package, "index": strip_login(options.index_url)}


def _faults(package: PypiFile, wheel: zipfile.ZipFile) -> Iterator[str]:
    """Yield what is wrong with a wheel's files and with what it says of itself; what comes later relies on the rest."""
    names = [entry.orig_filename for entry in wheel.infolist()]
    yield from _doubles(wheel, names)
    tops = {name.partition("/")[0] for name in names if "/" in name}
    infos = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(infos) != 1:
        listed = f"several .dist-info folders: {', '.join(infos)[:200]}" if infos else "no .dist-info folder"
        yield f"it has {listed}"
        return
    info = infos[0]
    if not canonicalize_name(info).startswith(f"{canonicalize_name(package['name'])}-"):
        yield f"its folder {info[:200]!r} is that of another package"
    for name in ("METADATA", "WHEEL", "RECORD"):
        if f"{info}/{name}" not in names:
            yield f"it has no {info}/{name}"
            return
    yield from _metadata_faults(package, wheel, info)
    yield from _record_faults(wheel, f"{info}/RECORD")
    yield from _data_faults(names, f"{info.removesuffix('.dist-info')}.data")
    if f"{info}/entry_points.txt" in names:
        yield from (f"its {fault}" for fault in _entry_point_faults(wheel, f"{info}/entry_points.txt"))


def _doubles(wheel: zipfile.ZipFile, names: Sequence[str]) -> Iterator[str]:
    files = [name for name in names if not name.endswith("/")]
    both = sorted(parents_of(files) & set(files))
    if both:
        yield f"its path {both[0][:200]!r} is a file and a folder"
    sums: dict[str, tuple[int, int]] = {}
    for entry in wheel.infolist():
        found = (entry.CRC, entry.file_size)
        if sums.setdefault(entry.orig_filename, found) != found:
            yield f"its path {entry.orig_filename[:200]!r} is there several times, with other contents"


def _metadata_faults(package: PypiFile, wheel: zipfile.ZipFile, info: str) -> Iterator[str]:
    said = HeaderParser().parsestr(wheel.read(f"{info}/METADATA").decode(errors="replace"))
    name, version = said["Name"], said["Version"]
    if not name or not version:
        yield f"its {info}/METADATA has no {'Version' if name else 'Name'}"
    elif canonicalize_name(name) != canonicalize_name(package["name"]) or not _same(version, package["version"]):
        yield f"its {info}/METADATA is that of {name[:120]} {version[:120]}"
    about = HeaderParser().parsestr(wheel.read(f"{info}/WHEEL").decode(errors="replace"))
    wheel_version = str(about["Wheel-Version"] or "none")
    if not re.fullmatch(r"1(\.\d+)*", wheel_version.strip()):
        yield f"its {info}/WHEEL has Wheel-Version {wheel_version[:40]}, and 1 is what is known"


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _record_faults(wheel: zipfile.ZipFile, path: str) -> Iterator[str]:
    try:
        rows = list(csv.reader(io.StringIO(wheel.read(path).decode()), strict=True))
    except UnicodeDecodeError:
        yield f"its {path} is no text in UTF-8"
        return
    except csv.Error as error:
        yield f"its {path} cannot be read: {error}"
        return
    for number, row in enumerate(rows, 1):
        if row and (len(row) < 3 or not (row[2] == "" or row[2].isdecimal())):
            yield f"its {path} has a line that says nothing, line {number}: {','.join(row)[:120]!r}"


def _data_faults(names: Sequence[str], top: str) -> Iterator[str]:
    for name in names:
        kind, slash, path = name.removeprefix(f"{top}/").partition("/")
        if not name.startswith(f"{top}/") or not kind:
            continue
        if kind not in DATA_KINDS or not slash:
            yield f"its path {name[:200]!r} is of a kind that no wheel has; there are {', '.join(DATA_KINDS)}"
        elif kind == "scripts" and "/" in path.rstrip("/"):
            yield f"its path {name[:200]!r} is a program in a folder of its own"
        elif kind == "scripts" and RESERVED.fullmatch(path):
            yield f"its program {path[:200]!r} ({name[:200]}) has the name of one of Python's own"


def _entry_point_faults(wheel: zipfile.ZipFile, path: str) -> Iterator[str]:
    """Yield the entry points that cannot become programs, as uv sees it."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names are case sensitive
    try:
        parser.read_string(wheel.read(path).decode(), source=path)
    except UnicodeDecodeError:
        yield f"{path} is no text in UTF-8"
        return
    except configparser.Error as error:
        yield f"{path} cannot be read: {' '.join(str(error).split())[:300]}"
        return
    for group in PROGRAM_GROUPS:
        programs: Mapping[str, str] = parser[group] if parser.has_section(group) else {}
        for name, target in programs.items():
            line = f"entry point {f'{name} = {target}'[:200]!r} of {path}"
            if not PROGRAM_NAME.fullmatch(name) or name in (".", ".."):
                yield f"{line} is not valid: {name[:120]!r} is no name of a file"
            elif len(name.encode()) > LONGEST:
                yield f"{line} is not valid: its name has more than {LONGEST} bytes, which no file can have"
            elif RESERVED.fullmatch(name):
                yield f"{line} is not valid: {name!r} is one of Python's own programs"
            elif not TARGET.fullmatch(target):
                yield f"{line} is not valid; it should be name = module:function"
