"""How artifacts stand that somebody waits for: one question for all of them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.awaited_artifacts import GONE, Standing, Wanted
from jupyter_envstore.database.models import Artifact, Build
from jupyter_envstore.database.states import ABSENT


def standings(session: Session, wanted: Collection[Wanted]) -> dict[Wanted, Standing]:
    """Return how artifacts stand."""
    query = select(Build.id, Build.status, Artifact.type, Artifact.variant, Artifact.state)
    joined = query.outerjoin(Artifact, and_(Artifact.build_id == Build.id, Artifact.type.in_({w.kind for w in wanted})))
    there = joined.where(Build.id.in_({w.build for w in wanted}), Build.deleted_on.is_(None))
    builds: dict[int, str] = {}
    states: dict[Wanted, str] = {}
    for build, status, kind, variant, state in session.execute(there):
        builds[build] = status
        if kind is not None:
            states[Wanted(build, kind, variant)] = state
    return {w: Standing(builds[w.build], states.get(w, ABSENT)) if w.build in builds else GONE for w in wanted}
