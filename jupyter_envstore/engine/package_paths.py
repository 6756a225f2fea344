"""What a conda package says of its paths, checked before anything of it is linked.

A linker joins these paths to a prefix and to the package's folder, and opens what is there. So a package that lies
could read and write anywhere.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import redact, strip_credentials
from jupyter_envstore.engine.path_rules import OWN_FOLDER, check_entry_point, parents_of, path_fault
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.wording import counted

OURS = frozenset(
    {
        *("bin", "lib", "share", "etc", "etc/conda", "etc/envstore", "share/envstore-installer", OWN_FOLDER),
        *(f"etc/conda/{name}" for name in ("activate.d", "deactivate.d", "env_vars.d")),
    }
)
"""Folders that are written into after packages were linked: links there would be followed."""
NAME = re.compile(r"[A-Za-z0-9_.+!~-]+")
MODES = (None, "text", "binary")


@dataclass(frozen=True)
class PackagePaths:
    """What a package puts into a prefix.

    Parameters
    ----------
    files : tuple of str
        Files and links, as the package names them.
    folders : tuple of str
        All folders above them.
    links : dict
        Symbolic links, and what each leads to.
    entry_points : tuple of str
        Names of the programs that a linker writes for it.
    noarch_python : bool
        Whether ``site-packages/`` and ``python-scripts/`` stand for places that Python's version tells.
    size, own_size : int
        Bytes of its files, and of those that each prefix has for itself, since the prefix stands in them.
    other_sizes : dict
        Files that have another size than it lists, each with the listed size and its own.
    missing : tuple of str
        Files and links that it lists and does not contain.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    links: dict[str, str]
    entry_points: tuple[str, ...] = ()
    noarch_python: bool = False
    size: int = 0
    own_size: int = 0
    other_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def check_record(record: CondaEntry) -> None:
    """Refuse a package whose name, version, build, folder or place of Python packages would lead elsewhere.

    Raises
    ------
    PackageError
        With the package and what is wrong.
    """
    for key in ("name", "version", "build", "subdir", "fn"):
        value = str(record.get(key, ""))
        if not NAME.fullmatch(value) or not value.strip("."):
            raise refusal(record, f"its {key} {value[:120]!r} is not valid")
    site = record.get("python_site_packages_path")
    if site is not None and (fault := path_fault(site)):
        raise refusal(record, f"its python_site_packages_path {str(site)[:120]!r} {fault}")


def refusal(
    record: CondaEntry, fault: str, advice: str = "tell whoever keeps the channel, and ask for"
) -> PackageError:
    """Return the error for a package that cannot be linked, with its channel."""
    channel = strip_credentials(str(record.get("channel") or record.get("url", "").rpartition("/")[0]))
    return PackageError(
        f"package {str(record.get('fn', record['name']))[:200]} of {redact(channel)} is not linked: {fault}; "
        f"{advice} another version or build of it"
    )


def read_paths(record: CondaEntry, folder: Path) -> PackagePaths:
    """Read and check what an unpacked package says of its paths, and what lies there.

    Raises
    ------
    PackageError
        It lies about its paths.
    """
    entries = list(listed_entries(record, lambda name: _text(record, folder, name)))
    check_entries(record, entries, windows=False)
    files, links = [], {}
    root = os.path.realpath(folder)
    for entry in entries:
        path = str(entry["_path"])
        if entry.get("path_type") == "directory":  # rattler 0.28 would copy it as a file
            fault = f"it lists the folder {path[:200]!r} itself, which the linker (rattler) cannot make"
            raise refusal(record, fault, "that is a limit of the linker, and no fault of the package; ask for")
        files.append(path)
    folders = parents_of(files)
    for name in sorted(folders):
        if os.path.islink(f"{root}/{name}"):  # noqa: PTH114 - hundreds of folders
            raise refusal(record, f"its folder {name!r} is a link, and files lie below it")
    total = own = 0
    missing = []
    other_sizes: dict[str, tuple[int, int]] = {}
    for entry in entries:
        path = str(entry["_path"])
        try:
            target, size = _check_source(record, root, path, entry)
        except OSError:
            missing.append(path)
            continue
        if target is not None:
            links[path] = target
        total += size
        own += size if entry.get("prefix_placeholder") else 0
        listed = entry.get("size_in_bytes")
        if type(listed) is int and listed not in (0, size) and target is None and entry.get("path_type") == "hardlink":
            other_sizes[path] = (listed, size)
    _check_links(record, links)
    index = info_json(record, _text(record, folder, "info/index.json"), "info/index.json")
    check_index(record, index)
    noarch = index.get("noarch") == "python"
    names = entry_points(record, _text(record, folder, "info/link.json")) if noarch else ()
    return PackagePaths(
        tuple(files), tuple(sorted(folders)), links, tuple(names), noarch, total, own, other_sizes, tuple(missing)
    )


def check_complete(record: CondaEntry, missing: Sequence[str]) -> None:
    """Refuse a package that does not contain all that it lists.

    A linker leaves out a missing link without a word (rattler 0.28).

    Raises
    ------
    PackageError
        With the package, its channel and the first missing path.
    """
    if missing:
        more = f", and {counted(len(missing) - 1, 'more path')}," if len(missing) > 1 else ","
        raise refusal(record, f"it lists {missing[0][:200]!r}{more} which it does not contain")


def check_index(record: CondaEntry, index: Mapping[str, Any]) -> None:
    """Refuse an ``info/index.json`` that tells of a place for Python packages which leads elsewhere.

    Raises
    ------
    PackageError
        With the package and the place.
    """
    site = index.get("python_site_packages_path")
    if site is not None and (fault := path_fault(site)):
        raise refusal(record, f"its python_site_packages_path {str(site)[:120]!r} {fault}")


def check_entries(record: CondaEntry, entries: Iterable[Mapping[str, Any]], windows: bool) -> None:
    """Refuse paths, placeholders and modes that a linker should not be given.

    Raises
    ------
    PackageError
        With the first that is wrong.
    """
    seen: set[str] = set()
    for entry in entries:
        path = entry.get("_path")
        plain = path.rstrip("/") if isinstance(path, str) and entry.get("path_type") == "directory" else path
        if fault := path_fault(plain, windows):
            raise refusal(record, f"its path {str(path)[:200]!r} {fault}")
        if plain in seen:
            raise refusal(record, f"it has the path {str(path)[:200]!r} twice")
        seen.add(str(plain))
        placeholder = entry.get("prefix_placeholder")
        if placeholder is not None and not _is_placeholder(placeholder):
            raise refusal(record, f"{str(placeholder)[:80]!r}, which stands for the prefix in {path!r}, is no prefix")
        if entry.get("file_mode") not in MODES:
            raise refusal(
                record, f"{str(entry['file_mode'])[:80]!r}, the mode of {path!r}, is not one that conda knows"
            )


def _is_placeholder(text: object) -> bool:
    """Whether a text may stand for a prefix: an absolute path that a file does not hold by chance."""
    return isinstance(text, str) and bool(re.fullmatch(r"(?:/|\\|[A-Za-z]:)[^\0\r\n]{2,}", text))


def entry_points(record: CondaEntry, link: bytes | None) -> list[str]:
    """Return the names of the programs that ``info/link.json`` of a ``noarch: python`` package asks for.

    Raises
    ------
    PackageError
        It says something else than conda-build writes (conda-build's documentation, "link.json"); or a name is no name
        of a file.
    """
    if link is None:
        return []
    said = info_json(record, link, "info/link.json")
    noarch = said.get("noarch")
    if not isinstance(noarch, dict) or noarch.get("type") != "python":  # the linker ends the process on some of these
        raise refusal(record, "its info/link.json does not say noarch type 'python', as its info/index.json does")
    if type(said.get("package_metadata_version")) is not int:
        raise refusal(record, "its info/link.json has no package_metadata_version")
    names = []
    for line in noarch.get("entry_points") or []:
        try:
            names.append(check_entry_point(line))
        except PackageError as error:
            raise refusal(record, f"its {error}") from None
    return names


def listed_entries(record: CondaEntry, read: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what ``info/paths.json`` lists; of older packages, what ``info/files`` and ``info/has_prefix`` do.

    Raises
    ------
    PackageError
        These files cannot be read, or list a path that no package may have.
    """
    data = read("info/paths.json")
    listed = _lines(record, read("info/files"), "info/files")
    for line in listed:  # tools of others read it
        if fault := path_fault(line):
            raise refusal(record, f"its path {line[:200]!r} {fault}")
    if data is not None:
        paths = info_json(record, data, "info/paths.json").get("paths")
        if not isinstance(paths, list) or not all(isinstance(entry, dict) for entry in paths):
            raise refusal(record, "its info/paths.json has no list of paths")
        yield from paths
        return
    prefixes = dict(_prefixes(record, _lines(record, read("info/has_prefix"), "info/has_prefix")))
    for line in listed:
        placeholder, mode = prefixes.pop(line, (None, None))
        yield {"_path": line, "prefix_placeholder": placeholder, "file_mode": mode}
    for path in prefixes:
        if fault := path_fault(path):
            raise refusal(record, f"its path {path[:200]!r} {fault}")


def _prefixes(record: CondaEntry, lines: Iterable[str]) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    """Yield path, placeholder and mode of each line of ``info/has_prefix``: ``"placeholder" mode "path"`` or a path."""
    for line in lines:
        parts = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', line)]
        if len(parts) not in (1, 3):
            raise refusal(record, f"its info/has_prefix has a line that says nothing: {line[:120]!r}")
        yield parts[-1], (parts[0], parts[1]) if len(parts) == 3 else (None, None)


def _lines(record: CondaEntry, data: bytes | None, name: str) -> list[str]:
    try:
        return [line for line in (data or b"").decode().split("\n") if line.strip()]
    except UnicodeDecodeError:
        raise refusal(record, f"its {name} is no text") from None


def info_json(record: CondaEntry, data: bytes | None, name: str) -> dict[str, Any]:
    """Return a file of ``info`` that holds an object; an empty one where it is missing.

    Raises
    ------
    PackageError
        It holds something else.
    """
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise refusal(record, f"its {name} cannot be read")
    return value


def _text(record: CondaEntry, folder: Path, name: str) -> bytes | None:
    """Return a file of a package's ``info``; None where there is none. A link there is none of conda-build's."""
    path = folder / name
    try:
        if path.is_symlink() or path.parent.is_symlink():
            raise refusal(record, f"its {name} is a link")
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _check_source(record: CondaEntry, root: str, path: str, entry: Mapping[str, Any]) -> tuple[str | None, int]:
    """Return what a link leads to, None for others, and a file's size.

    What a linker would follow out of the package is refused.

    Raises
    ------
    PackageError
        It is neither a file nor a link, or not what the package lists.
    OSError
        It is not there.
    """
    full = f"{root}/{path}"
    info = os.lstat(full)
    mode = info.st_mode
    if stat.S_ISLNK(mode):
        real = os.path.realpath(full)
        follows = entry.get("path_type") not in ("softlink", None) or entry.get("prefix_placeholder")
        if follows and not real.startswith(f"{root}/"):
            raise refusal(record, f"its path {path!r} should be a file and is a link that leads out of the package")
        if follows and not os.path.isfile(real):  # noqa: PTH113 - thousands of files
            raise refusal(record, f"its path {path!r} should be a file and is a link that leads to none")
        return os.readlink(full), 0  # noqa: PTH115 - thousands of files
    if not stat.S_ISREG(mode) and not (entry.get("path_type") == "directory" and stat.S_ISDIR(mode)):
        raise refusal(record, f"its path {path!r} is neither a file nor a link")
    if entry.get("path_type") == "softlink":
        raise refusal(record, f"its path {path!r} should be a link and is a file")
    return None, info.st_size if stat.S_ISREG(mode) else 0


def _check_links(record: CondaEntry, links: Mapping[str, str]) -> None:
    for path in links:
        name = path.rpartition("/")[2]
        if path in OURS or path.startswith(f"{OWN_FOLDER}/") or name == "__pycache__":
            raise refusal(record, f"its path {path!r} is a link, where environments have a folder that is written to")
