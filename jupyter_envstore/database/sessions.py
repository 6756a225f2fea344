"""Sessions that know which place *here* is: the folder of the process that asks."""

from __future__ import annotations

from sqlalchemy import Result, event
from sqlalchemy.orm import ORMExecuteState, Session

from jupyter_envstore.database.models import PLACE_PARAMETER

PLACE = "place"
"""Key of the place's number in what a session carries; without one, nothing is here."""


class PlacedSession(Session):
    """A session whose queries are asked for one place."""


@event.listens_for(PlacedSession, "do_orm_execute")
def _ask_for_place(state: ORMExecuteState) -> Result[tuple[object, ...]] | None:
    """Give queries the place; SQLAlchemy ignores it in those that do not ask for one."""
    place = place_of(state.session)
    if not place or not state.is_select:
        return None
    state.parameters = state.parameters or {}  # invoke_statement takes no None
    return state.invoke_statement(params={PLACE_PARAMETER: place})


def place_of(session: Session) -> int:
    """Return the number of the place that a session belongs to; 0 for none."""
    found: int = session.info.get(PLACE, 0)
    return found
