"""Conda packages and wheels written byte by byte, which say of themselves what no tool would write."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"


@dataclass
class Raw:
    """A conda package.

    Parameters
    ----------
    files : mapping
        What lies in it, and is listed.
    links : mapping
        Symbolic links in it, which are listed.
    listed : sequence
        More entries of ``info/paths.json``.
    index, link : mapping
        More of ``info/index.json``; ``info/link.json``.
    info : mapping
        More files of ``info``; None takes one away.
    unlisted : sequence of str
        Links that are not listed.
    """

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    listed: Sequence[Mapping[str, Any]] = ()
    depends: Sequence[str] = ()
    index: Mapping[str, Any] = field(default_factory=dict)
    link: Mapping[str, Any] | None = None
    info: Mapping[str, str | None] = field(default_factory=dict)
    version: str = "1.0"
    unlisted: Sequence[str] = ()

    def relisted(self, path: str, **entry: Any) -> Raw:
        """Return the package with a link listed as something else."""
        return replace(self, listed=[*self.listed, {"_path": path, **entry}], unlisted=(*self.unlisted, path))

    def aimed(self, victim: Path) -> Raw:
        """Return the package with ``/VICTIM`` as a folder of this machine."""

        def aim(text: str) -> str:
            return text.replace("/VICTIM", str(victim))

        return replace(
            self,
            links={path: aim(target) for path, target in self.links.items()},
            listed=[{k: aim(v) if isinstance(v, str) else v for k, v in entry.items()} for entry in self.listed],
            info={name: aim(text) if text else text for name, text in self.info.items()},
        )

    @property
    def file_name(self) -> str:
        """Name of the archive."""
        return f"{self.name}-{self.version}-0.tar.bz2"

    def write(self, channel: Path) -> dict[str, Any]:
        """Write the archive; return the record that a lock has of it."""
        folder = channel / "noarch"
        folder.mkdir(parents=True, exist_ok=True)
        index: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "build": "0",
            "build_number": 0,
            "subdir": "noarch",
        }
        index |= {"noarch": "generic", "depends": list(self.depends), **self.index}
        paths = [file_entry(path, text) for path, text in self.files.items()]
        paths += [{"_path": path, "path_type": "softlink"} for path in self.links if path not in self.unlisted]
        paths += [dict(entry) for entry in self.listed]
        info: dict[str, str | None] = {
            "index.json": json.dumps(index),
            "paths.json": json.dumps({"paths": paths, "paths_version": 1}),
            "link.json": json.dumps(self.link) if self.link else None,
            **self.info,
        }
        place = folder / self.file_name
        with tarfile.open(place, "w:bz2") as tar:
            members = {f"info/{name}": text for name, text in info.items() if text is not None} | dict(self.files)
            for path, text in members.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(text.encode()), 0o755 if path.startswith("bin/") else 0o644
                tar.addfile(entry, io.BytesIO(text.encode()))
            for path, target in self.links.items():
                entry = tarfile.TarInfo(path)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                tar.addfile(entry)
        return index | {
            "fn": self.file_name,
            "url": place.as_uri(),
            "channel": channel.as_uri(),
            "sha256": hashlib.sha256(place.read_bytes()).hexdigest(),
            "size": place.stat().st_size,
        }


def file_entry(path: str, text: str, **more: Any) -> dict[str, Any]:
    """Return what ``info/paths.json`` says of a file."""
    data = text.encode()
    entry: dict[str, Any] = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest()}
    entry |= {"size_in_bytes": len(data)}
    if PLACEHOLDER in text:
        entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
    return entry | more


def noarch_python(name: str, *entry_points: str, files: Mapping[str, str] | None = None) -> Raw:
    """Return a ``noarch: python`` package with these entry points."""
    link = {"noarch": {"type": "python", "entry_points": list(entry_points)}, "package_metadata_version": 1}
    contents = files if files is not None else {f"site-packages/{name}.py": "def main(): pass\n"}
    return Raw(name, contents, depends=["python"], index={"noarch": "python"}, link=link)


def wheel(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    entry_points: str = "",
    version: str = "1.0",
    group: str = "console_scripts",
) -> Path:
    """Write a wheel; its entry points are of one group."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if entry_points:
        contents[f"{info}/entry_points.txt"] = f"[{group}]\n{entry_points}\n"
    rows = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in contents.items()]
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in {**contents, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""])}.items():
            archive.writestr(path, text)
    return place


def locked_wheel(place: Path) -> dict[str, Any]:
    """Return what a lock has of a wheel."""
    name, version, *_ = place.name.split("-")
    data = place.read_bytes()
    return {
        "name": name,
        "version": version,
        "url": place.as_uri(),
        "filename": place.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "index": "",
        "dependencies": [],
    }


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
