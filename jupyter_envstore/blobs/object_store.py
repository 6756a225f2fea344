"""Blobs as objects of a bucket: uploaded when they are whole, read through copies on this machine."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jupyter_envstore.blobs.bucket import Bucket
from jupyter_envstore.blobs.file_cache import FileCache
from jupyter_envstore.blobs.interface import BlobWriter, Download, StoredBlob
from jupyter_envstore.blobs.staging import PIECE, is_whole, staged
from jupyter_envstore.errors import StorageError

AT_ONCE = 16
"""Questions to the bucket beside each other."""
TOUCH_SECONDS = 300.0
"""What was touched so long ago is not touched again; much shorter than what a collection spares."""
KNOWN_SECONDS = 30.0
"""How long the size of a blob that is to be sent is not asked for again."""
ADDRESS_SECONDS = 900
"""How long an address of an object works: long enough for a client to begin; a transfer that began goes on."""
MOST_KNOWN = 10_000
"""Blobs that are remembered."""
OWNER = "store"
"""The object with the name of the store."""
MOST_OWNER = 200
"""Bytes that are read of it."""
LARGE = 64 << 10
"""Smaller blobs are sent by this server: going elsewhere would take longer."""


@dataclass(frozen=True)
class ObjectFile:
    """A blob that is sent: by this server, from its copy or from the bucket, or by the bucket itself."""

    blobs: ObjectBlobStore
    digest: str
    size: int

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return self.blobs.open_sized(self.digest, self.size)

    def address(self, download: Download) -> str:
        """Return an address in the bucket, if clients shall be sent there."""
        return self.blobs.address(self.digest, download) if self.size >= LARGE else ""


class ObjectBlobStore:
    """Blobs below ``sha256/ab/<digest>`` of a bucket. An empty object ``touched/<digest>`` says when one was wanted.

    The object ``store`` has the name of the store whose blobs these are: no other may remove any.

    Parameters
    ----------
    cache : FileCache
        Copies of this machine.
    staging : Path
        Where blobs are written before they are uploaded, on the file system of the cache.
    held : Path or None
        Where copies are linked that are used until a job ends, whatever happens to the cache; a worker's folder.
    redirects : bool
        Whether clients fetch large blobs from the bucket itself.
    """

    def __init__(
        self, bucket: Bucket, cache: FileCache, staging: Path, held: Path | None = None, redirects: bool = False
    ) -> None:
        self.bucket = bucket
        self._cache = cache
        self._staging = staging
        self._held = held
        self._redirects = redirects
        self._touched: dict[str, float] = {}
        self._known: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def create(self, expected: str | None = None) -> Iterator[BlobWriter]:
        """Write a blob; it is there when the context ends well, and nothing is when it does not.

        Raises
        ------
        StorageError
            Its digest is not the ``expected`` one; or it cannot be uploaded.
        """
        with staged(self._staging, self._keep, expected, durable=False) as writer:
            yield writer

    def _keep(self, path: Path, blob: StoredBlob) -> None:
        self.touch([blob.digest])  # first, so that what is found stays
        if self._look(blob.digest) != blob.size:
            self.bucket.upload(path, _key(blob.digest))
        self._note(blob.digest, blob.size)
        if self._cache.takes(blob.size):
            self._cache.add(path, blob.digest)

    def put(self, data: bytes) -> StoredBlob:
        """Store ``data``."""
        with self.create() as writer:
            writer.write(data)
        return writer.result()

    def copy(self, path: Path) -> StoredBlob:
        """Store the content of a file."""
        with self.create() as writer, path.open("rb") as file:
            shutil.copyfileobj(file, writer, PIECE)
        return writer.result()

    def exists(self, digest: str) -> bool:
        """Whether a blob is there: the bucket is asked each time, since who refers to one has to know."""
        return self._look(digest) is not None

    def present(self, digests: Collection[str]) -> set[str]:
        """Return which of some blobs are there."""
        if len(digests) < 2:
            return {digest for digest in digests if self.exists(digest)}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return {digest for digest, found in zip(digests, pool.map(self.exists, digests), strict=True) if found}

    def file(self, digest: str) -> ObjectFile:
        """Return a blob that is to be sent."""
        return ObjectFile(self, digest, self.size(digest))

    def size(self, digest: str) -> int:
        """Return the bytes of a blob.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        with self._lock:
            moment, size = self._known.get(digest, (0.0, 0))
        if time.monotonic() - moment < KNOWN_SECONDS and moment:
            return size
        found = self._look(digest)
        if found is None:
            raise self.bucket.missing(digest)
        return found

    def _look(self, digest: str) -> int | None:
        """Return the bytes of a blob as the bucket says it now; None where there is none."""
        try:
            size = self.bucket.info(_key(digest)).size
        except FileNotFoundError:
            with self._lock:
                self._known.pop(digest, None)
            return None
        self._note(digest, size)
        return size

    def _note(self, digest: str, size: int) -> None:
        with self._lock:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            self._known[digest] = (time.monotonic(), size)

    def open(self, digest: str) -> BinaryIO:
        """Open a blob for reading."""
        return self.open_sized(digest, self.size(digest))

    def open_sized(self, digest: str, size: int) -> BinaryIO:
        """Open a blob of a known size: the copy of this machine, else from the bucket, without making a copy."""
        found = self._cache.find(digest)
        if found is not None:
            with contextlib.suppress(FileNotFoundError):
                return found.open("rb")
        return self.bucket.open(_key(digest), size)

    def read(self, digest: str) -> bytes:
        """Return the content of a small blob."""
        path = self.local_file(digest)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return self.bucket.read(_key(digest), 0, self.bucket.info(_key(digest)).size)

    def local_file(self, digest: str) -> Path:
        """Return a copy of this machine, which is fetched where there is none, and checked then."""
        path = self._cache.find(digest) or self._fetch(digest)
        if path is None:
            return self._cache.path(digest)
        if self._held is None:
            return path
        held = self._held / digest
        held.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.hardlink_to(path)
        except FileExistsError:
            return held
        except FileNotFoundError:  # removed from the cache in between
            return self.local_file(digest)
        except OSError:  # no hard links here
            return path
        return held

    def _fetch(self, digest: str) -> Path | None:
        self._staging.mkdir(parents=True, exist_ok=True)
        target = self._staging / f"{digest}.{threading.get_ident()}.{time.monotonic_ns()}"
        try:
            for _ in range(2):
                try:
                    self.bucket.download(_key(digest), target)
                except FileNotFoundError:
                    return None
                if is_whole(target, digest):
                    target.chmod(0o644)
                    return self._cache.add(target, digest)
        finally:
            target.unlink(missing_ok=True)
        msg = f"the object store {self.bucket.place} sent sha256:{digest} damaged; restore it from a version or backup"
        raise StorageError(msg)

    def touch(self, digests: Collection[str]) -> None:
        """Note that blobs are wanted again."""
        moment = time.monotonic()
        wanted = [digest for digest in digests if moment - self._touched.get(digest, -1e9) > TOUCH_SECONDS]
        if len(wanted) == 1:
            self.bucket.write(_mark(wanted[0]))
        elif wanted:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self.bucket.write, map(_mark, wanted)))
        if len(self._touched) > MOST_KNOWN:
            self._touched.clear()
        self._touched.update(dict.fromkeys(wanted, moment))

    def verify(self, digest: str) -> bool:
        """Whether a blob is there. What a bucket keeps, it checks itself; what is copied from there is checked, too."""
        return self.exists(digest)

    def delete(self, digest: str) -> None:
        """Remove a blob; it may be gone already."""
        with self._lock:
            self._known.pop(digest, None)
        self.bucket.delete(_key(digest))
        self.bucket.delete(_mark(digest))
        self._cache.remove(digest)

    def age(self, digest: str) -> float:
        """Return the seconds since a blob was written or touched."""
        written = self.bucket.info(_key(digest)).modified
        with contextlib.suppress(FileNotFoundError):
            written = max(written, self.bucket.info(_mark(digest)).modified)
        return time.time() - written

    def ages(self) -> Iterator[tuple[StoredBlob, float]]:
        """Yield all blobs, each with the seconds since it was written or touched."""
        touched = {name: info.modified for name, info in self.bucket.below("touched")}
        for digest, info in self.bucket.below("sha256"):
            if len(digest) == 64:
                modified = max(info.modified, touched.get(digest, 0.0))
                yield StoredBlob(digest, info.size), time.time() - modified

    def owner(self) -> str:
        """Return the name of the store whose blobs these are; empty where nobody has claimed them."""
        try:
            return self.bucket.read(OWNER, 0, MOST_OWNER).decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def claim(self, name: str) -> str:
        """Note the name of the store whose blobs these are, if none is noted; return what is noted then."""
        self.bucket.create(OWNER, f"{name}\n".encode())
        return self.owner()

    def unfinished(self) -> list[Path]:
        """Return files of this machine that a crash may have left while blobs were written."""
        return list(self._staging.glob("*"))

    def address(self, digest: str, download: Download) -> str:
        """Return an address in the bucket that works for a while; empty if clients are not sent there."""
        return self.bucket.address(_key(digest), download, ADDRESS_SECONDS) if self._redirects else ""


def _key(digest: str) -> str:
    return f"sha256/{digest[:2]}/{digest}"


def _mark(digest: str) -> str:
    return f"touched/{digest}"
