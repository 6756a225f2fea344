"""A folder of a store that is gone for good, with its machine or its disk, is forgotten."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from jupyter_envstore.builds.own_place import check_database
from jupyter_envstore.builds.place_marks import read_mark
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.placements import all_places, forget_places
from jupyter_envstore.errors import ConflictError, NotFoundError
from jupyter_envstore.spec.wording import counted

IN_USE = timedelta(minutes=3)
"""How long a folder counts as in use whose server is not seen any more: it tells each minute that it is."""


@dataclass(frozen=True)
class ForgottenPlace:
    """What was forgotten.

    Parameters
    ----------
    name : str
        Host and folder.
    prefixes : int
        How many environments it had.
    waiting : int
        How many jobs waited for it.
    """

    name: str
    prefixes: int
    waiting: int


def forget_place(config: StoreConfig, number: int) -> ForgottenPlace:
    """Forget a folder other than this one; builds that wait for it are made in another.

    Records and artifacts stay. If the folder comes back all the same, it is a new one, and its prefixes are removed as
    those of no build.

    Raises
    ------
    NotFoundError
        There is none with this number.
    ConflictError
        It is the folder of this process.
    StorageError
        The database cannot be used.
    """
    with closing(Database(config.url)) as database:
        check_database(config, database)
        if database.revision() is None:
            msg = f"there is no store in {database.kind.place}"
            raise NotFoundError(msg)
        database.migrate()
        mine, _ = read_mark(config)  # a folder that is not known yet may take the place of one that is gone
        with database.write() as session:
            found = next((use for use in all_places(session) if use.place.id == number), None)
            if found is None:
                msg = f"the store has no folder #{number}; jupyter envstore doctor lists them"
                raise NotFoundError(msg)
            name = f"{found.place.root_dir} of {found.place.host}"
            if found.running:
                msg = f"#{number} is {name}, whose server has {counted(found.running, 'job')} running: stop it first"
                raise ConflictError(msg)
            if now() - found.place.seen_on < IN_USE and found.place.mark != mine:
                msg = f"#{number} is {name}, whose server was seen a moment ago: stop it, and try again in 3 minutes"
                raise ConflictError(msg)
            if found.place.mark == mine:
                msg = f"#{number} is {name}, the folder of this machine's store: it is in use"
                raise ConflictError(msg)
            forget_places(session, [number])
    return ForgottenPlace(name, found.prefixes, found.waiting)


def told(forgotten: ForgottenPlace) -> str:
    """Return in words what was forgotten."""
    prefixes, jobs = counted(forgotten.prefixes, "environment"), counted(forgotten.waiting, "waiting job")
    return f"{forgotten.name} is forgotten, with {prefixes} and {jobs}; kernels and restore bring each back elsewhere"
