"""A folder of an object store, by fsspec: its objects, what waits for one that is away, and its errors in words."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from jupyter_envstore.blobs.interface import Download
from jupyter_envstore.blobs.object_reader import ObjectReader
from jupyter_envstore.blobs.site_proxies import proxies_for
from jupyter_envstore.errors import BlobStoreAwayError, InvalidInputError, StorageError

Result = TypeVar("Result")

PART = 16 << 20
"""Bytes of a part of an upload or download; a few are in memory at a time. S3 takes 10,000 parts: 160 GB."""
PARTS_AT_ONCE = 4
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries, the last one again and again."""
MODIFIED = ("LastModified", "mtime", "last_modified", "updated", "created")
"""What file systems of fsspec call the time of an object."""
S3 = ("s3", "s3a")
S3_DEFAULTS: dict[str, Any] = {
    "signature_version": "s3v4",
    "connect_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 1},
}
"""Of botocore's configuration: what is not said otherwise. Retries are ours."""
TIMEOUTS = 5.0, 60.0
"""Shortest and longest time to wait for an answer, in seconds: between them, as long as a bucket is waited for."""
REST_SECONDS = 2.0
"""How long a bucket that did not answer is not asked again for somebody who is in a hurry."""
WHOLE_AT_ONCE = (*S3, "gs", "gcs", "az", "abfs", "abfss", "memory")
"""File systems in which nothing is seen of a file that is written before it is whole."""
REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "403", "401")
LOGIN = re.compile(r"//[^/@]*@")
FULL = ("QuotaExceeded", "507")
LOCAL = ("file", "local")
EXISTS = ("PreconditionFailed", "412")
"""What an object store answers to a conditional write if the object is there."""
PASSING = ("SlowDown", "RequestTimeout", "429", "ConditionalRequestConflict", "OperationAborted")
"""What one answers that shall be asked again; the last two while somebody else writes the same object."""
UNCONDITIONAL = ("NotImplemented", "501")
"""What one answers that has no conditional writes."""


class ObjectInfo(NamedTuple):
    """Size of an object in bytes, and when it was written, in seconds since 1970."""

    size: int
    modified: float


@dataclass(frozen=True)
class BucketConfig:
    """Where a bucket is, and how it is reached.

    Parameters
    ----------
    url : str
        Its address, as fsspec has it: ``s3://bucket/prefix``.
    options : mapping
        What the file system is made with (fsspec's ``storage_options``).
    patience : float
        Seconds for which a bucket that does not answer is waited for.
    public_endpoint : str
        Where others reach the endpoint that ``options`` name, if not there.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 3.0
    public_endpoint: str = ""

    def __repr__(self) -> str:
        return "BucketConfig()"  # address and options may hold secrets


class Bucket:
    """The objects below one address. A library is imported, and a connection made, when one is first asked for."""

    def __init__(self, config: BucketConfig) -> None:
        self._config = config
        self._away_since = -REST_SECONDS
        self.scheme, separator, rest = config.url.partition("://")
        if not separator or not rest.strip("/"):
            msg = f"blob_url {self.place!r} is no address of a bucket; one looks like s3://bucket/prefix"
            raise InvalidInputError(msg)
        if self.scheme in LOCAL and not rest.startswith("/"):
            msg = f"blob_url {self.place!r} is no whole path; one looks like file:///srv/blobs"
            raise InvalidInputError(msg)
        if self.scheme in S3 and importlib.util.find_spec("s3fs") is None:
            msg = f"blob_url {self.place}: a library is missing: pip install 'jupyter-envstore[s3]'"
            raise InvalidInputError(msg)

    @property
    def place(self) -> str:
        """The address, for people: without a user and a password, which some schemes have."""
        return shown(self._config.url)

    @functools.cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system, and the path of the address in it."""
        return self._file_system(self._config.options)

    @property
    def _files(self) -> Any:
        return self._opened[0]

    @functools.cached_property
    def _public_files(self) -> Any:
        """The file system as others reach it, to sign addresses with."""
        if not self._config.public_endpoint:
            return self._files
        options = dict(self._config.options)
        client = {**options.pop("client_kwargs", {}), "endpoint_url": self._config.public_endpoint}
        options.pop("endpoint_url", None)
        return self._file_system({**options, "client_kwargs": client})[0]

    def _file_system(self, given: Mapping[str, Any]) -> tuple[Any, str]:
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True, **given}
        if self.scheme in S3:
            answer = min(max(TIMEOUTS[0], self._config.patience), TIMEOUTS[1])
            endpoint = str(options.get("endpoint_url") or options.get("client_kwargs", {}).get("endpoint_url") or "")
            proxies = proxies_for(endpoint)
            own = {"read_timeout": answer, **({} if proxies is None else {"proxies": proxies})}
            options["config_kwargs"] = {**S3_DEFAULTS, **own, **options.get("config_kwargs", {})}
        try:
            from fsspec.core import url_to_fs

            files, root = url_to_fs(self._config.url, **options)
        except ImportError as error:
            extra = "jupyter-envstore[s3]" if self.scheme in S3 else "fsspec and its library for this scheme"
            msg = f"blob_url {self.place}: a library is missing ({error}): pip install '{extra}'"
            raise InvalidInputError(msg) from None
        except (ValueError, TypeError) as error:
            msg = f"blob_url {self.place} cannot be used: {error}; see c.EnvStoreApp.blob_url and blob_options"
            raise InvalidInputError(msg) from None
        if self.scheme in S3:
            files.retries = 1
        return files, str(root).rstrip("/")

    def _path(self, key: str) -> str:
        return f"{self._opened[1]}/{key}"

    # -- objects ---------------------------------------------------------------------------------------------------

    def info(self, key: str) -> ObjectInfo:
        """Return size and time of an object.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        return self._patiently(lambda: self._info(self._path(key)))

    def _info(self, path: str) -> ObjectInfo:
        if self.scheme in S3:  # fsspec's would look for a folder of this name, too
            bucket, key, _ = self._files.split_path(path)
            found = self._files.call_s3("head_object", Bucket=bucket, Key=key)
            return ObjectInfo(int(found["ContentLength"]), _moment(found["LastModified"]))
        found = self._files.info(path)
        return ObjectInfo(int(found["size"] or 0), self._modified(path, found))

    def upload(self, path: Path, key: str) -> None:
        """Make an object of a file; it is seen when it is whole."""
        self._patiently(lambda: self._upload(path, self._path(key)))

    def _upload(self, path: Path, target: str) -> None:
        files = self._files
        if self.scheme in S3:
            files.put_file(str(path), target, chunksize=PART, max_concurrency=PARTS_AT_ONCE)
        elif self.scheme in WHOLE_AT_ONCE:
            files.put_file(str(path), target)
        else:
            partial = f"{target}.{time.time_ns():x}.partial"
            files.makedirs(target.rpartition("/")[0], exist_ok=True)
            try:
                files.put_file(str(path), partial)
                files.mv(partial, target)
            except BaseException:
                with contextlib.suppress(Exception):
                    files.rm_file(partial)
                raise

    def write(self, key: str, data: bytes = b"") -> None:
        """Make a small object; an empty one tells when that was."""

        def write() -> None:
            path = self._path(key)
            if self.scheme not in WHOLE_AT_ONCE:
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data)

        self._patiently(write)

    def create(self, key: str, data: bytes) -> bool:
        """Make a small object, unless there is one; return whether it was made.

        Of several who try at once only one makes it, where the object store has conditional writes, as S3 and file
        systems have. Elsewhere the last one does.
        """

        def create() -> bool:
            path = self._path(key)
            try:
                if self.scheme in S3:
                    bucket, name, _ = self._files.split_path(path)
                    self._files.call_s3("put_object", Bucket=bucket, Key=name, Body=data, IfNoneMatch="*")
                elif self.scheme in LOCAL:
                    _create_file(Path(path), data)
                else:
                    if self.scheme not in WHOLE_AT_ONCE:
                        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
                    self._files.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
            except Exception as error:  # libraries of object stores share no class
                if _codes(error) & set(EXISTS):
                    return False
                if not (isinstance(error, TypeError) or _codes(error) & set(UNCONDITIONAL)):
                    raise
                if self._files.exists(path):
                    return False
                self._files.pipe_file(path, data)
            return True

        return self._patiently(create)

    def download(self, key: str, target: Path) -> None:
        """Write an object into a file.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        options = {"chunksize": PART, "max_concurrency": PARTS_AT_ONCE} if self.scheme in S3 else {}
        self._patiently(lambda: self._files.get_file(self._path(key), str(target), **options))

    def read(self, key: str, start: int, end: int) -> bytes:
        """Return bytes of an object, from ``start`` to ``end``.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        return bytes(self._patiently(lambda: self._files.cat_file(self._path(key), start=start, end=end)))

    def open(self, key: str, size: int) -> BinaryIO:
        """Open an object of a known size for reading: in pieces, each asked for while the one before is used."""
        return cast("BinaryIO", ObjectReader(functools.partial(self.read, key), size))

    def delete(self, key: str) -> None:
        """Remove an object; it may be gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._patiently(lambda: self._files.rm_file(self._path(key)))

    def below(self, folder: str) -> Iterator[tuple[str, ObjectInfo]]:
        """Yield the objects below a folder, each by the last part of its key."""
        try:
            found = self._patiently(lambda: self._files.find(self._path(folder), detail=True))
        except FileNotFoundError:
            return
        for name, info in found.items():
            yield name.rpartition("/")[2], ObjectInfo(int(info["size"] or 0), self._modified(name, info))

    def address(self, key: str, download: Download, seconds: int) -> str:
        """Return an address of an object that whoever has it can read for some time; empty where there is none."""
        options = {}
        if self.scheme in S3:
            kind = "attachment" if download.attachment else "inline"
            options["ResponseContentType"] = download.media_type
            options["ResponseContentDisposition"] = f'{kind}; filename="{download.name}"'
        try:
            return str(self._patiently(lambda: self._public_files.sign(self._path(key), expiration=seconds, **options)))
        except NotImplementedError:
            return ""

    def _modified(self, path: str, info: Mapping[str, Any]) -> float:
        known = next((info[name] for name in MODIFIED if info.get(name) is not None), None)
        return _moment(self._files.modified(path) if known is None else known)

    # -- errors ----------------------------------------------------------------------------------------------------

    def _patiently(self, action: Callable[[], Result]) -> Result:
        """Do something, again and again for a while if the bucket does not answer.

        Raises
        ------
        FileNotFoundError
            The object is not there.
        BlobStoreAwayError
            The bucket does not answer, or only with errors of its own.
        StorageError
            It refuses.
        """
        if self._config.patience < REST_SECONDS * 5 and time.monotonic() - self._away_since < REST_SECONDS:
            msg = f"the object store {self.place} did not answer a moment ago; try again"
            raise BlobStoreAwayError(msg)
        deadline = time.monotonic() + self._config.patience
        for number in range(1_000_000):
            try:
                return action()
            except (StorageError, InvalidInputError, NotImplementedError):
                raise
            except Exception as error:  # libraries of object stores share no class
                if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in _codes(error):
                    raise self.missing() from error
                if not _is_away(error) or _codes(error) & set(FULL):
                    raise self._refusal(error) from error
                pause = PAUSES[min(number, len(PAUSES) - 1)]
                if time.monotonic() + pause > deadline:
                    self._away_since = time.monotonic()
                    msg = f"the object store {self.place} does not answer: {_words(error)}; try again"
                    raise BlobStoreAwayError(msg) from error
                time.sleep(pause)
        raise AssertionError

    def missing(self, *name: str) -> FileNotFoundError:
        """Return the error that an object, perhaps of this name, is not there."""
        return FileNotFoundError(errno.ENOENT, f"a file of the store is not in {self.place}", *name)

    def _refusal(self, error: Exception) -> StorageError:
        codes = _codes(error)
        if "NoSuchBucket" in codes or isinstance(error, FileNotFoundError):
            return StorageError(f"there is no bucket at {self.place}; make it, or correct c.EnvStoreApp.blob_url")
        if codes & set(FULL):
            return StorageError(f"the object store {self.place} is full: {_words(error)}")
        if "RequestTimeTooSkewed" in codes:
            return StorageError(f"the object store {self.place} refuses: this machine's clock differs from its own")
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            return StorageError(
                f"no credentials for the object store {self.place}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or c.EnvStoreApp.blob_options"
            )
        if isinstance(error, PermissionError) or codes & set(REFUSED):
            reason = ", ".join(sorted(code for code in codes if not code.isdigit())) or "access denied"
            return StorageError(
                f"the object store {self.place} refuses ({reason}); check the credentials, and what they may do"
            )
        if isinstance(error, TypeError):  # an option that the library does not know
            words = f"check c.EnvStoreApp.blob_options: {error}"
            return StorageError(f"the object store {self.place} cannot be used as it is configured; {words}")
        return StorageError(f"the object store {self.place} cannot be used: {_words(error)}")


def shown(url: str) -> str:
    """Return the address of a bucket for people: without a user and a password, which some schemes have."""
    return LOGIN.sub("//", url)


def _create_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        fresh.chmod(0o644)
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            raise
        except OSError:  # no links here: for a moment others see an empty file
            with path.open("xb") as file:
                file.write(data)
    finally:
        fresh.unlink()


def _moment(value: Any) -> float:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    if isinstance(value, str):
        return _moment(datetime.fromisoformat(value.replace("Z", "+00:00")))
    return float(value)


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _codes(error: BaseException) -> set[str]:
    """Return the codes and statuses that a server's answer has, as botocore keeps it."""
    codes = set()
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        if isinstance(response, Mapping):
            codes.add(str(response.get("Error", {}).get("Code", "")))
            codes.add(str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")))
    return codes - {""}


def _is_away(error: BaseException) -> bool:
    """Whether an error passes: no connection, one that was cut, an answer that came too late, a server in trouble."""
    codes = _codes(error)
    if codes:
        return any(code in PASSING or code[:1] == "5" for code in codes)
    if any(isinstance(cause, (ConnectionError, TimeoutError)) for cause in _causes(error)):
        return True
    names = {kind.__name__ for cause in _causes(error) for kind in type(cause).__mro__}
    return bool(names & {"HTTPClientError", "ClientConnectionError", "ClientPayloadError", "IncompleteRead"})


def _words(error: BaseException) -> str:
    """Return what an error says, or what it is; never where it was asked, which may hold a signature."""
    codes = sorted(code for code in _codes(error) if not code.isdigit())
    if codes:
        return ", ".join(codes)
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(error).__name__
