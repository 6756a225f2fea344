"""Active builds of all environments, and others that are offered beside them: what kernels are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_envstore.database.models import Build, BuildPackage, Environment, Namespace, Package
from jupyter_envstore.database.states import COMPLETED, PREFIX_PRESENT


class ActiveBuild(NamedTuple):  # lighter than a dataclass: there is one for each environment, at each change
    """An environment, and where its active build is; None without one. Or another build, which is not ``active``."""

    environment_id: int
    namespace: str
    name: str
    build_id: int | None
    number: int | None
    directory: str | None
    present: bool
    active: bool = True


def active_builds(session: Session) -> list[ActiveBuild]:
    """Return all environments with their active builds."""
    return _rows(session, _ACTIVE)


def other_builds(session: Session, build_ids: Sequence[int]) -> list[ActiveBuild]:
    """Return builds that are not active, of those that are still there, in the form of :func:`active_builds`."""
    wanted: Any = (Build.id.in_(build_ids), Build.deleted_on.is_(None), Build.status == COMPLETED)
    other = Build.id.is_distinct_from(Environment.current_build_id)
    query = _with_builds(Build.environment_id == Environment.id, *wanted, other)
    return [row._replace(active=False) for row in _rows(session, query)]


def packages_among(session: Session, build_id: int, names: Collection[str]) -> list[str]:
    """Return which of the named packages a build has."""
    query = select(Package.name).join(BuildPackage, BuildPackage.package_id == Package.id)
    return list(session.scalars(query.where(BuildPackage.build_id == build_id, Package.name.in_(names))))


def _with_builds(joined: Any, *kept: Any) -> Any:
    return (
        select(
            Environment.id,
            Namespace.name,
            Environment.name,
            Build.id,
            Build.number,
            Build.directory,
            Build.prefix_state,
        )
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .outerjoin(Build, joined)
        .where(Environment.deleted_on.is_(None), *kept)
    )


def _rows(session: Session, query: Any) -> list[ActiveBuild]:
    return [ActiveBuild._make((*row[:6], row[6] == PREFIX_PRESENT, True)) for row in session.execute(query)]


_ACTIVE = _with_builds(Build.id == Environment.current_build_id)
