"""What was found of the packages in the cache, kept beside it; and whether their files are still as they were then.

Files of the cache are hard links in many prefixes. So who writes into one of them, in whatever place, damages the
package for all that are linked afterwards; and a disk that was full, or a crash, leaves files that are cut off. Sizes
and times of files tell that without reading any. Files that are not as they were are hashed before a package is called
damaged: a cache that was copied has other times, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat as modes
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.engine.package_paths import PackagePaths, check_complete, read_paths
from jupyter_envstore.engine.path_rules import path_fault
from jupyter_envstore.engine.prefix import remove_tree, to_trash, write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import package_hash
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import CondaEntry

VERSION = 5
"""Raised when more is checked, so that what was found before is not believed."""
SOURCES = ("info/paths.json", "info/files", "info/link.json", "info/index.json")
"""What a linker reads of a package: conda-build's documentation, "Package metadata"."""


@dataclass(frozen=True)
class Damage:
    """A package in the cache that is not as it was packed, and what is wrong, in words."""

    record: CondaEntry
    fault: str


class DamagedCacheError(Exception):
    """Packages in the cache are damaged; whoever links can have them anew."""

    def __init__(self, found: Sequence[Damage]) -> None:
        super().__init__(", ".join(str(damage.record["fn"]) for damage in found))
        self.found = tuple(found)


@dataclass(frozen=True)
class KnownPackage:
    """A package in the cache: its checked paths, and the :func:`files_state` of when it was looked at."""

    record: CondaEntry
    stamp: list[Any]
    paths: PackagePaths
    files: str


def look_at(record: CondaEntry, cache_dir: Path, is_fresh: bool = False) -> KnownPackage:
    """Return the checked paths of a package that lies in the cache.

    Of one that was looked at before, :func:`changed_packages` tells whether its files are still the same.

    Parameters
    ----------
    is_fresh : bool
        Whether it was unpacked just now, out of an archive whose hash is right.

    Raises
    ------
    PackageError
        It lies about its paths; the message names package, channel and path.
    DamagedCacheError
        Its files are not those that were packed.
    """
    key = stamp(record, cache_dir)
    folder = cache_dir / cache_name(record)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(_memo(record, cache_dir).read_bytes())
        if known["stamp"] == key:
            return KnownPackage(record, key, _from_json(known["paths"]), str(known["files"]))
        if not is_fresh and known["stamp"][:2] == key[:2] and (name := _other_source(folder, known["sources"])):
            raise DamagedCacheError([Damage(record, f"its {name} is not what was packed")])
    paths = read_paths(record, folder)
    if is_fresh:
        check_complete(record, paths.missing)
    else:
        _check_files(record, folder, hashes=False)
    return _noted(record, cache_dir, key, paths)


def _other_source(folder: Path, known: Mapping[str, str]) -> str:
    """Return which of a package's own lists is not as it was."""
    now = _sources(folder)
    return next((name for name in SOURCES if now[name] != known[name]), "")


def _sources(folder: Path) -> dict[str, str]:
    return {name: file_digest(folder / name) if (folder / name).is_file() else "" for name in SOURCES}


def _noted(record: CondaEntry, cache_dir: Path, key: list[Any], paths: PackagePaths) -> KnownPackage:
    folder = cache_dir / cache_name(record)
    found = KnownPackage(record, key, paths, files_state(folder, paths.files))
    memo = _memo(record, cache_dir)
    with contextlib.suppress(OSError):  # it is looked at again then
        memo.parent.mkdir(exist_ok=True)
        known = {"stamp": key, "paths": asdict(paths), "files": found.files, "sources": _sources(folder)}
        write_new(memo, json.dumps(known).encode())
    return found


def _memo(record: CondaEntry, cache_dir: Path) -> Path:
    return cache_dir.with_name("paths") / f"{cache_name(record)}.json"


def changed_packages(known: Iterable[KnownPackage], cache_dir: Path) -> list[Damage]:
    """Return those packages whose files are others than when they were looked at."""
    found: list[Damage] = []
    for package in known:
        try:
            if package.files != files_state(cache_dir / cache_name(package.record), package.paths.files):
                _check_files(package.record, cache_dir / cache_name(package.record), hashes=True)
                _noted(package.record, cache_dir, package.stamp, package.paths)
        except DamagedCacheError as error:
            found += error.found
        except OSError as error:
            found.append(Damage(package.record, f"it cannot be read: {error.strerror}"))
    return found


def _from_json(value: Mapping[str, Any]) -> PackagePaths:
    files, folders, entry_points = (tuple(value[key]) for key in ("files", "folders", "entry_points"))
    size, own_size = int(value["size"]), int(value["own_size"])
    others = {path: (int(listed), int(found)) for path, (listed, found) in value["other_sizes"].items()}
    return PackagePaths(
        files, folders, dict(value["links"]), entry_points, bool(value["noarch_python"]), size, own_size, others
    )


def stamp(record: CondaEntry, cache_dir: Path) -> list[Any]:
    """Return what tells that a package in the cache is the one that was looked at.

    Nobody sets a change time, so no package can bring what it wants to be believed.
    """
    found: list[Any] = [VERSION, package_hash(record)]
    folder = f"{cache_dir}/{cache_name(record)}"
    for name in SOURCES:
        try:
            info = os.lstat(f"{folder}/{name}")
            found.append([info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns])
        except OSError:
            found.append(None)
    return found


def files_state(folder: Path, files: Iterable[str]) -> str:
    """Return what changes when a file of a package is cut off, written into or gone: of all sizes and times.

    It is asked for each package of each build, so it takes 3 µs for a file; new links to one change nothing.
    """
    seen = array("q")
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    ask = partial(os.stat, dir_fd=place, follow_symlinks=False)
    try:
        for name in files:
            try:
                info = ask(name)
                seen.append(info.st_size)
                seen.append(info.st_mtime_ns)
            except OSError:
                seen.append(-1)
    finally:
        os.close(place)
    return hashlib.sha256(seen.tobytes()).hexdigest()


def damage_behind(
    error: BaseException, known: Sequence[Damage], records: Iterable[CondaEntry], cache_dir: Path
) -> BaseException:
    """Return the error that linking failed with, or the damaged packages that it came of, if there are any."""
    if isinstance(error, PackageError) and (found := known or _damaged_packages(records, cache_dir)):
        return DamagedCacheError(found)
    return error


def _damaged_packages(records: Iterable[CondaEntry], cache_dir: Path) -> list[Damage]:
    """Return those of the packages in the cache that are damaged. All of their files are read: this takes its time."""
    found: list[Damage] = []
    for record in records:
        folder = cache_dir / cache_name(record)
        if not folder.is_dir():
            continue
        try:
            json.loads((folder / "info" / "index.json").read_bytes())
            _check_files(record, folder, hashes=True)
        except OSError as error:
            found.append(Damage(record, f"its {Path(error.filename or folder).name} cannot be read: {error.strerror}"))
        except ValueError:
            found.append(Damage(record, "its info/index.json cannot be read"))
        except DamagedCacheError as error:
            found += error.found
    return found


def remove_damaged(found: Iterable[Damage], removed: dict[str, str], cache_dir: Path, progress: Progress) -> None:
    """Take damaged packages out of the cache, so that they come anew; ``removed`` has what was wrong with each.

    Raises
    ------
    PackageError
        One was removed before: it is no better in its channel.
    """
    for damage in found:
        filename = str(damage.record["fn"])
        if filename in removed:
            msg = damage.fault if filename in damage.fault else f"package {filename} is damaged: {damage.fault}"
            raise PackageError(msg)
        removed[filename] = damage.fault
        progress.log(f"warning: {filename} in the package cache is damaged, so it is taken anew: {damage.fault}")
        trash = to_trash(cache_dir / cache_name(damage.record))  # at once: others may be linking it
        if trash is not None:
            remove_tree(trash)


def _check_files(record: CondaEntry, folder: Path, hashes: bool) -> None:
    """Compare what lies in a package's folder with what its ``info/paths.json`` says (conda-build's documentation).

    Older packages have a list of names alone.

    Raises
    ------
    DamagedCacheError
        With the first file that is missing or another.
    """
    for entry in _entries(folder):
        path = str(entry["_path"])
        if path_fault(path) or entry.get("path_type") == "directory":
            continue
        try:
            info = os.lstat(f"{folder}/{path}")
        except OSError:
            raise DamagedCacheError([Damage(record, f"its {path} is missing")]) from None
        if not modes.S_ISREG(info.st_mode) or entry.get("path_type", "hardlink") != "hardlink":
            continue
        size = entry.get("size_in_bytes")
        if isinstance(size, int) and size != info.st_size:
            fault = f"its {path} has {info.st_size} bytes, and had {size} when it was packed"
            raise DamagedCacheError([Damage(record, fault)])
        if hashes and entry.get("sha256") and file_digest(folder / path) != entry["sha256"]:
            raise DamagedCacheError([Damage(record, f"its {path} is not what was packed")])


def _entries(folder: Path) -> list[dict[str, Any]]:
    try:
        listed = json.loads((folder / "info" / "paths.json").read_bytes())["paths"]
        return [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("_path"), str)]
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError):
        return []  # whoever reads it next says so
    try:
        names = (folder / "info" / "files").read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return []
    return [{"_path": name} for name in names if name.strip()]
