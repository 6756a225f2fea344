"""What queued builds say of why they are not begun."""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import ANY_PLACE, BUILD
from jupyter_envstore.database.models import Build, Change, Job
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import JOB_QUEUED, QUEUED

WAITS = "waits: "
"""How the reason begins for which a queued build is not begun."""
MOST_TOLD = 100
"""How many builds are told at once what they wait for."""


def builds_to_tell(session: Session, why: str) -> list[int]:
    """Return builds that wait for a worker of this place, and do not say why; some of them where there are many.

    Parameters
    ----------
    why : str
        What they wait for; empty for their turn: then those that name something else.
    """
    mine = Job.place_id.in_((ANY_PLACE, place_of(session)))
    waits = exists().where(Job.build_id == Build.id, Job.kind == BUILD, Job.state == JOB_QUEUED, mine)
    says = Build.status_info != f"{WAITS}{why}" if why else Build.status_info.startswith(WAITS)
    return list(session.scalars(select(Build.id).where(Build.status == QUEUED, says, waits).limit(MOST_TOLD)))


def tell_why(session: Session, build_id: int, why: str) -> None:
    """Note what a build waits for that has not begun; empty where it is only its turn."""
    says = f"{WAITS}{why}" if why else ""
    mine = update(Build).where(Build.id == build_id, Build.status == QUEUED, Build.status_info != says)
    if session.scalars(mine.values(status_info=says).returning(Build.id)).first() is not None:
        session.add(Change(kind="build", subject_id=build_id, at=now()))
