"""A store in one file, and back: the database and what it refers to. Prefixes and caches are made again from that."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_envstore import __version__
from jupyter_envstore.blobs import LONG_PATIENCE, blob_store
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.builds.own_files import address_of_files
from jupyter_envstore.builds.place_marks import read_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.copying import check_empty, copy_rows, empty_opened
from jupyter_envstore.database.kept_packages import forget_lost
from jupyter_envstore.database.placements import forget_places
from jupyter_envstore.database.schema import HEAD, check_known
from jupyter_envstore.database.sqlite import SCHEME, database_file
from jupyter_envstore.database.store_identity import identify, new_name
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.errors import EnvStoreError, InvalidInputError, StorageError
from jupyter_envstore.private_files import create_private

FORMAT = 1
ABOUT, DATABASE = "envstore-backup.json", "envstore.sqlite"


@dataclass(frozen=True)
class Saved:
    """What a backup holds: files beside the database, their bytes, and those that were not there."""

    files: int
    size: int
    missing: tuple[str, ...] = ()


def back_up(config: StoreConfig, target: Path, archives: bool = True, packages: bool = False) -> Saved:
    """Write a backup while the store is in use.

    Parameters
    ----------
    target : Path
        A ``.tar`` that does not exist yet.
    archives : bool
        Whether large artifacts go in too; they can be made again.
    packages : bool
        Whether the kept files of packages go in too; their channels may have them yet.

    Raises
    ------
    InvalidInputError
        The target exists.
    StorageError
        It cannot be written.
    """
    if target.exists():
        msg = f"{target} exists already; choose another name"
        raise InvalidInputError(msg)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        copy = partial.with_suffix(".sqlite")
        try:
            create_private(copy)
            _copy_database(config, copy)
            database = Database(f"{SCHEME}{copy}")
            check_known(database.revision())
            with database.read() as session:
                digests = queries.needed_digests(session, archives, packages)
            database.close()
            saved = _write(config, partial, copy, digests)
        finally:
            for path in partial.parent.glob(f"{copy.name}*"):
                path.unlink()
        partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        msg = f"the backup cannot be written: {getattr(error, 'strerror', None) or error}"
        raise StorageError(msg) from None
    finally:
        partial.unlink(missing_ok=True)
    return saved


def bring_back(config: StoreConfig, source: Path) -> Saved:
    """Make a store of a backup where none is yet. Its prefixes are packed away: ``restore`` brings each back.

    Raises
    ------
    InvalidInputError
        The file is no backup, or is damaged; there is a store already; or the folder or the bucket belongs to another.
    """
    _check_vacant(config)
    _, folder_of = read_mark(config)
    target = blob_store(replace(config, blob_cache_gigabytes=0.0), patience=LONG_PATIENCE) if config.blob_url else None
    bucket_of = target.owner() if target is not None else ""
    staging = config.root / f".restoring-{uuid.uuid4().hex[:8]}"  # inside: the root may be a mount point
    try:
        config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging.mkdir(mode=0o700)
        saved = _read(source, staging)
        database = Database(f"{SCHEME}{staging / DATABASE}")
        database.migrate()
        blobs = LocalBlobStore(staging / "blobs")
        with database.write() as session:
            builds = queries.large_builds(session)
            forget_places(session)
            identity = identify(session, folder_of or bucket_of)
            _check_same(config, identity.name, folder_of, bucket_of)
            if not (folder_of or bucket_of):
                identity.name = new_name()  # it may be a second store beside the one that was saved
            identity.blob_url = address_of_files(config)
            for build in builds:
                queries.drop_build(session, build, blobs)
            queries.end_unfinished(session)
            forget_lost(session, blobs, "the backup was made without the files of packages")
        database.close()
        (staging / DATABASE).chmod(0o600)
        (staging / "blobs").chmod(0o700)
        with _placed(blobs, config, target):
            _publish(staging / DATABASE, config)  # last: from here on it is a store
    except tarfile.ReadError:
        msg = f"{source} cannot be brought back: it is no backup of a store, or was cut short"
        raise InvalidInputError(msg) from None
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        msg = f"{source} cannot be brought back: {getattr(error, 'strerror', None) or error}"
        raise InvalidInputError(msg) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return saved


@contextlib.contextmanager
def _placed(blobs: LocalBlobStore, config: StoreConfig, target: BlobStore | None) -> Iterator[None]:
    """Bring files where the store has them; if what follows fails, it can be tried again.

    In a bucket, they stay then, and are collected as what nobody needs.
    """
    if target is not None:
        for blob, _ in blobs.ages():
            target.copy(blobs.local_file(blob.digest))
        yield
        return
    blobs.root.rename(config.blobs)
    try:
        yield
    except BaseException:
        if _is_empty(config):
            config.blobs.rename(blobs.root)
        raise


def _check_vacant(config: StoreConfig) -> None:
    """Refuse a place that has a store.

    Raises
    ------
    InvalidInputError
        There is one.
    """
    file = database_file(config.url)
    if (file is not None and file.exists()) or (file is None and config.blobs.exists()):
        msg = f"there is a store at {config.root} already; choose another --root"
        raise InvalidInputError(msg)
    if file is None:
        with contextlib.closing(Database(config.url)) as database:
            if database.revision() is None:
                return
            database.migrate()
            with database.read() as session:
                check_empty(session, database.kind.place)


def _check_same(config: StoreConfig, name: str, folder_of: str, bucket_of: str) -> None:
    """Refuse to bring a store back where the files of another one are."""
    if folder_of not in ("", name):
        msg = f"the folder {config.root} belongs to another store than the one that was saved; choose another --root"
        raise InvalidInputError(msg)
    if bucket_of not in ("", name):
        msg = f"{address_of_files(config)} has the files of another store than the one that was saved; name another"
        raise InvalidInputError(msg)
    if bucket_of and not folder_of:  # a second store there would remove what the first one has stored since
        msg = (
            f"{address_of_files(config)} has the files of the store that was saved, which may still run: name another "
            "blob_url. If that store is gone for good, remove the object 'store' there"
        )
        raise InvalidInputError(msg)


def _is_empty(config: StoreConfig) -> bool:
    """Whether nothing was brought back into the database; not, where that cannot be known."""
    file = database_file(config.url)
    if file is not None:
        return not file.exists()
    try:
        with contextlib.closing(Database(config.url)) as database, database.read() as session:
            check_empty(session, database.kind.place)
    except EnvStoreError:
        return False
    return True


def _publish(file: Path, config: StoreConfig) -> None:
    """Make a database that was brought back that of the store."""
    target = database_file(config.url)
    if target is not None:
        file.rename(target)
        return
    with contextlib.closing(Database(f"{SCHEME}{file}")) as first, contextlib.closing(Database(config.url)) as second:
        second.migrate()
        with first.read() as source, second.write() as session:
            check_empty(session, second.kind.place)
            empty_opened(session)
            copy_rows(source, session)


def _copy_database(config: StoreConfig, target: Path) -> None:
    """Copy a database that others write to, as of one moment, into a file of SQLite."""
    file = database_file(config.url)
    if file is None:
        _copy_rows_of(config, target)
        return
    first, second = sqlite3.connect(f"file:{file}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        first.backup(second)
        second.execute("PRAGMA journal_mode=DELETE")
    finally:
        first.close()
        second.close()


def _copy_rows_of(config: StoreConfig, target: Path) -> None:
    with contextlib.closing(Database(config.url)) as first, contextlib.closing(Database(f"{SCHEME}{target}")) as second:
        if (revision := first.revision()) != HEAD:
            msg = (
                f"the database {first.kind.place} is of another version of jupyter-envstore (revision {revision}, "
                f"and this one writes {HEAD}): save it with that version, or with pg_dump"
            )
            raise StorageError(msg)
        second.migrate()
        with first.read() as source, second.write() as session:
            copy_rows(source, session)


def _write(config: StoreConfig, partial: Path, database: Path, digests: list[str]) -> Saved:
    blobs = blob_store(config, patience=LONG_PATIENCE)
    missing, count, size = [], 0, 0
    about = {"format": FORMAT, "version": __version__, "made_on": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    create_private(partial)
    with tarfile.open(partial, "w") as tar:
        entry = tarfile.TarInfo(ABOUT)
        data = json.dumps(about).encode()
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
        tar.add(database, DATABASE)
        for digest in digests:
            try:
                blob = blobs.file(digest)
                with blob.open() as file:
                    file.read(1)  # before the header is written: it may be gone
                    file.seek(0)
                    entry = tarfile.TarInfo(f"blobs/sha256/{digest[:2]}/{digest}")
                    entry.size, entry.mtime = blob.size, int(time.time())
                    tar.addfile(entry, file)
            except FileNotFoundError:
                missing.append(digest)
                continue
            count, size = count + 1, size + blob.size
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    return Saved(count, size, tuple(missing))


def _read(source: Path, staging: Path) -> Saved:
    """Unpack what a backup holds, and nothing else that somebody may have put into it; every file is checked."""
    blobs = LocalBlobStore(staging / "blobs")
    (staging / "blobs").mkdir()
    count = size = 0
    with tarfile.open(source) as tar:
        first = tar.next()
        if first is None or first.name != ABOUT:
            msg = "it is no backup of a store"
            raise ValueError(msg)
        file = tar.extractfile(first)
        about = json.loads(file.read(10_000)) if file else {}
        if about.get("format") != FORMAT:
            msg = f"its format is {about.get('format')}; this version reads {FORMAT}"
            raise ValueError(msg)
        for entry in tar:
            file = tar.extractfile(entry) if entry.isreg() else None
            digest = entry.name.rpartition("/")[2]
            if file is None or entry.name == ABOUT:
                continue
            if entry.name == DATABASE:
                target = staging / DATABASE
            elif entry.name == f"blobs/sha256/{digest[:2]}/{digest}" and len(digest) == 64 and digest.isalnum():
                target = blobs.local_file(digest)
            else:
                msg = f"it holds {entry.name!r}, which belongs to no store"
                raise ValueError(msg)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as output:
                shutil.copyfileobj(file, output, 1 << 20)
            if entry.name != DATABASE:
                if file_digest(target) != digest:
                    msg = f"file {digest[:12]}… is damaged"
                    raise ValueError(msg)
                count, size = count + 1, size + entry.size
    if not (staging / DATABASE).exists():
        msg = "it has no database: it was cut short"
        raise ValueError(msg)
    return Saved(count, size)
