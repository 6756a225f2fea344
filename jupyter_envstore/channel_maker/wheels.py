"""Make conda packages of wheels."""

from __future__ import annotations

import configparser
import contextlib
import errno
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from pathlib import Path

from packaging.utils import parse_wheel_filename

from jupyter_envstore.channel_maker.package import CondaPackage, write_package
from jupyter_envstore.channel_maker.python_package import is_elf, patchelf
from jupyter_envstore.channel_maker.wheel_requirements import (
    WheelTarget,
    asks_for_extras,
    depends,
    python_spec,
    wheel_metadata,
)
from jupyter_envstore.engine.package_metadata import about_metadata
from jupyter_envstore.engine.path_rules import check_entry_point, parents_of
from jupyter_envstore.engine.wheel_contents import check_member
from jupyter_envstore.errors import PackageError, PipError

DATA_HEADERS = re.compile(r"[^/]+\.data/headers/.")
BINARY_BUILD = 1
"""Build number of packages with shared objects; a package that is packed differently than before gets a new one."""


OWN_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.EIO})
"""What this machine is to blame for, not a wheel."""


def package_wheel(
    wheel: Path, channel: Path, target: WheelTarget, beside: Mapping[str, Message] | None = None
) -> tuple[Path, bool]:
    """Write ``wheel`` into ``channel`` as a conda package.

    Pure wheels become ``noarch: python``; others, and those with headers, which lie in a folder of their Python, are
    bound to the Python minor of ``target``. Returns the package's path, and whether it was written now: one that is
    there is kept.

    Parameters
    ----------
    beside : mapping or None
        What the wheels that are packed with it say of themselves, by names: what their extras stand for.

    Raises
    ------
    PipError
        A file would lie elsewhere than the package's, or is of a kind that nobody knows; or the wheel is none.
    PackageError
        An entry point is none.
    """
    with _faults_told(wheel):
        return _package(wheel, channel, target, beside or {})


@contextlib.contextmanager
def _faults_told(wheel: Path) -> Iterator[None]:
    """Tell what is wrong with a wheel with its name, and the way out."""
    try:
        yield
    except OSError as error:
        if error.errno in OWN_FAULTS:
            raise
        place, why = error.filename, error.strerror
        if isinstance(error, shutil.Error):  # a list of source, destination and reason
            _, place, why = error.args[0][0]
            why = re.sub(r"^\[Errno \d+\] |: '.*'$", "", str(why))
        fault = f"{Path(str(place)).name[:200]!r}: {why}" if place else str(why or error)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        fault = f"it cannot be unpacked ({error})"
    except (ValueError, configparser.Error) as error:
        fault = " ".join(str(error).split())[:300]
    else:
        return
    msg = f"{wheel.name} cannot be made a package: {fault}; take another version"
    raise PipError(msg)


def _package(wheel: Path, channel: Path, target: WheelTarget, beside: Mapping[str, Message]) -> tuple[Path, bool]:
    name, version, _, tags = parse_wheel_filename(wheel.name)
    metadata = wheel_metadata(wheel)
    pure = all(tag.platform == "any" for tag in tags) and not _has_headers(wheel)
    tag = f"py{target.minor.replace('.', '')}"
    number = (0 if pure else BINARY_BUILD) + asks_for_extras(metadata, target)
    build, subdir = (f"pyhd_{number}", "noarch") if pure else (f"{tag}_{number}", target.subdir)
    there = channel / subdir / f"{name}-{version}-{build}.conda"
    if there.exists():
        return there, False
    with tempfile.TemporaryDirectory(prefix="envstore-wheel-") as folder:
        root = Path(folder)
        site = root / "site-packages" if pure else root / "lib" / f"python{target.minor}" / "site-packages"
        headers = root / "include" / f"python{target.minor}" / str(name)
        entry_points = _unpack(wheel, root, site, headers)
        python = "python" if pure else f"python {target.minor}.*"
        package = CondaPackage(
            name=str(name),
            version=str(version).replace("-", "_"),
            build=build,
            build_number=number,
            subdir=subdir,
            files=root,
            depends=[python_spec(python, metadata), *depends(str(name), metadata, target, beside)],
            entry_points=entry_points,
            noarch_python=pure,
            placeholders={},
            about=_about(metadata),
        )
        if not pure:
            _search_prefix_libraries(root)
            package.placeholders = _write_entry_points(root, entry_points)
        return write_package(package, channel), True


def _about(metadata: Message) -> dict[str, str]:
    """Return what a wheel says of itself, by conda-build's names."""
    found = about_metadata(metadata)
    values = {
        "license": metadata.get("License-Expression"),
        "summary": found["summary"],
        "home": found["home"],
        "doc_url": found["documentation"],
        "dev_url": found["source"],
    }
    return {key: str(value or "") for key, value in values.items()}


def _has_headers(wheel: Path) -> bool:
    with zipfile.ZipFile(wheel) as archive:
        return any(DATA_HEADERS.match(name) for name in archive.namelist())


def _check_names(wheel: Path, names: Sequence[str]) -> None:
    """Refuse files that no folder can have together, or that would lie elsewhere."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    for member in names:
        check_member({"name": name, "version": str(version), "filename": wheel.name}, member)
    files = [member for member in names if not member.endswith("/")]
    both = sorted(parents_of(files) & set(files))
    if both:
        msg = f"{both[0][:200]!r} is a file and a folder in it"
        raise ValueError(msg)


def _copy(source: str, destination: str) -> str:
    """Copy a file; not into a folder of its name, as ``shutil`` would."""
    if Path(destination).is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a file and a folder in it")
    return shutil.copy2(source, destination)


def _unpack(wheel: Path, root: Path, site: Path, headers: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        _check_names(wheel, [entry.orig_filename for entry in archive.infolist()])
        archive.extractall(site)
    info = next(site.glob("*.dist-info/METADATA")).parent
    for data in site.glob("*.data"):
        for kind, destination in (
            ("purelib", site),
            ("platlib", site),
            ("scripts", root / "bin"),
            ("data", root),
            ("headers", headers),
        ):
            if (data / kind).is_dir():
                shutil.copytree(data / kind, destination, dirs_exist_ok=True, copy_function=_copy)
                shutil.rmtree(data / kind)
        for other in sorted(data.iterdir()):
            msg = f"{wheel.name} has files of a kind that no wheel has: {data.name}/{other.name}; take another version"
            raise PipError(msg)
        shutil.rmtree(data)
    for script in (root / "bin").glob("*"):
        script.chmod(0o755)
    (info / "INSTALLER").write_text("conda\n", encoding="utf-8")
    try:
        return _entry_points(info / "entry_points.txt")
    except PackageError as error:
        msg = f"{wheel.name}: its {error}; take another version"
        raise PackageError(msg) from None


def _entry_points(path: Path) -> list[str]:
    if not path.exists():
        return []
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names are case sensitive
    parser.read(path, encoding="utf-8")
    programs: dict[str, str] = {}
    for group in ("gui_scripts", "console_scripts"):  # the same where there are terminals only
        programs.update(parser[group] if parser.has_section(group) else {})
    lines = [f"{name} = {target.split('[')[0].strip()}" for name, target in programs.items()]
    for line in lines:
        check_entry_point(line)
    return lines


def _search_prefix_libraries(root: Path) -> None:
    """Let the wheel's shared objects and programs find the libraries that the prefix carries in ``lib/``.

    Where an object looks is written as ``RPATH``, which holds for what its libraries need, too, as those that wheels
    bundle want it. ``RUNPATH``, which patchelf writes otherwise, holds for the object's own needs alone (``ld.so(8)``).
    What has no such list, as an object file, stays as it is; what cannot be loaded is told at the end.
    """
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and is_elf(path):
            up = os.path.relpath(root / "lib", path.parent)
            beside = ["$ORIGIN"] if up == "." or path.parent.suffix == ".libs" else []
            places = [*beside, *([f"$ORIGIN/{up}"] if up != "." else [])]
            with contextlib.suppress(subprocess.CalledProcessError):  # none that a linker made, or cut off
                patchelf("--force-rpath", "--add-rpath", ":".join(places), path)


def _write_entry_points(root: Path, entry_points: list[str]) -> dict[str, tuple[str, str]]:
    placeholder = "/opt/envstore_placeholder_" + "x" * 180
    placeholders = {}
    for line in entry_points:
        name, _, target = (part.strip() for part in line.partition("="))
        module, _, function = target.partition(":")
        script = root / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            f"#!{placeholder}/bin/python\nimport sys\nfrom {module} import {function.split('.')[0]}\n"
            f"if __name__ == '__main__':\n    sys.exit({function}())\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
        placeholders[f"bin/{name}"] = (placeholder, "text")
    for script in (root / "bin").glob("*"):
        data = script.read_bytes()
        if data.startswith(b"#!python"):
            script.write_bytes(f"#!{placeholder}/bin/python".encode() + data[len(b"#!python") :])
            placeholders[f"bin/{script.name}"] = (placeholder, "text")
    return placeholders
