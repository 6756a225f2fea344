"""The place of this process: the store's folder, known to the database by a mark in a file."""

from __future__ import annotations

import contextlib
import socket
import uuid
from datetime import timedelta
from itertools import islice
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Place
from jupyter_envstore.database.placements import PlaceUse, all_places, has_one_of, move_jobs, place_with_mark
from jupyter_envstore.errors import StorageError
from jupyter_envstore.private_files import write_private
from jupyter_envstore.spec.selectors import current_subdir

MARK = "place"
"""Name of the file with the mark."""
SEEN = timedelta(minutes=1)
"""How old it may be that servers which share a database were seen."""
MOST_ASKED = 200
"""How many prefixes of a folder are asked for to know it again."""


def settle_place(config: StoreConfig, database: Database) -> None:
    """Have the sessions of a database belong to the store's folder, which is made known there.

    A folder that lost its mark is known again by its host and path. Called again now and then by servers that share
    their database, so that others see that the folder is in use.

    Raises
    ------
    StorageError
        The mark cannot be read or written; the database cannot be used; or the files of its store lie in another
        folder alone.
    """
    with database.read() as session:
        place = known_place(config, session)
    if place is None or (config.database_url and _is_outdated(config, place)):
        with database.write() as session:
            place = _take_up(config, session)
            if database.place not in (0, place.id):
                move_jobs(session, database.place, place.id)
    database.place = place.id


def known_place(config: StoreConfig, session: Session) -> Place | None:
    """Return the place with the mark of the store's folder; None if there is none.

    Raises
    ------
    StorageError
        The mark cannot be read.
    """
    mark = read_mark(config)
    return place_with_mark(session, mark) if mark else None


def _is_outdated(config: StoreConfig, place: Place) -> bool:
    return now() - place.seen_on > SEEN or not place.root_dir


def _take_up(config: StoreConfig, session: Session) -> Place:
    """Return the place of the folder, made where there is none; that it was seen is noted."""
    mark = read_mark(config)  # another process may have written it meanwhile
    place = (place_with_mark(session, mark) if mark else None) or _lost(config, session)
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
    if mark != place.mark:
        try:
            write_private(config.root / MARK, f"{place.mark}\n")
        except OSError as error:
            msg = f"{config.root / MARK} cannot be written: {error.strerror}"
            raise StorageError(msg) from None
    return place


def _lost(config: StoreConfig, session: Session) -> Place | None:
    """Return the place that this folder is, although it has no mark or one that nobody knows.

    Prefixes alone do not tell: several folders may have the same ones. They do for a store of an older version, whose
    place has no path yet.
    """
    others = [found.place for found in all_places(session)]
    for place in others:
        if (place.host, place.root_dir) == (_host(), config.root_dir):
            return place
    if not config.database_url and len(others) == 1:  # the database itself is in this folder
        return others[0]
    names = list(islice((path.name for path in config.builds.glob("[!.]*")), MOST_ASKED))
    for place in others:
        was_moved = place.host == _host() and not _has_mark(place.root_dir, place.mark)
        if (not place.root_dir or was_moved) and has_one_of(session, place, names):
            return place
    return None


def _has_mark(folder: str, mark: str) -> bool:
    try:
        return bool(folder) and (Path(folder) / MARK).read_text(encoding="utf-8").strip() == mark
    except (OSError, ValueError):
        return False


def _host() -> str:
    return socket.gethostname()


def files_elsewhere(config: StoreConfig, other: PlaceUse) -> str:
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
