"""Make conda packages of wheels."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from jupyter_envstore.demo.package import CondaPackage, write_package
from jupyter_envstore.demo.python_package import is_elf, patchelf
from jupyter_envstore.engine.about import about_metadata
from jupyter_envstore.engine.package_paths import check_entry_point
from jupyter_envstore.engine.wheel_paths import check_member
from jupyter_envstore.errors import PackageError, PipError


@dataclass(frozen=True)
class WheelTarget:
    """What the packages are made for: a full Python version and a platform such as ``linux-64``."""

    python: str
    subdir: str

    @property
    def minor(self) -> str:
        """``3.11`` of ``3.11.7``."""
        return ".".join(self.python.split(".")[:2])


DATA_HEADERS = re.compile(r"[^/]+\.data/headers/.")
BINARY_BUILD = 1
"""Build number of packages with shared objects; a package that is packed differently than before gets a new one."""


def package_wheel(wheel: Path, channel: Path, target: WheelTarget) -> tuple[Path, bool]:
    """Write ``wheel`` into ``channel`` as a conda package.

    Pure wheels become ``noarch: python``; others, and those with headers, which lie in a folder of their Python, are
    bound to the Python minor of ``target``. Returns the package's path, and whether it was written now: one that is
    there is kept.

    Raises
    ------
    PipError
        A file would lie elsewhere than the package's, or is of a kind that nobody knows.
    PackageError
        An entry point is none.
    """
    name, version, _, tags = parse_wheel_filename(wheel.name)
    pure = all(tag.platform == "any" for tag in tags) and not _has_headers(wheel)
    tag = f"py{target.minor.replace('.', '')}"
    number = 0 if pure else BINARY_BUILD
    build, subdir = (f"pyhd_{number}", "noarch") if pure else (f"{tag}_{number}", target.subdir)
    there = channel / subdir / f"{name}-{version}-{build}.conda"
    if there.exists():
        return there, False
    with tempfile.TemporaryDirectory(prefix="envstore-wheel-") as folder:
        root = Path(folder)
        site = root / "site-packages" if pure else root / "lib" / f"python{target.minor}" / "site-packages"
        headers = root / "include" / f"python{target.minor}" / str(name)
        metadata, entry_points = _unpack(wheel, root, site, headers)
        python = "python" if pure else f"python {target.minor}.*"
        package = CondaPackage(
            name=str(name),
            version=str(version).replace("-", "_"),
            build=build,
            build_number=number,
            subdir=subdir,
            files=root,
            depends=[_python_spec(python, metadata), *_depends(metadata, target)],
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


def _unpack(wheel: Path, root: Path, site: Path, headers: Path) -> tuple[Message, list[str]]:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            check_member({"name": name, "version": version, "filename": wheel.name}, entry.orig_filename)
        archive.extractall(site)
    info = next(site.glob("*.dist-info"))
    for data in site.glob("*.data"):
        for kind, destination in (
            ("purelib", site),
            ("platlib", site),
            ("scripts", root / "bin"),
            ("data", root),
            ("headers", headers),
        ):
            if (data / kind).is_dir():
                shutil.copytree(data / kind, destination, dirs_exist_ok=True)
                shutil.rmtree(data / kind)
        for other in sorted(data.iterdir()):
            msg = f"{wheel.name} has files of a kind that no wheel has: {data.name}/{other.name}; take another version"
            raise PipError(msg)
        shutil.rmtree(data)
    for script in (root / "bin").glob("*"):
        script.chmod(0o755)
    (info / "INSTALLER").write_text("conda\n", encoding="utf-8")
    metadata = message_from_string((info / "METADATA").read_text(encoding="utf-8"))
    try:
        return metadata, _entry_points(info / "entry_points.txt")
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


def _python_spec(python: str, metadata: Message) -> str:
    requires = metadata.get("Requires-Python")
    if python != "python" or not requires:
        return python
    bounds = [str(s) for s in SpecifierSet(str(requires)) if s.operator in (">=", ">", "<", "<=", "!=")]
    return f"python {','.join(sorted(bounds))}" if bounds else python


def _depends(metadata: Message, target: WheelTarget) -> list[str]:
    here = {key: str(value) for key, value in default_environment().items()}
    environment = here | {"python_version": target.minor, "python_full_version": target.python, "extra": ""}
    depends = []
    for text in metadata.get_all("Requires-Dist") or []:
        requirement = Requirement(str(text))
        wanted = requirement.marker is None or requirement.marker.evaluate(environment)
        if wanted:
            depends.append(f"{canonicalize_name(requirement.name)} {_conda_version(requirement.specifier)}".strip())
    return sorted(depends)


def _conda_version(specifier: SpecifierSet) -> str:
    parts = []
    for bound in sorted(specifier, key=str):
        if bound.operator == "===":
            parts.append(f"=={bound.version}")
        elif bound.operator == "==" and bound.version.endswith(".*"):
            parts.append(bound.version)
        else:
            parts.append(f"{bound.operator}{bound.version}")
    return ",".join(parts)


def _search_prefix_libraries(root: Path) -> None:
    """Let the wheel's shared objects and programs find the libraries that the prefix carries in ``lib/``.

    Where an object looks is written as ``RPATH``, which holds for what its libraries need, too, as those that wheels
    bundle want it. ``RUNPATH``, which patchelf writes otherwise, holds for the object's own needs alone (``ld.so(8)``).
    """
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and is_elf(path):
            up = os.path.relpath(root / "lib", path.parent)
            beside = ["$ORIGIN"] if up == "." or path.parent.suffix == ".libs" else []
            places = [*beside, *([f"$ORIGIN/{up}"] if up != "." else [])]
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
