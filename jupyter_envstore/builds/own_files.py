"""The place of the store's files: its folder or a bucket, which has to be the one that its database noted."""

from __future__ import annotations

from jupyter_envstore.blobs.bucket import LOCAL, shown
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.models import StoreIdentity
from jupyter_envstore.database.store_identity import has_files, identity_of
from jupyter_envstore.errors import ForeignFilesError, MissingDiskError


def address_of_files(config: StoreConfig) -> str:
    """Return where a configuration has the files of the store: the address of a bucket; empty for the folder."""
    return shown(config.blob_url).rstrip("/")


def check_address(session: Session, config: StoreConfig, identity: StoreIdentity) -> bool:
    """Make sure that the configuration names the place in which the files of the store are.

    Returns
    -------
    bool
        Whether that place is noted in the database already.

    Raises
    ------
    ForeignFilesError
        The configuration names another place, and the store has files.
    """
    named, before = address_of_files(config), identity.blob_url
    if before == named:
        return True
    if before is not None and has_files(session):
        way = f"set it to {before}"
        if not before:
            way = "copy them with: jupyter envstore move-blobs"
        elif named:
            way += ", or copy them by another program and then call: jupyter envstore move-blobs --copied"
        else:
            way += "; then they are copied back with: jupyter envstore move-blobs --back"
        msg = (
            f"the files of the store are in {before or 'its folder'}, and blob_url names {named or 'no bucket'}: {way}"
        )
        raise ForeignFilesError(msg)
    return False


def check_owner(config: StoreConfig, database: Database, blobs: BlobStore) -> None:
    """Make sure that a bucket is not that of another store, before a store uses it for the first time.

    Raises
    ------
    ForeignFilesError
        It is.
    StorageError
        It cannot be asked.
    """
    owner = blobs.owner()  # asked first: who claims it has noted the name in the database before
    with database.read() as session:
        identity = identity_of(session)
    _refuse_other(config, owner, identity.name if identity is not None else "")


def check_mounted_files(config: StoreConfig, database: Database, blobs: BlobStore) -> None:
    """Make sure that the folder which a ``file://`` address names has files, if the store has any.

    Raises
    ------
    MissingDiskError
        It has none: its disk may not be mounted.
    StorageError
        It cannot be asked.
    """
    if config.blob_url.partition("://")[0] not in LOCAL or blobs.owner():
        return
    with database.read() as session:
        has_any = has_files(session)
    if has_any and next(blobs.ages(), None) is None:
        msg = f"{address_of_files(config)} has no file of the store: if its disk is not mounted, mount it"
        raise MissingDiskError(msg)


def claim_files(config: StoreConfig, database: Database, blobs: BlobStore) -> None:
    """Have a bucket belong to the store of a database, if it belongs to none yet.

    Raises
    ------
    ForeignFilesError
        It belongs to another store.
    StorageError
        It cannot be used.
    """
    with database.read() as session:
        identity = identity_of(session)
    if identity is not None:
        _refuse_other(config, blobs.owner() or blobs.claim(identity.name), identity.name)


def _refuse_other(config: StoreConfig, owner: str, name: str) -> None:
    if owner not in ("", name):
        msg = (
            f"{address_of_files(config)} has the files of another store, whose database is not the one that is "
            "configured: correct database_url, or choose another blob_url. If that store is gone for good, remove the "
            "object 'store' there; its files are collected then"
        )
        raise ForeignFilesError(msg)
