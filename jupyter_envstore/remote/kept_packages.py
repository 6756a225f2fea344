"""Files of packages that a store elsewhere keeps, fetched by their hashes from its channel of kept packages."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_envstore.errors import PackageError, StorageError
from jupyter_envstore.remote.answers import heeds_proxies
from jupyter_envstore.remote.headers import VERSION, own_version
from jupyter_envstore.remote.trust import trusted

if TYPE_CHECKING:
    from jupyter_envstore.blobs.interface import BlobStore, BlobWriter
    from jupyter_envstore.spec.lock_entries import BuiltWheel, CondaEntry, PypiEntry

THREADS = 4
SECONDS = 60.0
"""How long the store may say nothing."""
PIECE = 1 << 20
KEPT = "/api/v1/package/kept/"
LARGEST = 4 << 20
"""Bytes of an answer that tells which files are kept."""
AWAY = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
"""What stands for no answer."""


@dataclass(frozen=True)
class WantedFile:
    """A file of a package.

    Parameters
    ----------
    digest : str
        Its SHA-256.
    size : int
        Its bytes; 0 where that is not known.
    filename : str
        Its name.
    subdir : str
        The folder of the channel that it is in; empty for files of PyPI packages.
    """

    digest: str
    size: int
    filename: str
    subdir: str

    @classmethod
    def of_package(cls, record: CondaEntry) -> WantedFile:
        """Return the file of a conda package whose SHA-256 is known."""
        return cls(record["sha256"], record.get("size") or 0, record["fn"], record["subdir"])

    @classmethod
    def of_wheel(cls, wheel: BuiltWheel | PypiEntry) -> WantedFile:
        """Return the file of a PyPI package, or a wheel that was built of one."""
        return cls(wheel["sha256"], wheel["size"], wheel["filename"], "")

    @property
    def path(self) -> str:
        """Where it is, below the address of the store."""
        folder = f"sha256/{self.digest}/{self.subdir}" if self.subdir else f"files/{self.digest}"
        return f"/channel/{folder}/{quote(self.filename)}"


Receive = Callable[[WantedFile], AbstractContextManager["BlobWriter"]]
"""Gives what a file is written to."""


class _Count:
    """Adds up what comes in several threads."""

    def __init__(self, total: int, told: Callable[[int, int], None]) -> None:
        self._total = total
        self._told = told
        self._done = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """Count bytes that came."""
        with self._lock:
            self._done += size
            self._told(min(self._done, self._total), self._total)


def _piece(answer: http.client.HTTPResponse) -> bytes:
    """Return the next part of an answer.

    Raises
    ------
    ConnectionError
        It is cut off, in whatever way: other errors of the system are of the disk here.
    """
    try:
        return answer.read(PIECE)
    except OSError as error:
        raise ConnectionError(str(error)) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows none: the token is for this store alone."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Follow it not."""


def _proxies(url: str) -> list[urllib.request.BaseHandler]:
    return [] if heeds_proxies(url) else [urllib.request.ProxyHandler({})]


class RemotePackages:
    """The files of packages that a store keeps.

    Parameters
    ----------
    url : str
        Address of the store, which ends with ``/envstore``.
    token : str
        What it is asked with.
    ca_file : str
        Certificates that count beside those of the system; empty for none.
    """

    def __init__(self, url: str, token: str, ca_file: str) -> None:
        self._url = url
        self._token = token
        self._is_away = False
        self._opener = urllib.request.build_opener(
            _NoRedirects, urllib.request.HTTPSHandler(context=trusted(ca_file)), *_proxies(url)
        )

    def fetch_into(self, blobs: BlobStore, files: Iterable[WantedFile]) -> tuple[int, int]:
        """Put files into a store of this machine, as :meth:`fetch` does."""
        return self.fetch(files, lambda file: blobs.create(file.digest))

    def fetch(
        self, files: Iterable[WantedFile], receive: Receive, told: Callable[[int, int], None] = lambda *_: None
    ) -> tuple[int, int]:
        """Fetch files, several at once; return how many came, and their bytes.

        Those that the store elsewhere does not have, or that come damaged, are left out; and once it does not answer,
        all others.

        Parameters
        ----------
        receive : callable
            Gives for each file what it is written to; called in several threads. A StorageError at its end means that
            the file is left out.
        told : callable
            Told how many bytes have come, of how many.

        Raises
        ------
        OSError
            They cannot be written.
        """
        kept = self._kept(list(files))
        count = _Count(sum(file.size for file in kept), told)
        with ThreadPoolExecutor(THREADS, "envstore-kept") as pool:
            sizes = list(pool.map(lambda file: self._fetch(file, receive, count), kept))
        came = [size for size in sizes if size]
        return len(came), sum(came)

    def _kept(self, files: list[WantedFile]) -> list[WantedFile]:
        """Return those that the store says that it keeps; all of them where its version is older, and cannot say."""
        asked = json.dumps({"sha256": sorted({file.digest for file in files})}).encode()
        request = self._request(KEPT, asked)
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                kept = set(json.loads(answer.read(LARGEST))["data"]["sha256"])
        except (urllib.error.HTTPError, ValueError, LookupError, TypeError, RecursionError):
            return files
        except AWAY:
            self._is_away = True
            return []
        return [file for file in files if file.digest in kept]

    def _request(self, path: str, body: bytes | None = None) -> urllib.request.Request:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            VERSION: own_version(),
        }
        address = self._url + path  # it was checked when it was configured
        return urllib.request.Request(address, body, headers)  # noqa: S310

    def _fetch(self, file: WantedFile, receive: Receive, count: _Count) -> int:
        """Fetch one; return its bytes, 0 where it is not to be had."""
        if self._is_away:
            return 0
        try:
            with (
                self._opener.open(self._request(file.path), timeout=SECONDS) as answer,
                receive(file) as blob,
            ):
                while piece := _piece(answer):
                    blob.write(piece)
                    count.add(len(piece))
                    if file.size and blob.size > file.size:
                        msg = f"the store sends another file than {file.filename}"
                        raise StorageError(msg)
            return blob.size
        except (StorageError, PackageError, urllib.error.HTTPError):
            return 0
        except AWAY:
            self._is_away = True
            return 0
