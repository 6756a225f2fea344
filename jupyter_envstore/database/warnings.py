"""Warnings of builds: what people should know of an environment that can be used all the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Build, BuildWarning

COLLISION = "collision"
"""Two packages have one file."""
LINK_SCRIPT = "link_script"
"""A package has a script for its installation."""
OUTSIDE_LINK = "outside_link"
"""A link leads out of the environment."""
CHECK = "check"
"""Something that was asked for cannot be used."""
KERNEL = "kernel"
"""A kernel of a package is left out."""
ACTIVATION = "activation"
"""A package's activation complained."""
SPECIFICATION = "specification"
"""Something of the specification was decided or left out."""
PACKAGE = "package"
"""A package says of its files what is not so."""
KEPT_PACKAGES = "kept_packages"
"""The file of a package cannot be kept."""

MOST_WARNINGS = 200
"""How many warnings of a kind are kept of a build; the log has all."""
MOST_CHARACTERS = 2000


class WarningView(TypedDict):
    """A warning as JSON, for the API and the command line; ``package`` and ``path`` are empty where there is none."""

    kind: str
    package: str
    path: str
    message: str


def add_warning(session: Session, build_id: int, kind: str, message: str, package: str = "", path: str = "") -> bool:
    """Keep a warning of a build; return False where it is known, or there are :data:`MOST_WARNINGS` of its kind."""
    package, path, message = package[:255], path[:MOST_CHARACTERS], message[:MOST_CHARACTERS]
    same = (BuildWarning.build_id == build_id, BuildWarning.kind == kind)
    known = select(BuildWarning.id).where(
        *same, BuildWarning.package == package, BuildWarning.path == path, BuildWarning.message == message
    )
    if session.scalar(known.limit(1)) is not None:
        return False
    if (session.scalar(select(func.count()).select_from(BuildWarning).where(*same)) or 0) >= MOST_WARNINGS:
        return False
    session.add(
        BuildWarning(build_id=build_id, kind=kind, package=package, path=path, message=message, created_on=now())
    )
    session.get_one(Build, build_id).warning_count += 1
    return True


def clear_warnings(session: Session, build_id: int, kinds: Collection[str]) -> None:
    """Forget the warnings of some kinds: what found them looks again."""
    session.execute(delete(BuildWarning).where(BuildWarning.build_id == build_id, BuildWarning.kind.in_(kinds)))
    left = select(func.count()).select_from(BuildWarning).where(BuildWarning.build_id == build_id)
    session.get_one(Build, build_id).warning_count = session.scalar(left) or 0


def warnings_of(session: Session, build_id: int) -> list[WarningView]:
    """Return the warnings of a build, in the order in which they were found."""
    query = select(BuildWarning).where(BuildWarning.build_id == build_id).order_by(BuildWarning.id)
    return [
        {"kind": row.kind, "package": row.package, "path": row.path, "message": row.message}
        for row in session.scalars(query)
    ]
