"""What an installer carries: a linked environment, and which of its files hold the path that they lie at."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.conda_meta import META, cleaned, owners_of
from jupyter_envstore.engine.prefix import walk_files
from jupyter_envstore.engine.tarstream import TarStream
from jupyter_envstore.errors import ArtifactError

SHEBANG = 127
"""Bytes of a script's first line that Linux reads (execve(2); newer kernels take 255)."""
BLOCK = 4096


@dataclass(frozen=True)
class Relocation:
    """A file that holds its prefix.

    Parameters
    ----------
    binary : bool
        Whether strings keep their length, filled up with zeros.
    room : int
        Bytes that a prefix may have in it: as many as its package left.
    sha256 : str
        Of the file as it is in the payload, where conda's record of its package has it; else ``-``.
    """

    path: str
    binary: bool
    room: int
    sha256: str

    @property
    def line(self) -> str:
        """A line of the list that the installer reads."""
        return f"{'b' if self.binary else 't'} {self.room} {self.sha256} {self.path}\n"


@dataclass(frozen=True)
class Contents:
    """The files of an environment, sorted, and what has to be done to them on another path.

    Parameters
    ----------
    size : int
        Bytes that they take on a disk.
    longest : int
        Bytes that the path of the environment may have.
    """

    files: tuple[str, ...]
    relocations: tuple[Relocation, ...]
    size: int
    longest: int


def examine(prefix: Path, placeholder: str) -> Contents:
    """Look at every file of ``prefix``, which was linked as if it lay at ``placeholder``."""
    known = _known(prefix)
    needle = placeholder.encode()
    files, found, size, first_line = [], [], 0, len(needle)
    for path in sorted(path for path, _ in walk_files(prefix)):
        full = f"{prefix}/{path}"
        info = os.lstat(full)
        files.append(path)
        size += -(-info.st_size // BLOCK) * BLOCK
        entry = known.get(path)
        if not stat.S_ISREG(info.st_mode) or path.endswith(".pyc"):
            continue
        if entry is not None and not entry.get("prefix_placeholder") and not path.startswith("bin/"):
            continue  # conda says that there is none in it
        is_meta = path.startswith(META) and path.endswith(".json")
        data = cleaned(full) if is_meta else Path(full).read_bytes()
        if needle not in data:
            continue
        declared = entry or {}
        binary = declared.get("file_mode") == "binary" or (not declared.get("file_mode") and b"\0" in data)
        room = len(declared.get("prefix_placeholder") or placeholder) if binary else 0
        digest = hashlib.sha256(data).hexdigest()
        in_meta = digest in (declared.get("sha256_in_prefix"), declared.get("sha256"))
        found.append(Relocation(path, binary, room, digest if in_meta else "-"))
        line = data.partition(b"\n")[0]
        if not binary and line.startswith(b"#!") and needle in line:
            first_line = max(first_line, len(line) + 1)
    longest = min([SHEBANG - (first_line - len(needle)), *(r.room for r in found if r.binary)])
    return Contents(tuple(files), tuple(found), size, longest)


def write_files(prefix: Path, contents: Contents, tar: TarStream) -> Iterator[int]:
    """Write the files into ``tar``; yield how many are done, now and then."""
    for place, path in enumerate(contents.files):
        full = f"{prefix}/{path}"
        if path.startswith(META) and path.endswith(".json"):
            tar.add_bytes(cleaned(full), path)
        else:
            tar.add_file(full, path)
        if place % 500 == 0:
            yield place


def check_names(contents: Contents) -> None:
    """Refuse names that no list can hold.

    Raises
    ------
    ArtifactError
        A file's name has a line's end in it.
    """
    odd = [path for path in contents.files if "\n" in path or "\r" in path]
    if odd:
        msg = f"a file is called {odd[0][:80]!r}, with a line's end in its name, which an installer cannot list"
        raise ArtifactError(msg)


def packages_of(prefix: Path, paths: set[str]) -> list[str]:
    """Return the names of the conda packages that brought files."""
    return sorted(set(owners_of(prefix, paths).values()))


def _known(prefix: Path) -> dict[str, dict[str, Any]]:
    """Return what conda knows of each file that a package brought."""
    found: dict[str, dict[str, Any]] = {}
    for meta in sorted((prefix / META).glob("*.json")):
        for entry in json.loads(meta.read_bytes()).get("paths_data", {}).get("paths", ()):
            found[entry["_path"]] = entry
    return found
