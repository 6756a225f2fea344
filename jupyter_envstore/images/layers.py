"""How the packages of an environment become layers that images share.

One layer for each package where it pays, and the tail together, as nixpkgs' layered images do (popularity within the
closure, times size). Which packages share a layer follows from the environment alone, so two stores make the same
image; what most others need lies lowest, so that clients, which compare chains of layers, share as much as they can.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_envstore.blobs.interface import BlobStore, BlobWriter
from jupyter_envstore.engine.byte_code_paths import source_path
from jupyter_envstore.engine.conda_meta import META, cleaned
from jupyter_envstore.engine.dependencies import dependencies, with_dependencies
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.engine.path_rules import parents_of
from jupyter_envstore.engine.prefix import walk_files
from jupyter_envstore.engine.record import PlatformLock, package_hash
from jupyter_envstore.engine.tarstream import CHUNK, GZIP_LEVEL, TarStream
from jupyter_envstore.images.known_layers import FORMAT
from jupyter_envstore.images.oci import Layer, LayerCache, canonical
from jupyter_envstore.spec.lock_entries import CondaEntry

THREADS = 2
OTHER_LAYERS = 2
"""Layers beside those of conda packages: of PyPI packages, and of the environment's own files."""


@dataclass(frozen=True)
class Linked:
    """How an environment was linked: which of its files need no second look.

    A file of a conda package is what its package brought, if the package alone claims it, nothing changed it since it
    was linked (its change time, which nobody can set), and nobody wrote into it in the cache (its modification time,
    which packages set to long ago, is before the package was unpacked).

    Parameters
    ----------
    moment : int
        When the conda packages had been linked, by the file system's clock, in nanoseconds.
    cache : Path
        The package cache.
    compiled : mapping
        Byte code that was linked out of the cache: its path, to the hash of the package that it is of.
    """

    moment: int
    cache: Path
    compiled: Mapping[str, str]

    def unpacked(self, record: CondaEntry) -> int:
        """Return when a package was unpacked, in nanoseconds; 0 where that cannot be told."""
        try:
            return (self.cache / f"{cache_name(record)}.lock").stat().st_mtime_ns
        except OSError:
            return 0


@dataclass
class Group:
    """What becomes one layer, and what it is.

    Parameters
    ----------
    files : dict
        Its files relative to the prefix, with what ``lstat`` says of them.
    seed : list
        What else its bytes depend on, as JSON: hashes of packages, versions.
    expected : dict
        SHA-256 that files have if they are what their package brought.
    unpacked : dict
        When the package of a file was unpacked, in nanoseconds, for files that one package alone claims.
    compiled : dict
        Hash of the package that a file of byte code is of, for what came out of the cache.
    hash : str
        Of the package, where it is of one.
    known : Layer or None
        The layer that it has in every image; it has no files here then.
    """

    title: str
    files: dict[str, os.stat_result] = field(default_factory=dict)
    seed: list[Any] = field(default_factory=list)
    size: int = 0
    expected: dict[str, str] = field(default_factory=dict)
    unpacked: dict[str, int] = field(default_factory=dict)
    compiled: dict[str, str] = field(default_factory=dict)
    hash: str = ""
    known: Layer | None = None
    moment: int = 0


def group_files(
    prefix: Path, lock: PlatformLock, limit: int, linked: Linked, known: Mapping[str, Layer]
) -> list[Group]:
    """Return the files of ``prefix`` by layer, the lowest first.

    Parameters
    ----------
    prefix : Path
        A linked environment.
    limit : int
        How many layers there are at most; two of them are for PyPI packages and the environment's own files.
    linked : Linked
        How it was linked.
    known : mapping
        Layers that packages have already: their files are left out.
    """
    packages = {record["name"]: record for record in lock.conda}
    owners, alone, hashes = _owners(prefix)
    unpacked = {name: linked.unpacked(record) for name, record in packages.items()}
    groups = {
        name: Group(name, seed=[_identity(record)], hash=package_hash(record), known=known.get(name))
        for name, record in packages.items()
    }
    pip = Group("PyPI packages", seed=sorted(f"{p['name']}-{p['version']}" for p in lock.pip))
    own = Group("the environment's own files")
    wheels = set(_wheel_files(prefix, set(owners)))
    for path, status in walk_files(prefix):
        source = source_path(path)
        owner = owners.get(path) or owners.get(source)
        group = pip if path in wheels or source in wheels else groups.get(owner or "", own)
        if group.known is not None:
            continue
        group.files[path] = status
        group.size += 0 if stat.S_ISDIR(status.st_mode) else status.st_size  # a folder's own differs by file system
        if path in linked.compiled:
            group.compiled[path] = linked.compiled[path]
        elif owner in groups and path in hashes and not path.startswith(META) and groups[owner].hash:
            group.expected[path] = hashes[path]
            if path in alone and owner in unpacked:
                group.unpacked[path] = unpacked[owner]
    weights = popularity(lock)
    ranked = sorted(groups.values(), key=lambda group: (-weights[group.title] * max(group.size, 1), group.title))
    room = max(limit - OTHER_LAYERS, 1)
    single, tail = (ranked, []) if len(ranked) <= room else (ranked[: room - 1], ranked[room - 1 :])
    ordered = sorted(single, key=lambda group: (-weights[group.title], group.title))
    if tail:
        together = Group(f"{len(tail)} more packages")
        for group in sorted(tail, key=lambda group: group.title):
            together.files |= group.files
            together.seed += group.seed
            together.expected |= group.expected
            together.unpacked |= group.unpacked
            together.compiled |= group.compiled
            together.size += group.size
        ordered.append(together)
    found = [group for group in (*ordered, pip, own) if group.files or group.known]
    for group in found:
        group.moment = linked.moment
    return found


def popularity(lock: PlatformLock) -> dict[str, int]:
    """Return of each conda package how many need it, directly or not, itself among them."""
    needs = dependencies(lock.conda)
    return dict(Counter(other for name in needs for other in with_dependencies([name], needs)))


def make_layers(
    prefix: Path,
    target: str,
    groups: Sequence[Group],
    tools: Mapping[str, str],
    blobs: BlobStore,
    cache: LayerCache,
    advance: Callable[[int, int, str], None],
    package_keys: Mapping[str, str],
) -> list[tuple[str, Layer]]:
    """Write each group as a layer, or find the one that was made before; return them with what they are.

    Parameters
    ----------
    target : str
        Folder that the prefix is in the image, such as ``/opt/conda``.
    tools : mapping
        Versions that the bytes depend on.
    package_keys : mapping
        What the layer of a package is to be found by before it is linked, where it is the same in every image.
    """
    sizes = [group.known.size if group.known else group.size for group in groups]
    total, done = sum(sizes), 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="layer") as pool:
        looks = list(pool.map(lambda group: _look_at(prefix, target, group, tools), groups))
        stored = cache.find(look.key for look in looks if look.key)
        found = [group.known or stored.get(look.key) for group, look in zip(groups, looks, strict=True)]
        # what is written for others too is looked at to the last byte
        missing = [place for place, layer in enumerate(found) if layer is None]
        again = list(pool.map(lambda place: _look_at(prefix, target, groups[place], tools, read_all=True), missing))
        stored = cache.find(look.key for look in again)
        for place, look in zip(missing, again, strict=True):
            looks[place], found[place] = look, stored.get(look.key)
        waiting = {
            look.key: pool.submit(_write, prefix, target, group, blobs)
            for group, look, layer in zip(groups, looks, found, strict=True)
            if layer is None
        }
        for place, (group, look) in enumerate(zip(groups, looks, strict=True)):
            layer = found[place]
            if layer is None:
                layer = found[place] = waiting[look.key].result()
                cache.add(look.key, layer)
            if look.as_packaged and group.title in package_keys:
                cache.add(package_keys[group.title], layer)
            done += sizes[place]
            advance(done, total, group.title)
    return [(group.title, layer) for group, layer in zip(groups, found, strict=True) if layer is not None]


def write_layer(entries: Callable[[TarStream], None], blobs: BlobStore) -> Layer:
    """Write a layer of what ``entries`` puts into a tar file."""
    with blobs.create() as writer:
        output = _Compressor(writer)
        tar = TarStream(output)
        entries(tar)
        tar.close()
        output.close()
    made = writer.result()
    return Layer(made.digest, made.size, output.diff_id)


def add_folders(tar: TarStream, names: Sequence[str]) -> None:
    """Add the folders above files, each once: a client that makes those that lack may close them to other users."""
    for folder in sorted(parents_of(names)):
        tar.add_folder(folder)


class _Compressor:
    """Compresses what is written to it into a blob, and hashes the plain bytes."""

    def __init__(self, writer: BlobWriter) -> None:
        from isal import igzip

        self._file = igzip.GzipFile(fileobj=writer, mode="wb", compresslevel=GZIP_LEVEL, mtime=0)
        self._hash = hashlib.sha256()
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        if len(self._buffer) >= CHUNK:
            self._empty()
        return len(data)

    def close(self) -> None:
        self._empty()
        self._file.close()

    def _empty(self) -> None:
        self._hash.update(self._buffer)
        self._file.write(self._buffer)
        self._buffer = bytearray()

    @property
    def diff_id(self) -> str:
        return self._hash.hexdigest()


def _write(prefix: Path, target: str, group: Group, blobs: BlobStore) -> Layer:
    root = target.strip("/")

    def entries(tar: TarStream) -> None:
        add_folders(tar, [f"{root}/{path}" for path in group.files])
        for path in sorted(group.files):
            if path.startswith(META) and path.endswith(".json"):
                tar.add_bytes(cleaned(f"{prefix}/{path}", requested=False), f"{root}/{path}")
            else:
                tar.add_file(f"{prefix}/{path}", f"{root}/{path}")

    return write_layer(entries, blobs)


@dataclass(frozen=True)
class _Look:
    """What was seen of a layer's files.

    Parameters
    ----------
    key : str
        What the bytes of the layer depend on, hashed.
    as_packaged : bool
        Whether there is nothing in it but what its package brought, and byte code and the record of that package.
    """

    key: str = ""
    as_packaged: bool = False


def _look_at(prefix: Path, target: str, group: Group, tools: Mapping[str, str], read_all: bool = False) -> _Look:
    """Look at the files of a layer.

    Every file is looked at: one that is what its package brought is known by the package's hash, any other by its
    content. A wheel can write over a package's files; what it wrote must not be found by others who have the package.
    Files of which :class:`Linked` tells are not read, but with ``read_all``.
    """
    if group.known is not None:
        return _Look()
    files = []
    as_packaged = True
    for path, info in sorted(group.files.items()):
        full = f"{prefix}/{path}"
        if path in group.compiled:
            content = f"byte code of {group.compiled[path]}"
            as_packaged &= group.compiled[path] == group.hash
        elif (
            not read_all
            and stat.S_ISREG(info.st_mode)
            and info.st_ctime_ns < group.moment
            and info.st_mtime_ns < group.unpacked.get(path, 0)
        ):
            content = "as packaged"
        elif path.startswith(META) and path.endswith(".json"):
            content = hashlib.sha256(cleaned(full, requested=False)).hexdigest()
        else:
            content = _content(full)
            if stat.S_ISREG(info.st_mode) and content == group.expected.get(path):
                content = "as packaged"
            elif not stat.S_ISLNK(info.st_mode):
                as_packaged = False
        files.append([path, stat.S_IFMT(info.st_mode), bool(info.st_mode & 0o111), content])
    seed: list[Any] = [FORMAT, target, dict(sorted(tools.items())), group.seed, files]
    return _Look(hashlib.sha256(canonical(seed)).hexdigest(), as_packaged)


def _content(path: str) -> str:
    if os.path.islink(path):  # noqa: PTH114 - thousands of files
        return os.readlink(path)  # noqa: PTH115
    if os.path.isdir(path):  # noqa: PTH112
        return ""
    return file_digest(Path(path))


def _identity(record: CondaEntry) -> str:
    return f"{record['fn']}#{package_hash(record) or record['url']}"


def _owners(prefix: Path) -> tuple[dict[str, str], set[str], dict[str, str]]:
    """Return which conda package each file belongs to, those that one alone claims, and what their hashes should be."""
    owners: dict[str, str] = {}
    hashes: dict[str, str] = {}
    claims: Counter[str] = Counter()
    for path in sorted((prefix / META).glob("*.json")):
        meta = json.loads(path.read_bytes())
        owners[f"{META}{path.name}"] = meta["name"]
        claims.update(meta["files"])
        for name in meta["files"]:
            owners.setdefault(name, meta["name"])
        for entry in meta.get("paths_data", {}).get("paths", ()):
            expected = entry.get("sha256_in_prefix") or entry.get("sha256")
            if expected and owners.get(entry["_path"]) == meta["name"]:
                hashes[entry["_path"]] = expected
    return owners, {path for path, count in claims.items() if count == 1}, hashes


def _wheel_files(prefix: Path, known: set[str]) -> list[str]:
    """Return the files that PyPI packages put into the prefix, by their ``RECORD``."""
    found = []
    for record in (prefix / "lib").glob("python3.*/site-packages/*.dist-info/RECORD"):
        place = record.relative_to(prefix).as_posix()
        if record.parent.parent.parent.is_symlink() or place in known:
            continue
        site = record.parent.parent.relative_to(prefix).as_posix()
        for line in record.read_text(encoding="utf-8").splitlines():
            name = line.rsplit(",", 2)[0].strip('"')
            found.append(os.path.normpath(f"{site}/{name}"))
    return found
