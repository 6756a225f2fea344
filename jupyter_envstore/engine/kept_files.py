"""Packages whose files are in the store: taken from there first, whatever became of their channels."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.engine.package_paths import check_record
from jupyter_envstore.engine.pip import PipTarget, install_pip, unpack_pip
from jupyter_envstore.engine.prefix import write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.sandbox import Sandbox
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry

CACHE_NOTE = "uv_cache.json"
Find = Callable[[str], Path]
"""Where the store has a file, by its SHA-256, whether or not it is there."""


@contextlib.contextmanager
def from_store(
    records: Sequence[CondaEntry], cache_dir: Path, find: Find | None, progress: Progress, beside: Path
) -> Iterator[tuple[list[CondaEntry], dict[str, str]]]:
    """Give the records, those of kept packages with a local address in place of their channel's.

    Packages that are in the package cache stay as they are. A kept file that is damaged is told and left aside. The
    second value maps the local addresses to those of the lock, for :func:`restore_addresses`. What is given is in a
    folder ``beside`` what is made, by links of its own: nobody frees it meanwhile.

    Raises
    ------
    PackageError
        What the lock says of a package would lead elsewhere.
    """
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="envstore-kept-", dir=beside) as name:
        folder, addresses, ready = Path(name), {}, []
        for record in records:
            blob = find(record["sha256"]) if find is not None and record.get("sha256") else None
            check_record(record)  # its names become paths here
            link = folder / record["subdir"] / record["fn"]
            if blob is None or in_cache(record, cache_dir) or not _link(blob, link):
                ready.append(record)
            elif file_digest(link) != record["sha256"]:
                progress.log(_damaged(record["fn"]))
                ready.append(record)
            else:
                addresses[link.as_uri()] = record["url"]
                ready.append(record | {"url": link.as_uri()})
        if addresses:
            progress.log(f"{len(addresses)} of {len(records)} packages are taken from the store, which keeps them")
        yield ready, addresses


def restore_addresses(prefix: Path, records: Sequence[CondaEntry], addresses: Mapping[str, str]) -> None:
    """Write the addresses of the lock into ``conda-meta`` again, where a package came from the store."""
    for record in records:
        if record["url"] not in addresses:
            continue
        stem = record["fn"].removesuffix(".conda").removesuffix(".tar.bz2")
        path = prefix / "conda-meta" / f"{stem}.json"
        text = path.read_text(encoding="utf-8")
        local, locked = json.dumps(record["url"]), json.dumps(addresses[record["url"]])
        write_new(path, text.replace(local, locked).encode())


def install_wheels(
    find: Find,
    prefix: Path,
    cache_dir: Path,
    sandbox: Sandbox,
    progress: Progress,
    packages: Sequence[PypiEntry],
    reinstall: bool = False,
) -> None:
    """Install locked wheels; those that the store keeps need no index.

    uv's own cache is asked first, so that environments go on sharing the files in it. With ``reinstall``, those that
    are there are installed once more.

    Raises
    ------
    PipError
        A wheel cannot be had, or is not the one that was locked.
    """
    install = partial(install_pip, prefix=prefix, cache_dir=cache_dir, sandbox=sandbox, reinstall=reinstall)
    _with_kept_wheels(install, find, prefix.parent, progress, packages)
    _drop_cache_notes(prefix)


def unpack_wheels(
    find: Find, folder: Path, cache_dir: Path, target: PipTarget, progress: Progress, packages: Sequence[PypiEntry]
) -> None:
    """Unpack locked wheels into ``folder``, to be read; those that the store keeps need no index.

    Raises
    ------
    PipError
        A wheel cannot be had, or is not the one that was locked.
    """
    unpack = partial(unpack_pip, folder=folder, cache_dir=cache_dir, target=target)
    _with_kept_wheels(unpack, find, folder.parent, progress, packages)


def _with_kept_wheels(
    install: Callable[..., None], find: Find, beside: Path, progress: Progress, packages: Sequence[PypiEntry]
) -> None:
    """Install from uv's cache or the index; from the store, where it keeps the wheels and the cache does not."""
    if not any(find(package["sha256"]).is_file() for package in packages):
        install(packages)
        return
    try:
        install(packages, offline=True)
    except PipError:
        with tempfile.TemporaryDirectory(prefix="envstore-kept-", dir=beside) as folder:
            install(local_wheels(packages, find, Path(folder), progress))


def _drop_cache_notes(prefix: Path) -> None:
    """Remove what uv notes of wheels that lay on this machine: when each was written, which tells nothing elsewhere."""
    for note in prefix.glob(f"lib/python3*/site-packages/*.dist-info/{CACHE_NOTE}"):
        record = note.with_name("RECORD")
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        own = f"{note.parent.name}/{CACHE_NOTE},"
        write_new(record, "".join(line for line in lines if not line.startswith(own)).encode())
        note.unlink()


def local_wheels(packages: Sequence[PypiEntry], find: Find, folder: Path, progress: Progress) -> list[PypiEntry]:
    """Give locked wheels, those that the store keeps with a local address in ``folder``, where they are linked."""
    ready: list[PypiEntry] = []
    for package in packages:
        link = folder / package["filename"]
        if link.parent != folder or not _link(find(package["sha256"]), link):
            ready.append(package)
        elif file_digest(link) != package["sha256"]:
            progress.log(_damaged(package["filename"]))
            ready.append(package)
        else:
            ready.append({**package, "url": link.as_uri()})
    return ready


def _link(blob: Path, place: Path) -> bool:
    """Give a file of the store another name, so that it stays when the store lets go of it; False where it has none."""
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(blob, place)
    except FileNotFoundError:
        return False
    except OSError:  # on another file system, or one without such links
        shutil.copyfile(blob, place)
    return True


def _damaged(filename: str) -> str:
    return (
        f"warning: {filename} is kept in the store, but its file there is damaged; it is fetched anew. "
        "Keep the build's packages again to mend that"
    )
