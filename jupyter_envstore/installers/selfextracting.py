"""The self-extracting installer: a POSIX shell script, and behind it the environment as a compressed tar file.

Nothing is solved, downloaded or compiled where it runs; the paths in the files are set by the environment's own Python.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from jupyter_envstore.engine.oldest_systems import least_versions
from jupyter_envstore.engine.prefix import write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.tarstream import TarStream, compressed
from jupyter_envstore.errors import ArtifactError
from jupyter_envstore.installers.activate import activate_at
from jupyter_envstore.installers.description import About
from jupyter_envstore.installers.payload import Contents, check_names, examine, packages_of, write_files

PREFIX = Path("/opt/envstore_installer_placeholder")
"""The path that the files of a payload hold: the same on every server."""
PLACEHOLDER = str(PREFIX)
OWN = "share/envstore-installer"
"""Folder of what the installer needs for itself."""
FLAGS = "-b -p PREFIX -f -u -s -t -C -h"
SYSTEMS = {
    "linux-64": ("Linux", "x86_64 amd64"),
    "linux-aarch64": ("Linux", "aarch64 arm64"),
    "linux-ppc64le": ("Linux", "ppc64le"),
    "linux-s390x": ("Linux", "s390x"),
    "linux-riscv64": ("Linux", "riscv64"),
    "osx-64": ("Darwin", "x86_64 arm64"),
    "osx-arm64": ("Darwin", "arm64"),
}
"""What ``uname`` says where a platform's programs run."""
LEGACY_TAGS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
"""Tags of wheels that do not name their glibc (PEP 513, 571, 599)."""
HEADER = ("begin.sh", "work.sh", "options.sh", "machine.sh", "target.sh", "install.sh")
"""The parts of the script in front of the payload."""
SLACK = 1.05
PIECE = 1 << 20
PARTS = 4
"""How many parts a payload has: as many as a small machine has processors. More make the file larger."""
FILE_WEIGHT = 20_000
"""Bytes that are unpacked in the time that an empty file takes."""


def write_support(prefix: Path, name: str) -> None:
    """Put the scripts into a staged environment that it is activated, tested and removed with."""
    own = prefix / OWN
    own.mkdir(parents=True, exist_ok=True)
    words = {"OWN": shlex.quote(OWN), "WORK": _script("work.sh")}
    write_new(own / "relocate.py", _script("relocate.py").encode())
    write_new(prefix / "uninstall.sh", _fill(_script("uninstall.sh"), words).encode(), 0o755)
    activate = prefix / "bin" / "activate"
    if not activate.exists():  # conda brings its own
        activate.parent.mkdir(exist_ok=True)
        write_new(activate, activate_at(PLACEHOLDER, name).encode())


def write_installer(
    prefix: Path, lock: PlatformLock, about: About, scratch: Path, sink: BinaryIO, progress: Progress
) -> None:
    """Write the installer of an environment that was linked as if it lay at :data:`PLACEHOLDER`.

    Parameters
    ----------
    scratch : Path
        A file for the payload, until its hash is known.

    Raises
    ------
    ArtifactError
        There is no such installer for its platform, or it needs a Python to set its paths and has none.
    """
    write_support(prefix, about.name)
    contents = examine(prefix, PLACEHOLDER)
    check_names(contents)
    check_python(prefix, lock, contents)
    own = prefix / OWN
    write_new(own / "relocations", "".join(relocation.line for relocation in contents.relocations).encode())
    listed = sorted({*contents.files, f"{OWN}/relocations", f"{OWN}/files"})
    write_new(own / "files", "".join(f"{_listed(prefix, path)}\n" for path in listed).encode())
    contents = replace(contents, files=tuple(listed))
    digest, ends = hashlib.sha256(), [0]
    with scratch.open("wb") as file:
        output = _Hashing(file, digest)
        parts = parts_of(prefix, contents.files)
        for part in parts:  # together, they are one tar file in one of gzip
            with compressed(output, "gz") as plain:
                tar = TarStream(plain)
                for done in write_files(prefix, replace(contents, files=part), tar):
                    progress.advance(done, len(part), "files")
                if part is parts[-1]:
                    tar.close()
            ends.append(file.tell())
    packed = Packed(digest.hexdigest(), tuple(end - start for start, end in itertools.pairwise(ends)), shared(parts))
    sink.write(header(lock, about, contents, packed))
    with scratch.open("rb") as file:
        while data := file.read(PIECE):
            sink.write(data)
    scratch.unlink()


def parts_of(prefix: Path, files: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the files in parts that take about as long to unpack; the installer unpacks them all at once."""
    weights = [os.lstat(f"{prefix}/{path}").st_size + FILE_WEIGHT for path in files]
    total, before = sum(weights), 0
    parts: list[list[str]] = [[] for _ in range(PARTS)]
    for path, weight in zip(files, weights, strict=True):
        parts[min(before * PARTS // total, PARTS - 1)].append(path)
        before += weight
    return [tuple(part) for part in parts if part]


def shared(parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the folders that have files of several parts; those above them are left out.

    Files are sorted, so all below a folder stand together: one that is shared lies across an end of a part.
    """
    ends = [(before[-1], behind[0]) for before, behind in itertools.pairwise(parts)]
    return tuple(os.path.commonpath([os.path.dirname(path) for path in end]) for end in ends)  # noqa: PTH120


@dataclass(frozen=True)
class Packed:
    """What follows the script: its SHA-256, the sizes of its parts, and the folders that have files of several."""

    digest: str
    sizes: tuple[int, ...]
    shared: tuple[str, ...]


def header(lock: PlatformLock, about: About, contents: Contents, packed: Packed) -> bytes:
    """Return the script in front of what is packed."""
    system, machines = SYSTEMS[about.platform]
    words = {
        "TITLE": about.name,
        "VERSION_LINE": about.version,
        "PLATFORM_LINE": about.platform,
        "DIGEST_LINE": packed.digest,
        "NAME": shlex.quote(about.name),
        "VERSION": shlex.quote(about.version),
        "PLATFORM": shlex.quote(about.platform),
        "DIGEST": packed.digest,
        "SYSTEM": system,
        "MACHINES": shlex.quote(machines),
        "LIBC": oldest_libc(lock),
        "MACOS": oldest_macos(lock),
        "SIZE_KB": str(int(contents.size * SLACK) // 1024 + 1024),
        "PARTS": shlex.quote(" ".join(map(str, packed.sizes))),
        "FOLDERS": "\n".join(f"./{folder}" for folder in packed.shared),
        "ENTRIES": str(len(contents.files)),
        "LONGEST": str(contents.longest),
        "PYTHON": shlex.quote(python_of(lock)),
        "PLACEHOLDER": shlex.quote(PLACEHOLDER),
        "OWN": shlex.quote(OWN),
        "WELCOME": _quoted(about.welcome),
        "LICENCE": _quoted(about.licence),
        "HAS_LICENCE": "1" if about.licence else "0",
    }
    template = "".join(map(_script, HEADER))
    words |= {"LINES": str(template_lines(template, words)), "HEADER": "0" * 64, "OFFSET": ""}
    for _ in range(4):  # the number's own length counts
        text = _fill(template, words).encode()
        if words["OFFSET"] == str(len(text) + 1):
            break
        words["OFFSET"] = str(len(text) + 1)
    words["HEADER"] = script_digest(text)
    return _fill(template, words).encode()


def template_lines(template: str, words: Mapping[str, str]) -> int:
    """Return how many lines the script has."""
    return _fill(template, {**words, "LINES": "", "HEADER": "", "OFFSET": ""}).count("\n")


def script_digest(script: bytes) -> str:
    """Return the SHA-256 of a script without the line that holds it."""
    lines = [line for line in script.splitlines(keepends=True) if not line.startswith(b"HEADER=")]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def check_python(prefix: Path, lock: PlatformLock, contents: Contents) -> None:
    """Refuse an environment with paths in machine code and nothing that could set them.

    Raises
    ------
    ArtifactError
        With the packages that hold them.
    """
    binary = {relocation.path for relocation in contents.relocations if relocation.binary}
    if lock.python is None and binary:
        names = ", ".join(packages_of(prefix, binary)[:5])
        msg = (
            f"{names} hold their path in machine code, which a self-extracting installer sets with the environment's "
            "own Python; it has none. Add python to it, or let constructor make it (installer_maker)"
        )
        raise ArtifactError(msg)


def check_platform(platform: str, here: str) -> None:
    """Refuse a platform that this machine cannot link for.

    Raises
    ------
    ArtifactError
        With the way out.
    """
    if platform == here and platform in SYSTEMS:
        return
    if platform in SYSTEMS:
        why = f"it carries the files of a linked environment, and this server, which is {here}, links for itself alone"
    else:
        why = "it is a shell script"
    msg = f"a self-extracting installer cannot be made for {platform}: {why}; constructor can (setting installer_maker)"
    raise ArtifactError(msg)


def python_of(lock: PlatformLock) -> str:
    """Return the path of the environment's Python in its prefix; empty where it has none."""
    if lock.python is None:
        return ""
    return f"bin/python{'.'.join(lock.python.split('.')[:2])}"


def oldest_libc(lock: PlatformLock) -> str:
    """Return the oldest glibc that all packages run with, by what conda's need and what wheels are tagged with.

    The tags are those of PEP 600; a wheel with several runs wherever one of them does.
    """
    found = [*least_versions(lock).get("__glibc", ())]
    for package in lock.pip:
        name = str(package.get("wheel", package)["filename"])
        tags = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)_", name)]
        tags += [version for tag, version in LEGACY_TAGS.items() if f"{tag}_" in name]
        found += [min(tags)] if tags else []
    return ".".join(map(str, max(found))) if found else ""


def oldest_macos(lock: PlatformLock) -> str:
    """Return the oldest macOS that all conda packages run on."""
    found = least_versions(lock).get("__osx", ())
    return ".".join(map(str, max(found))) if found else ""


def _listed(prefix: Path, path: str) -> str:
    """Return a path as it stands in the list that ``uninstall.sh`` goes through: empty folders end with a slash."""
    full = prefix / path
    return f"{path}/" if full.is_dir() and not full.is_symlink() else path


class _Hashing:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO, digest: hashlib._Hash) -> None:
        self._file = file
        self._digest = digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)


def _script(name: str) -> str:
    return (files("jupyter_envstore.installers") / "scripts" / name).read_text(encoding="utf-8")


def _fill(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@@([A-Z_]+)@@", lambda found: words[found[1]], text)


def _quoted(text: str) -> str:
    """Return text as it may stand in the here-documents of the script."""
    plain = "".join(char for char in text if char in "\n\t" or char.isprintable())
    return "\n".join(f" {line}" if line.startswith("ENVSTORE_") else line for line in plain.splitlines())
