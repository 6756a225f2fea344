"""The place of this process: the store's folder, known to the database by a mark in a file."""

from __future__ import annotations

import socket
import uuid
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from jupyter_envstore.builds.own_files import address_of_files, check_address
from jupyter_envstore.builds.place_marks import DISK, MARK, disk_mark, read_mark, write_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Place
from jupyter_envstore.database.placements import (
    MOST_ASKED,
    PlaceUse,
    all_places,
    count_at,
    has_one_of,
    move_jobs,
    place_with_mark,
)
from jupyter_envstore.database.sqlite import database_file
from jupyter_envstore.database.store_identity import identify, identity_of
from jupyter_envstore.errors import ForeignFilesError, StorageError
from jupyter_envstore.spec.selectors import current_subdir

SEEN = timedelta(minutes=1)
"""How old it may be that servers which share a database were seen."""


def check_database(config: StoreConfig, database: Database) -> None:
    """Refuse a database without any table if the folder belongs to a store: that one is in another database.

    Called before anything is made in the database; :func:`check_identity` looks at what is in one with tables.

    Raises
    ------
    StorageError
        The database is not there, or is empty, and the folder belongs to a store.
    """
    if not read_mark(config)[1]:
        return
    file = database_file(config.url)
    is_there = file is None or Path(file).exists()
    if not is_there or database.revision() is None:
        raise ForeignFilesError(_of_other_store(config, database, "is empty" if is_there else "is not there"))


def _of_other_store(config: StoreConfig, database: Database, what: str) -> str:
    left = database_file(replace(config, database_url="").url)
    way = (
        f"the one in {left} is moved there with: jupyter envstore move-database"
        if config.database_url and left is not None and Path(left).exists()
        else "set database_url to that one, or choose another root_dir"
    )
    return (
        f"the folder {config.root} belongs to a store in another database; {database.kind.place} {what}: {way}. "
        f"If that store is gone for good, remove {config.root / MARK} and {config.builds / DISK}; its environments are "
        "collected then"
    )


def is_settled(config: StoreConfig, database: Database) -> bool:
    """Whether the folder was used with this database before.

    Raises
    ------
    StorageError
        As for :func:`settle_place`.
    """
    with database.read() as session:
        return known_place(config, session) is not None and check_identity(config, database, session)


def name_store(config: StoreConfig, database: Database) -> None:
    """Have the store of a database have a name, before its bucket is claimed and the folder settled.

    Raises
    ------
    StorageError
        As for :func:`settle_place`.
    """
    with database.write() as session:
        check_identity(config, database, session)
        mark, store = read_mark(config)
        is_known = bool(mark) and place_with_mark(session, mark) is not None
        identity = identify(session, store if is_known else "")
        if store not in ("", identity.name):  # of a store that had nothing in this folder
            write_mark(config.root / MARK, mark, identity.name)


def settle_place(config: StoreConfig, database: Database) -> None:
    """Have the sessions of a database belong to the store's folder, which is made known there.

    A folder that lost its mark is known again by its host and path. Called again now and then by servers that share
    their database, so that others see that the folder is in use.

    Raises
    ------
    StorageError
        The mark cannot be read or written; the database cannot be used; the files of its store lie elsewhere; or the
        folder belongs to another store.
    """
    with database.read() as session:
        place = known_place(config, session)
        is_settled = check_identity(config, database, session)
    if place is None or not is_settled or (config.database_url and _is_outdated(config, place)):
        with database.write() as session:
            check_identity(config, database, session)
            place = _take_up(config, session)
            if database.place not in (0, place.id):
                move_jobs(session, database.place, place.id)
    database.place = place.id


def check_identity(config: StoreConfig, database: Database, session: Session) -> bool:
    """Make sure that folder and database belong to the same store, and the address of its files is the noted one.

    Returns
    -------
    bool
        Whether all of this is noted; False for a database or a folder that is used for the first time.

    Raises
    ------
    StorageError
        They do not, or the mark cannot be read.
    """
    mark, store = read_mark(config)
    identity = identity_of(session)
    if identity is None:
        if store and place_with_mark(session, mark) is None and not _is_bare(config):
            raise ForeignFilesError(_of_other_store(config, database, "has none"))
        return False
    if store not in ("", identity.name):
        raise ForeignFilesError(_of_other_store(config, database, "has another one"))
    return check_address(session, config, identity) and bool(store)


def _is_bare(config: StoreConfig) -> bool:
    """Whether nothing is in the folder that could be lost: then it may belong to any store."""
    kept = (config.builds.glob("[!.]*"), (config.blobs / "sha256").glob("*/*"))
    return not any(next(paths, None) for paths in kept)


def known_place(config: StoreConfig, session: Session) -> Place | None:
    """Return the place with the mark of the store's folder; None if there is none.

    Raises
    ------
    StorageError
        The mark cannot be read.
    """
    mark, _ = read_mark(config)
    return place_with_mark(session, mark) if mark else None


def _is_outdated(config: StoreConfig, place: Place) -> bool:
    return now() - place.seen_on > SEEN or not place.root_dir


def _take_up(config: StoreConfig, session: Session) -> Place:
    """Return the place of the folder, made where there is none; that it was seen is noted."""
    mark, store = read_mark(config)  # another process may have written it meanwhile
    place = place_with_mark(session, mark) if mark else None
    identity = identify(session, store if place is not None else "")
    if not check_address(session, config, identity):
        identity.blob_url = address_of_files(config)
    place = place or _lost(config, session)
    if place is None:
        others = all_places(session)
        if others and not config.blob_url:
            raise StorageError(files_elsewhere(config, others[0]))
        known = {"root_dir": "", "host": "", "platform": current_subdir()}
        place = Place(mark=mark or uuid.uuid4().hex, **known, seen_on=now())
        session.add(place)
    if place.host != _host() or not _has_mark(place.root_dir, place.mark):  # else it has two names here
        place.root_dir, place.host = config.root_dir, _host()
    place.platform, place.seen_on = current_subdir(), now()
    session.flush()
    if (mark, store) != (place.mark, identity.name):
        if mark != place.mark and mark and disk_mark(config) == mark:
            write_mark(config.builds / DISK, place.mark)
        write_mark(config.root / MARK, place.mark, identity.name)
    return place


def _lost(config: StoreConfig, session: Session) -> Place | None:
    """Return the place that this folder is, although it has no mark or one that nobody knows.

    Prefixes alone do not tell: several folders may have the same ones. They do for a store of an older version, whose
    place has no path yet.
    """
    others = [found.place for found in all_places(session)]
    names = list(islice((path.name for path in config.builds.glob("[!.]*")), MOST_ASKED))
    for place in others:
        if (place.host, place.root_dir) == (_host(), config.root_dir):
            is_this = has_one_of(session, place.id, names)
            if config.database_url and not is_this and not _is_outdated(config, place) and count_at(session, place.id):
                raise StorageError(_in_use(config, place))
            return place
    if not config.database_url and len(others) == 1:  # the database itself is in this folder
        return others[0]
    for place in others:
        was_moved = place.host == _host() and not _has_mark(place.root_dir, place.mark)
        if (not place.root_dir or was_moved) and has_one_of(session, place.id, names):
            return place
    return None


def _has_mark(folder: str, mark: str) -> bool:
    try:
        return bool(folder) and (Path(folder) / MARK).read_text(encoding="utf-8").partition("\n")[0] == mark
    except (OSError, ValueError):
        return False


def _host() -> str:
    return socket.gethostname()


def _in_use(config: StoreConfig, place: Place) -> str:
    seconds = (now() - place.seen_on).total_seconds()
    return (
        f"{config.root} of {place.host} was used {seconds:.0f} s ago, and has environments that are not here: machines "
        f"that share a store need different host names. If it is the same folder, wait for a minute and try again"
    )


def files_elsewhere(config: StoreConfig, other: PlaceUse) -> str:
    """Say why a second folder without a bucket is of no use."""
    return (
        f"the database belongs to the store in {other.place.root_dir or 'another folder'} "
        f"of {other.place.host or 'another machine'}, and {config.root} has none of its artifacts and records: mount "
        f"that folder as root_dir, or let all share a bucket (blob_url). If that folder is gone for good: "
        f"jupyter envstore forget-place {other.place.id}"
    )
