"""Pages of namespaces, environments and builds: filtered, sorted, and only what someone may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, case, false, func, literal, or_, select, union
from sqlalchemy.orm import Session

from jupyter_envstore.database.kept_packages import bytes_of_namespaces
from jupyter_envstore.database.listing_rows import ARTIFACT, BUILD
from jupyter_envstore.database.models import (
    ENTITY_KIND,
    HERE,
    Artifact,
    Blob,
    BlobReference,
    Build,
    BuildPackage,
    Environment,
    Job,
    Namespace,
    Package,
    RoleMapping,
    Specification,
)
from jupyter_envstore.database.paging import STATUSES, Filters, Page
from jupyter_envstore.database.states import COMPLETED, JOB_QUEUED, JOB_RUNNING, READY
from jupyter_envstore.database.values import FoundVersion, Statistics
from jupyter_envstore.errors import InvalidInputError


def list_namespaces(session: Session, visible: Sequence[str] | None, page: Page) -> tuple[int, list[Namespace]]:
    """Return how many namespaces may be seen, and a page of them."""
    where: list[ColumnElement[bool]] = [Namespace.deleted_on.is_(None)]
    if visible is not None:
        names = sorted({entity.split("/")[0] for entity in visible})
        where.append(or_(false(), *(_like(Namespace.name_key, name) for name in names)))
    count = session.scalar(select(func.count()).select_from(Namespace).where(*where)) or 0
    known = {"name": Namespace.name_key, "namespace": Namespace.name_key, "id": Namespace.id}
    columns = order_columns(page.sort_by, known)
    order = ordered_by(columns or [Namespace.name_key], bool(page.descending))
    return count, list(session.scalars(_cut(select(Namespace).where(*where).order_by(*order), page)))


def list_builds(session: Session, filters: Filters, page: Page) -> tuple[int, list[tuple[Build, bool]]]:
    """Return how many builds there are, and a page of them, each with whether it is active; newest first."""
    where = [Build.deleted_on.is_(None), *where_names(filters), *where_contents(filters)]
    if filters.status:
        where.append(Build.status == filters.status)
    if filters.environment_id is not None:
        where.append(Build.environment_id == filters.environment_id)
    narrow = filters.visible is not None or filters.search or filters.namespace or filters.name
    counting: Any = select(func.count()).select_from(Build)
    if narrow:
        counting = counting.join(Environment, Environment.id == Build.environment_id)
        counting = counting.join(Namespace, Namespace.id == Environment.namespace_id)
    count = session.scalar(counting.where(*where)) or 0
    query: Any = (
        select(*BUILD.columns, Environment.current_build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(*where)
    )
    names = ("id", "status", "scheduled_on", "started_on", "ended_on", "size")
    columns = order_columns(page.sort_by, {name: getattr(Build, name) for name in names})
    ordered = ordered_by(columns, bool(page.descending))
    query = query.order_by(*(ordered or [Build.id.asc() if page.descending is False else Build.id.desc()]), Build.id)
    return count, [(BUILD.of(row), row.id == row[-1]) for row in session.execute(_cut(query, page))]


_READY = (
    select(*ARTIFACT.columns)
    # presence is taken for "can be downloaded as it is"
    .where(Artifact.build_id.in_(bindparam("ids", expanding=True)), Artifact.state == READY, Artifact.variant == "")
    .order_by(Artifact.id)
)
_MAPPINGS = (
    select(RoleMapping)
    .where(RoleMapping.namespace_id.in_(bindparam("ids", expanding=True)), RoleMapping.kind == ENTITY_KIND)
    .order_by(RoleMapping.id)
)


def artifacts_of(session: Session, build_ids: Sequence[int]) -> dict[int, list[Artifact]]:
    """Return the ready artifacts of these builds."""
    found: dict[int, list[Artifact]] = {build_id: [] for build_id in build_ids}
    for artifact in map(ARTIFACT.of, session.execute(_READY, {"ids": [*found]})):
        found[artifact.build_id].append(artifact)
    return found


def mappings_of(session: Session, namespace_ids: Sequence[int]) -> dict[int, list[RoleMapping]]:
    """Return the role mappings of these namespaces."""
    found: dict[int, list[RoleMapping]] = {namespace_id: [] for namespace_id in namespace_ids}
    for mapping in session.scalars(_MAPPINGS, {"ids": [*found]}):
        found[mapping.namespace_id].append(mapping)
    return found


def specifications_of(session: Session, builds: Sequence[Build]) -> dict[int, Specification]:
    """Return the specifications of these builds, by their ids."""
    wanted = {build.specification_id for build in builds}
    return {row.id: row for row in session.scalars(select(Specification).where(Specification.id.in_(wanted)))}


def list_packages(
    session: Session, build_id: int, search: str, exact: bool, build: str, page: Page
) -> tuple[int, list[Package]]:
    """Return how many packages a build has, and a page of them."""
    where: list[ColumnElement[bool]] = [BuildPackage.build_id == build_id]
    if search:
        name = search.lower()
        where.append(Package.name == name if exact else Package.name.icontains(name, autoescape=True))
    if build:
        where.append(Package.build.icontains(build, autoescape=True))
    base = select(Package).join(BuildPackage, BuildPackage.package_id == Package.id).where(*where)
    count = session.scalar(select(func.count()).select_from(base.subquery())) or 0
    known = {"name": Package.name, "version": Package.version, "channel": Package.channel}
    columns = order_columns(page.sort_by, known) or [Package.name]
    ordered = ordered_by(columns, bool(page.descending))
    return count, list(session.scalars(_cut(base.order_by(*ordered, Package.id), page)))


def packages_found(session: Session, build_ids: Sequence[int], names: Sequence[str]) -> dict[int, list[FoundVersion]]:
    """Return name and version of the packages of each build that a filter's names mean, in the order of names."""
    found: dict[int, list[FoundVersion]] = {build_id: [] for build_id in build_ids}
    meant = [_like(Package.name, name.lower()) for name in names]
    query = (
        select(BuildPackage.build_id, Package.name, Package.version)
        .join(Package, Package.id == BuildPackage.package_id)
        .where(BuildPackage.build_id.in_(build_ids), or_(false(), *meant))
        .order_by(Package.name)
    )
    for build_id, name, version in session.execute(query):
        found[build_id].append({"name": name, "version": version})
    return found


def usage(session: Session, visible: Sequence[str] | None) -> dict[str, dict[str, int]]:
    """Return environments, builds and bytes of each namespace that may be seen."""
    _, namespaces = list_namespaces(session, visible, Page(size=None))
    ids = [namespace.id for namespace in namespaces]
    environments = select(Environment.namespace_id, func.count()).where(Environment.deleted_on.is_(None))
    builds = (
        select(Environment.namespace_id, func.count(Build.id), func.sum(case((HERE, Build.own_size), else_=0)))
        .join(Environment, Environment.id == Build.environment_id)
        .where(Build.deleted_on.is_(None), Environment.namespace_id.in_(ids))
        .group_by(Environment.namespace_id)
    )
    counted = {row[0]: row[1] for row in session.execute(environments.group_by(Environment.namespace_id))}
    built = {row[0]: (row[1], row[2] or 0) for row in session.execute(builds)}
    made = artifact_bytes(session, ids)
    kept = bytes_of_namespaces(session, ids)
    return {
        namespace.name: {
            "num_environments": counted.get(namespace.id, 0),
            "num_builds": built.get(namespace.id, (0, 0))[0],
            "storage": int(built.get(namespace.id, (0, 0))[1]) + made.get(namespace.id, 0) + kept.get(namespace.id, 0),
            "kept_packages": kept.get(namespace.id, 0),
        }
        for namespace in namespaces
    }


def artifact_bytes(session: Session, namespace_ids: Sequence[int], *where: ColumnElement[bool]) -> dict[int, int]:
    """Return the bytes of the ready artifacts of namespaces; builds whose artifacts are the same share them.

    Of artifacts that consist of parts, such as images, each part counts once.
    """
    ready = (Build.deleted_on.is_(None), Artifact.state == READY, Environment.namespace_id.in_(namespace_ids), *where)
    parts = BlobReference.owner == literal("artifact:", String) + Artifact.id.cast(String) + ":parts"
    has_parts = select(BlobReference.digest).where(parts).exists()
    files = (
        select(Environment.namespace_id, Artifact.digest, Artifact.size)
        .join(Build, Build.id == Artifact.build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .where(*ready, ~has_parts)
    )
    pieces = (
        select(Environment.namespace_id, Blob.digest, Blob.size)
        .select_from(Artifact)
        .join(Build, Build.id == Artifact.build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .join(BlobReference, parts)
        .join(Blob, Blob.digest == BlobReference.digest)
        .where(*ready)
    )
    distinct = union(files, pieces).subquery()
    query = select(distinct.c.namespace_id, func.sum(distinct.c.size)).group_by(distinct.c.namespace_id)
    return {row[0]: int(row[1] or 0) for row in session.execute(query)}


def statistics(session: Session, ended_after: datetime) -> Statistics:
    """Return how many builds, jobs, environments and bytes there are, and what ended behind a moment."""
    builds = select(Build.status, func.count()).where(Build.deleted_on.is_(None)).group_by(Build.status)
    jobs = select(Job.state, func.count()).where(Job.state.in_((JOB_QUEUED, JOB_RUNNING))).group_by(Job.state)
    running = select(Job.executor, Job.host, func.count()).where(Job.state == JOB_RUNNING)
    prefixes = select(func.sum(Build.own_size)).where(HERE)
    ended = select(Build.status, Build.started_on, Build.ended_on).where(
        Build.ended_on > ended_after, Build.started_on.is_not(None)
    )
    return {
        "builds": dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in session.execute(builds)},
        "jobs": {JOB_QUEUED: 0, JOB_RUNNING: 0} | {row[0]: row[1] for row in session.execute(jobs)},
        "running": [
            (executor or "none", host.partition(":")[0] or "none yet", count)
            for executor, host, count in session.execute(running.group_by(Job.executor, Job.host))
        ],
        "environments": session.scalar(select(func.count()).where(Environment.deleted_on.is_(None))) or 0,
        "bytes": {
            "prefixes": int(session.scalar(prefixes) or 0),
            "blobs": int(session.scalar(select(func.sum(Blob.size))) or 0),
        },
        "ended": [(row[0], (row[2] - row[1]).total_seconds()) for row in session.execute(ended) if row[1] and row[2]],
    }


def where_names(filters: Filters, deleted: bool = False) -> list[ColumnElement[bool]]:
    """Return conditions on names; a deleted row gave its key up, so with ``deleted`` the names themselves count."""
    where: list[ColumnElement[bool]] = []
    space_key: Any = func.lower(Namespace.name) if deleted else Namespace.name_key
    name_key: Any = func.lower(Environment.name) if deleted else Environment.name_key
    if filters.visible is not None:
        pairs = [entity.split("/", 1) for entity in filters.visible]
        where.append(
            or_(
                false(),
                *(and_(_like(space_key, space), _like(name_key, name)) for space, name in pairs),
            )
        )
    if filters.search:
        key = filters.search.lower()
        where.append(
            Environment.name_key.contains(key, autoescape=True) | Namespace.name_key.contains(key, autoescape=True)
        )
    if filters.namespace:
        where.append(Namespace.name_key == filters.namespace.lower())
    if filters.name:
        where.append(Environment.name_key == filters.name.lower())
    return where


def where_contents(filters: Filters) -> list[ColumnElement[bool]]:
    """Return conditions on what a build has: packages, artifacts."""
    where: list[ColumnElement[bool]] = []
    for name in filters.packages:
        having = (
            select(BuildPackage.build_id)
            .join(Package, Package.id == BuildPackage.package_id)
            .where(_like(Package.name, name.lower()))
        )
        where.append(Build.id.in_(having))
    if filters.artifact == "prefix":
        where.append(HERE)
    elif filters.artifact == "logs":
        where.append(Build.log_digest.is_not(None) | (Build.status == COMPLETED))
    elif filters.artifact:
        ready = select(Artifact.build_id).where(
            Artifact.type == filters.artifact, Artifact.state == READY, Artifact.variant == ""
        )
        where.append(Build.id.in_(ready))
    return where


def _like(column: Any, text: str) -> ColumnElement[bool]:
    """Match one part of an entity: ``*`` any characters, all others themselves."""
    if "*" not in text:
        return column == text  # type: ignore[no-any-return]
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return column.ilike(escaped, escape="\\")  # type: ignore[no-any-return]


def order_columns(sort_by: Sequence[str], known: Mapping[str, Any]) -> list[Any]:
    """Return the columns that a listing is sorted by.

    Raises
    ------
    InvalidInputError
        It cannot be sorted by one of them.
    """
    for name in sort_by:
        if name not in known:
            msg = f"sort_by {name!r} is not known; known: {', '.join(known)}"
            raise InvalidInputError(msg)
    return [known[name] for name in dict.fromkeys(sort_by)]


def ordered_by(columns: Sequence[Any], descending: bool) -> list[Any]:
    """Return columns to sort by; what is not known comes before all else, as SQLite has it and PostgreSQL has not."""
    given = [column.desc() if descending else column.asc() for column in columns]
    return [
        (key.nulls_last() if descending else key.nulls_first()) if getattr(column, "nullable", False) else key
        for key, column in zip(given, columns, strict=True)
    ]


def _cut(query: Any, page: Page) -> Any:
    if page.size is None:
        return query
    return query.offset((page.number - 1) * page.size).limit(page.size)
