"""Active builds of all environments, and others that are offered beside them: what kernels are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.database.models import Build, BuildPackage, Environment, Namespace, Package
from jupyter_envstore.database.states import COMPLETED


class RecordedEnvironment(NamedTuple):
    """An environment with a build, for who brings it elsewhere.

    Parameters
    ----------
    record_digest : str
        SHA-256 of the build record.
    packages : frozenset of str
        Those of its packages that were asked for.
    active : bool
        Whether it is the active build.
    """

    environment_id: int
    namespace: str
    name: str
    build_id: int
    number: int
    directory: str
    present: bool
    record_digest: str
    packages: frozenset[str]
    active: bool


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


def recorded_environments(
    session: Session, names: Collection[str], ids: Collection[int] | None = None
) -> list[RecordedEnvironment]:
    """Return environments whose active build has a record.

    Parameters
    ----------
    names : collection of str
        Packages that are looked for in them.
    ids : collection of int or None
        Which environments; None for all.
    """
    chosen = [] if ids is None else [Environment.id.in_(ids)]
    return _recorded(session, names, Build.id == Environment.current_build_id, chosen)


def recorded_builds(session: Session, names: Collection[str], ids: Collection[int]) -> list[RecordedEnvironment]:
    """Return completed builds with a record by their ids, active or not, each with its environment.

    Parameters
    ----------
    names : collection of str
        Packages that are looked for in them.
    """
    chosen = [Build.id.in_(ids), Build.status == COMPLETED, Build.deleted_on.is_(None)]
    return _recorded(session, names, Build.environment_id == Environment.id, chosen)


def _recorded(
    session: Session, names: Collection[str], joined: Any, chosen: Sequence[Any]
) -> list[RecordedEnvironment]:
    """Return environments with the builds that are joined to them and have a record."""
    found = select(BuildPackage.build_id, Package.name).join(Package, Package.id == BuildPackage.package_id)
    found = found.join(Build, Build.id == BuildPackage.build_id).join(Environment, joined)
    packages: dict[int, set[str]] = defaultdict(set)
    for build_id, name in session.execute(found.where(Package.name.in_(names), *chosen)):
        packages[build_id].add(name)
    query = (
        select(
            Environment.id, Namespace.name, Environment.name, Build.id, Build.number, Build.directory,
            Build.is_here, Build.record_digest, Environment.current_build_id,
        )
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .join(Build, joined)
        .where(Environment.deleted_on.is_(None), Build.record_digest.is_not(None), *chosen)
        .order_by(Namespace.name, Environment.name)
    )  # fmt: skip
    return [
        RecordedEnvironment(*row[:7], row[7] or "", frozenset(packages[row[3]]), row[3] == row[8])
        for row in session.execute(query)
    ]


def _with_builds(joined: Any, *kept: Any) -> Any:
    return (
        select(
            Environment.id,
            Namespace.name,
            Environment.name,
            Build.id,
            Build.number,
            Build.directory,
            Build.is_here,
        )
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .outerjoin(Build, joined)
        .where(Environment.deleted_on.is_(None), *kept)
    )


def _rows(session: Session, query: Any) -> list[ActiveBuild]:
    return [ActiveBuild._make((*row[:7], True)) for row in session.execute(query)]


_ACTIVE = _with_builds(Build.id == Environment.current_build_id)
