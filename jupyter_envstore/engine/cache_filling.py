"""Packages put into the package cache from archives that come from elsewhere, each unpacked while others come."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from jupyter_envstore.blobs.interface import BlobWriter
from jupyter_envstore.engine.checked_packages import look_at
from jupyter_envstore.engine.package_cache import INCOMING, cache_name, in_cache
from jupyter_envstore.engine.package_paths import check_record
from jupyter_envstore.engine.prefix import remove_tree, to_trash
from jupyter_envstore.errors import StorageError
from jupyter_envstore.spec.lock_entries import CondaEntry

GLOBAL_LOCK = ".cache.lock"
"""File that rattler locks (flock(2)) while it installs from its cache."""
FIRST_REVISION = (1).to_bytes(8, "big")


class CacheFilling:
    """Packages on their way into the cache: they are unpacked beside it, put into it, and looked at.

    Several threads may receive packages. Whoever installs from the cache meanwhile is waited for; so that none of these
    packages gives way to another, claim them first (:func:`jupyter_envstore.engine.cache_claims.packages_claimed`).

    Parameters
    ----------
    cache_dir : Path
        The package cache.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._beside = cache_dir.with_name(INCOMING)

    def __enter__(self) -> CacheFilling:
        self._beside.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=self._beside))
        self._handle = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove_tree(self._folder)
        os.close(self._handle)

    @contextlib.contextmanager
    def receive(self, record: CondaEntry) -> Iterator[BlobWriter]:
        """Write the archive of a package; it is in the cache when the context ends well.

        Raises
        ------
        StorageError
            It is not the one with the record's SHA-256, or cannot be unpacked.
        PackageError
            What the record says would lead elsewhere; or the package lies about its paths, or lacks some.
        OSError
            There is no space left, or the cache cannot be written.
        """
        check_record(record)  # its names become paths here
        archive = self._folder / record["subdir"] / record["fn"]
        archive.parent.mkdir(exist_ok=True)
        with archive.open("wb") as file:
            writer = BlobWriter(file)
            yield writer
        if writer.result().digest != record.get("sha256"):
            msg = f"what came as {record['fn']} is another file"
            raise StorageError(msg)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        folder.chmod(0o755)
        _unpack(archive, folder)
        archive.unlink()
        is_ours = self._put(record, folder)
        look_at(record, self._cache_dir, is_ours)  # while others come: whoever links it finds what is noted here

    def _put(self, record: CondaEntry, folder: Path) -> bool:
        """Give a package its place, unless it has come there meanwhile; return whether it did not."""
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        with (self._cache_dir / GLOBAL_LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if in_cache(record, self._cache_dir):
                return False
            trash = self._replace(record, folder)
        if trash is not None:
            remove_tree(trash)
        return True

    def _replace(self, record: CondaEntry, folder: Path) -> Path | None:
        """Put a package in the place of another one of its name; return where that is now.

        In between, the lock file names no package, and nobody takes the folder for one.
        """
        place = self._cache_dir / cache_name(record)
        named = place.with_name(f"{place.name}.lock")
        named.write_bytes(b"")
        trash = to_trash(place)
        folder.rename(place)
        named.write_bytes(FIRST_REVISION + bytes.fromhex(record["sha256"]))
        return trash


def left_behind(cache_dir: Path) -> Iterator[Path]:
    """Yield folders of packages on their way whose process has ended; of one that lives, the folder is locked."""
    for path in cache_dir.with_name(INCOMING).glob("*"):
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:  # it is gone
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield path
        except BlockingIOError:
            continue
        finally:
            os.close(handle)


def _unpack(archive: Path, folder: Path) -> None:
    import rattler
    from rattler.package_streaming import download_and_extract

    async def unpack() -> None:  # rattler.package_streaming.extract would hold up all other threads
        await download_and_extract(rattler.Client(), archive.as_uri(), folder)

    try:
        asyncio.run(unpack())
    except Exception as error:
        if "No space left on device" in str(error):
            raise OSError(errno.ENOSPC, "no space left on the disk", str(folder)) from None
        msg = f"{archive.name} cannot be unpacked: {error}"
        raise StorageError(msg) from None
