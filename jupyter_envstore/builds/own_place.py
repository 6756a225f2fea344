"""The place of this process: the store's folder, known to the database by a mark in a file."""

from __future__ import annotations

import contextlib
import socket
import uuid
from itertools import islice

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Place
from jupyter_envstore.database.placements import PlaceUse, all_places, place_with_mark, place_with_prefixes
from jupyter_envstore.errors import StorageError
from jupyter_envstore.private_files import write_private

MARK = "place"
"""Name of the file with the mark."""
MOST_ASKED = 200
"""How many prefixes of a folder are asked for to know it again."""


def settle_place(config: StoreConfig, database: Database) -> None:
    """Have the sessions of a database belong to the store's folder, which is made known there.

    A folder without a mark is known by the prefixes that it has: it lost the file, or has had none yet.

    Raises
    ------
    StorageError
        The mark cannot be read or written; the database cannot be used; or the files of its store lie in another
        folder alone.
    """
    database.place = 0
    mark = read_mark(config)
    with database.read() as session:
        place = place_with_mark(session, mark) if mark else None
    if place is None or place.root_dir != config.root_dir:
        with database.write() as session:
            place = _take_up(config, session)
    database.place = place.id


def _take_up(config: StoreConfig, session: Session) -> Place:
    mark = read_mark(config)  # another process may have written it meanwhile
    place = place_with_mark(session, mark) if mark else None
    if place is None and not mark:
        names = (path.name for path in config.builds.glob("[!.]*"))
        place = place_with_prefixes(session, list(islice(names, MOST_ASKED)))
    if place is None:
        others = all_places(session)
        if not config.database_url and len(others) == 1:  # the database itself is in this folder
            place = others[0].place
        elif others and not config.blob_url:
            raise StorageError(_files_elsewhere(config, others[0]))
    if place is None:
        place = Place(mark=mark or uuid.uuid4().hex, root_dir="", host="", opened_on=now())
        session.add(place)
    place.root_dir, place.host, place.opened_on = config.root_dir, socket.gethostname(), now()
    session.flush()
    if not mark:
        try:
            write_private(config.root / MARK, f"{place.mark}\n")
        except OSError as error:
            msg = f"{config.root / MARK} cannot be written: {error.strerror}"
            raise StorageError(msg) from None
    return place


def _files_elsewhere(config: StoreConfig, other: PlaceUse) -> str:
    """Say why a second folder without a bucket is of no use."""
    return (
        f"the database belongs to the store in {other.place.root_dir or 'another folder'} "
        f"of {other.place.host or 'another machine'}, and {config.root} has none of its artifacts and records: mount "
        f"that folder as root_dir, or let all share a bucket (blob_url). If that folder is gone for good: "
        f"jupyter envstore forget-place {other.place.id}"
    )


def read_mark(config: StoreConfig) -> str:
    """Return the mark of the store's folder, empty where it has none.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            return (config.root / MARK).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        msg = f"{config.root / MARK} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise StorageError(msg) from None
    return ""
