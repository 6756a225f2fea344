"""A store that outgrows its disk: its files are copied into the bucket that the configuration names, or back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from jupyter_envstore.blobs import LONG_PATIENCE, blob_store
from jupyter_envstore.blobs.bucket import shown
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.blobs.staging import PIECE
from jupyter_envstore.builds.own_files import address_of_files, claim_files
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.store_identity import identify, identity_of
from jupyter_envstore.errors import ConflictError, DamagedFileError, InvalidInputError, NotFoundError

AT_ONCE = 4
"""Files that are copied beside each other."""

Report = Callable[[int, int], None]
"""Told how many of all files are done."""


@dataclass(frozen=True)
class MovedBlobs:
    """What was copied.

    Parameters
    ----------
    source, target : str
        Where the files were, and where they are, too.
    copied, size : int
        Files, and their bytes.
    there : int
        Files that were there already.
    missing : tuple of str
        Digests of those that were not to be had, or have not their hash any more.
    """

    source: str
    target: str
    copied: int = 0
    size: int = 0
    there: int = 0
    missing: tuple[str, ...] = ()


def move_blobs(config: StoreConfig, report: Report, back: bool = False, copied: bool = False) -> MovedBlobs:
    """Copy all files that the database knows into the bucket, or back; each is checked by its hash.

    The database notes where the files are then: a server with another place in its configuration is refused.

    What is there already is not copied again, so it can be called again after it was cut off. Nothing is removed.

    Parameters
    ----------
    back : bool
        Whether they are copied from the bucket into the folder of the store.
    copied : bool
        Whether all are in the bucket already, since another program copied them: nothing is done but a look.

    Raises
    ------
    InvalidInputError
        The configuration names no bucket.
    NotFoundError
        There is no store; with ``copied``, a file is missing; or without it, none is where they are copied from.
    ConflictError
        The files are in another bucket, from where this command does not copy.
    StorageError
        The bucket or the disk cannot be used; or the bucket has the files of another store.
    """
    if not config.blob_url:
        msg = "name a bucket in the configuration first: c.EnvStoreApp.blob_url"
        raise InvalidInputError(msg)
    folder = LocalBlobStore(config.blobs)
    without_copies = replace(config, blob_cache_gigabytes=0.0)  # all is on the disk already
    bucket = blob_store(without_copies, patience=LONG_PATIENCE)
    source, target = (bucket, folder) if back else (folder, bucket)
    with closing(Database(config.url)) as database:
        if database.revision() is None:
            msg = f"there is no store at {config.root}; name its folder with --root DIR"
            raise NotFoundError(msg)
        database.migrate()
        with database.read() as session:
            digests = sorted(queries.all_digests(session))
            _check_source(session, config, back, copied)
        if not back:
            claim_files(config, database, bucket)
        here, there = str(config.blobs), shown(config.blob_url)
        found = MovedBlobs(*((there, here) if back else (here, there)))
        if copied:
            present = bucket.present(digests)
            missing = tuple(digest for digest in digests if digest not in present)
            if missing:
                msg = (
                    f"{len(missing)} of {len(digests)} files are not in {there}, for example {missing[0]}; "
                    "copy them first, or leave --copied away"
                )
                raise NotFoundError(msg)
            moved = replace(found, there=len(digests))
        else:
            moved = _copy_all(source, target, digests, report, found)
            if digests and len(moved.missing) == len(digests):
                msg = (
                    f"none of the {len(digests)} files of the store is in {found.source}: mount its disk, or correct "
                    "blob_url; nothing was changed"
                )
                raise NotFoundError(msg)
        with database.write() as session:
            identify(session).blob_url = "" if back else address_of_files(config)
    return moved


def _check_source(session: Session, config: StoreConfig, back: bool, copied: bool) -> None:
    """Make sure that the files are where they are copied from."""
    identity = identity_of(session)
    noted, named = identity.blob_url if identity is not None else None, address_of_files(config)
    if noted not in (None, "", named):
        if back:
            msg = f"the files of the store are in {noted}, and blob_url names {named}: set it to {noted}"
            raise ConflictError(msg)
        if not copied:
            msg = (
                f"the files of the store are in {noted}, and only those of its folder are copied: copy that bucket by "
                "another program, and then call: jupyter envstore move-blobs --copied"
            )
            raise ConflictError(msg)


def _copy_all(
    source: BlobStore, target: BlobStore, digests: list[str], report: Report, found: MovedBlobs
) -> MovedBlobs:
    copied = size = there = 0
    missing = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (digest, result) in enumerate(
            zip(digests, pool.map(lambda digest: _copy(source, target, digest), digests), strict=True), 1
        ):
            if result is None:
                missing.append(digest)
            elif result < 0:
                there += 1
            else:
                copied, size = copied + 1, size + result
            report(done, len(digests))
    return replace(found, copied=copied, size=size, there=there, missing=tuple(missing))


def _copy(source: BlobStore, target: BlobStore, digest: str) -> int | None:
    """Copy a blob; return its bytes, -1 if it is there, None if it is not to be had."""
    target.touch([digest])
    try:
        if target.verify(digest) and _size(source, digest) in (None, target.size(digest)):
            return -1  # also if only the target has it: it was made since the files moved
        with source.open(digest) as file, target.create(digest) as writer:
            shutil.copyfileobj(file, writer, PIECE)
    except (FileNotFoundError, DamagedFileError):
        return None
    return writer.size


def _size(blobs: BlobStore, digest: str) -> int | None:
    """Return the bytes of a blob, None where it is not."""
    try:
        return blobs.size(digest)
    except FileNotFoundError:
        return None
