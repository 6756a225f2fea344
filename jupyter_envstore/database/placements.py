"""Places, and which prefixes they have: what is *here* in one folder is not in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from jupyter_envstore.database.clock import now
from jupyter_envstore.database.jobs import ANY_PLACE, AT_HOME
from jupyter_envstore.database.models import Build, Job, Place, Placement
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import JOB_CANCELED, JOB_QUEUED, JOB_RUNNING

PACKED_AWAY = "packed away"
MOST_ASKED = 200
"""How many prefixes of a folder are asked for at once."""


class PlaceUse(NamedTuple):
    """A place, how many prefixes it has, how many jobs wait for it, and how many its scheduler started."""

    place: Place
    prefixes: int
    waiting: int
    running: int


def note_here(session: Session, build_id: int) -> None:
    """Note that the prefix of a build is here."""
    session.merge(Placement(build_id=build_id, place_id=place_of(session), since=now()))
    _forget_what_was_read(session, build_id)


def note_gone(session: Session, build_id: int, everywhere: bool = False) -> None:
    """Note that the prefix of a build is not here any more; with ``everywhere``, that no place has it."""
    where = [] if everywhere else [Placement.place_id == place_of(session)]
    session.execute(delete(Placement).where(Placement.build_id == build_id, *where))
    _forget_what_was_read(session, build_id)


def _forget_what_was_read(session: Session, build_id: int) -> None:
    session.flush()
    build = session.identity_map.get(session.identity_key(Build, build_id))
    if build is not None:
        session.refresh(build, ["is_here"])


def places_of(session: Session, build_ids: Collection[int]) -> dict[int, list[Place]]:
    """Return the places other than this one that have the prefixes of builds."""
    query = select(Placement.build_id, Place).join(Place, Place.id == Placement.place_id)
    query = query.where(Placement.build_id.in_(build_ids), Placement.place_id != place_of(session))
    found: dict[int, list[Place]] = defaultdict(list)
    for build_id, place in session.execute(query.order_by(Place.id)):
        found[build_id].append(place)
    return found


def where_it_is(session: Session, build: Build) -> str:
    """Return in words where the prefix of a completed build is that is not here, to stand behind "it is"."""
    others = [f"in {place.root_dir} of {place.host}" for place in places_of(session, [build.id])[build.id]]
    return " and ".join(others) or PACKED_AWAY


def place_with_mark(session: Session, mark: str) -> Place | None:
    """Return the place whose folder has this mark."""
    return session.scalars(select(Place).where(Place.mark == mark)).first()


def has_one_of(session: Session, place_id: int, directories: Iterable[str]) -> bool:
    """Whether a place is said to have one of these prefixes, of which there are :data:`MOST_ASKED` at most."""
    query = select(Build.id).join(Placement, Placement.build_id == Build.id)
    query = query.where(Placement.place_id == place_id, Build.directory.in_(list(directories)))
    return session.scalars(query.limit(1)).first() is not None


def count_at(session: Session, place_id: int) -> int:
    """Return how many prefixes a place is said to have."""
    return session.scalar(select(func.count()).where(Placement.place_id == place_id)) or 0


def all_places(session: Session) -> list[PlaceUse]:
    """Return all places, in the order in which they came."""
    prefixes = select(func.count()).where(Placement.place_id == Place.id).scalar_subquery()
    waiting = select(func.count()).where(Job.place_id == Place.id, Job.state == JOB_QUEUED).scalar_subquery()
    running = select(func.count()).where(Job.runner_id == Place.id, Job.state == JOB_RUNNING).scalar_subquery()
    return [PlaceUse(*row) for row in session.execute(select(Place, prefixes, waiting, running).order_by(Place.id))]


def move_jobs(session: Session, before: int, after: int) -> None:
    """Give what waits for a place that was forgotten to the one that its folder is now."""
    waiting = update(Job).where(Job.place_id == before, Job.state == JOB_QUEUED)
    session.execute(waiting.values(place_id=after))


def forget_places(session: Session, ids: Collection[int] | None = None) -> None:
    """Forget places that are gone with all that they had; builds that wait for one are made in any other.

    Parameters
    ----------
    ids : collection of int or None
        Which places; None for all: then all that waits is done in the next one.
    """
    placements, places, jobs = delete(Placement), delete(Place), update(Job).where(Job.place_id != ANY_PLACE)
    if ids is not None:
        placements, places = placements.where(Placement.place_id.in_(ids)), places.where(Place.id.in_(ids))
        jobs = jobs.where(Job.place_id.in_(ids))
        started = update(Job).where(Job.runner_id.in_(ids))
        session.execute(started.values(runner_id=ANY_PLACE))
        useless = jobs.where(Job.kind.in_(AT_HOME), Job.state == JOB_QUEUED)
        session.execute(useless.values(state=JOB_CANCELED, reason="its folder is gone", ended_on=now()))
    session.execute(placements)
    session.execute(places)
    session.execute(jobs.values(place_id=ANY_PLACE))
