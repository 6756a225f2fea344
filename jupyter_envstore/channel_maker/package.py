"""Write a folder of files as a ``.conda`` package."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Level 19, the format's habit, takes a minute for 46 wheels; this is a channel for one site, not for the world.
COMPRESSION_LEVEL = 3


@dataclass
class CondaPackage:
    """A package about to be written.

    Parameters
    ----------
    name, version, build : str
        As they stand in the file name.
    subdir : str
        Platform folder of the channel, ``noarch`` or for example ``linux-64``.
    depends : list of str
        Match specs.
    files : Path
        Folder that holds the package's files as they lie in a prefix.
    placeholders : dict of str to (str, str)
        Relative path to its prefix placeholder and file mode (``text`` or ``binary``).
    entry_points : list of str
        ``name = module:function`` lines of a ``noarch: python`` package.
    """

    name: str
    version: str
    build: str
    subdir: str
    files: Path
    depends: list[str] = field(default_factory=list)
    placeholders: dict[str, tuple[str, str]] = field(default_factory=dict)
    entry_points: list[str] = field(default_factory=list)
    noarch_python: bool = False
    about: dict[str, str] = field(default_factory=dict)
    build_number: int = 0

    @property
    def stem(self) -> str:
        """File name without its extension."""
        return f"{self.name}-{self.version}-{self.build}"


def write_package(package: CondaPackage, channel: Path) -> Path:
    """Write ``package`` into its platform folder of ``channel``; return the file's path."""
    from conda_package_streaming.create import conda_builder

    folder = channel / package.subdir
    folder.mkdir(parents=True, exist_ok=True)
    info = package.files / "info"
    info.mkdir(exist_ok=True)
    paths = [_path_entry(package, path) for path in _files(package.files)]
    _write_json(info / "paths.json", {"paths_version": 1, "paths": paths})
    _write_json(info / "index.json", _index(package))
    _write_json(info / "about.json", package.about)
    if package.noarch_python:
        noarch = {
            "noarch": {"type": "python", "entry_points": package.entry_points},
            "package_metadata_version": 1,
        }
        _write_json(info / "link.json", noarch)
    (info / "files").write_text("".join(f"{entry['_path']}\n" for entry in paths), encoding="utf-8")

    members = [*_files(package.files), *sorted(p for p in info.rglob("*") if p.is_file())]
    with conda_builder(package.stem, folder, compression_level=COMPRESSION_LEVEL) as tar:
        for path in members:
            tar.add(path, str(path.relative_to(package.files)), recursive=False, filter=_anonymous)
    return folder / f"{package.stem}.conda"


def _files(root: Path) -> list[Path]:
    found = (p for p in root.rglob("*") if p.is_symlink() or p.is_file())
    return sorted(p for p in found if p.relative_to(root).parts[0] != "info")


def _path_entry(package: CondaPackage, path: Path) -> dict[str, Any]:
    name = path.relative_to(package.files).as_posix()
    if path.is_symlink():
        data = path.resolve().read_bytes() if path.exists() else b""
        return {"_path": name, "path_type": "softlink", "sha256": _sha256(data), "size_in_bytes": len(data)}
    data = path.read_bytes()
    entry = {"_path": name, "path_type": "hardlink", "sha256": _sha256(data), "size_in_bytes": len(data)}
    if name in package.placeholders:
        placeholder, mode = package.placeholders[name]
        entry |= {"prefix_placeholder": placeholder, "file_mode": mode}
    return entry


def _index(package: CondaPackage) -> dict[str, Any]:
    index: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": package.build_number,
        "depends": package.depends,
        "subdir": package.subdir,
        "license": package.about.get("license", ""),
    }
    if package.noarch_python:
        index["noarch"] = "python"
    if package.subdir != "noarch":
        index["platform"], _, index["arch"] = package.subdir.partition("-")
    return index


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, sort_keys=True), encoding="utf-8")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
