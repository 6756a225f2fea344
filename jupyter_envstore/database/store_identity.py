"""What a store is: a name that nobody else has, and where its files are."""

from __future__ import annotations

import uuid

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.models import Blob, StoreIdentity

ONLY = 1
"""The number of the row: a database has one store."""


def identity_of(session: Session) -> StoreIdentity | None:
    """Return what the store of a database is; None for one that nobody has opened yet."""
    return session.get(StoreIdentity, ONLY)


def new_name() -> str:
    """Return a name that no store has."""
    return uuid.uuid4().hex


def identify(session: Session, name: str = "") -> StoreIdentity:
    """Return what the store is; from now on it has a name. Only one process at a time may write.

    Parameters
    ----------
    name : str
        The name of a store that has none in its database, but elsewhere; empty for a new one.
    """
    found = identity_of(session)
    if found is None:
        found = StoreIdentity(id=ONLY, name=name or new_name())
        session.add(found)
        session.flush()
    return found


def has_files(session: Session) -> bool:
    """Whether the store has any file."""
    return bool(session.scalar(select(exists(select(Blob.digest)))))
