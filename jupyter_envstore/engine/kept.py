"""Packages whose files are in the store: taken from there first, whatever became of their channels."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.cached import in_cache
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.pip import install_pip
from jupyter_envstore.engine.prefix import write_new
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.errors import PipError

CACHE_NOTE = "uv_cache.json"
Find = Callable[[str], Path]
"""Where the store has a file, by its SHA-256, whether or not it is there."""


@contextlib.contextmanager
def from_store(
    records: Sequence[dict[str, Any]], cache_dir: Path, find: Find | None, progress: Progress
) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """Give the records, those of kept packages with a local address in place of their channel's.

    Packages that are in the package cache stay as they are. A kept file that is damaged is told and left aside. The
    second value maps the local addresses to those of the lock, for :func:`restore_addresses`.
    """
    with tempfile.TemporaryDirectory(prefix="envstore-kept-") as name:
        folder, addresses, ready = Path(name), {}, []
        for record in records:
            blob = find(record["sha256"]) if find is not None and record.get("sha256") else None
            if blob is None or not blob.is_file() or in_cache(record, cache_dir):
                ready.append(record)
            elif file_digest(blob) != record["sha256"]:
                progress.log(_damaged(record["fn"]))
                ready.append(record)
            else:
                link = folder / record["subdir"] / record["fn"]
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(blob)
                addresses[link.as_uri()] = record["url"]
                ready.append(record | {"url": link.as_uri()})
        if addresses:
            progress.log(f"{len(addresses)} of {len(records)} packages are taken from the store, which keeps them")
        yield ready, addresses


def restore_addresses(prefix: Path, records: Sequence[dict[str, Any]], addresses: Mapping[str, str]) -> None:
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
    progress: Progress,
    packages: Sequence[Mapping[str, Any]],
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
    install = partial(install_pip, prefix=prefix, cache_dir=cache_dir, reinstall=reinstall)
    if not any(find(package["sha256"]).is_file() for package in packages):
        install(packages)
    else:
        try:
            install(packages, offline=True)
        except PipError:
            with tempfile.TemporaryDirectory(prefix="envstore-kept-") as folder:
                install(_local_wheels(packages, find, Path(folder), progress))
    _drop_cache_notes(prefix)


def _drop_cache_notes(prefix: Path) -> None:
    """Remove what uv notes of wheels that lay on this machine: when each was written, which tells nothing elsewhere."""
    for note in prefix.glob(f"lib/python3*/site-packages/*.dist-info/{CACHE_NOTE}"):
        record = note.with_name("RECORD")
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        own = f"{note.parent.name}/{CACHE_NOTE},"
        write_new(record, "".join(line for line in lines if not line.startswith(own)).encode())
        note.unlink()


def _local_wheels(
    packages: Sequence[Mapping[str, Any]], find: Find, folder: Path, progress: Progress
) -> list[Mapping[str, Any]]:
    ready: list[Mapping[str, Any]] = []
    for package in packages:
        blob = find(package["sha256"])
        if not blob.is_file():
            ready.append(package)
        elif file_digest(blob) != package["sha256"]:
            progress.log(_damaged(package["filename"]))
            ready.append(package)
        else:
            link = folder / package["filename"]
            link.symlink_to(blob)
            ready.append({**package, "url": link.as_uri()})
    return ready


def _damaged(filename: str) -> str:
    return (
        f"warning: {filename} is kept in the store, but its file there is damaged; it is fetched anew. "
        "Keep the build's packages again to mend that"
    )
