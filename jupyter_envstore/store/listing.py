"""Pages of namespaces, environments and builds: filtered, sorted, and only what someone may see."""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, false, func, literal, or_, select, tuple_, union
from sqlalchemy.orm import Session, aliased

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.store.models import (
    ENTITY_KIND,
    NAMESPACE_KIND,
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
from jupyter_envstore.store.paging import STATUSES, EnvironmentRow, Filters, Page
from jupyter_envstore.store.states import COMPLETED, JOB_QUEUED, JOB_RUNNING, PREFIX_PRESENT, READY

LAST, OTHER = aliased(Build), aliased(Build)


def list_namespaces(session: Session, visible: Sequence[str] | None, page: Page) -> tuple[int, list[Namespace]]:
    """Return how many namespaces may be seen, and a page of them."""
    where: list[ColumnElement[bool]] = [Namespace.deleted_on.is_(None)]
    if visible is not None:
        names = sorted({entity.split("/")[0] for entity in visible})
        where.append(or_(false(), *(_like(Namespace.name_key, name) for name in names)))
    count = session.scalar(select(func.count()).select_from(Namespace).where(*where)) or 0
    columns = _columns(page, {"name": Namespace.name_key, "namespace": Namespace.name_key, "id": Namespace.id})
    order = [key.desc() if page.descending else key.asc() for key in columns or [Namespace.name_key]]
    return count, list(session.scalars(_cut(select(Namespace).where(*where).order_by(*order), page)))


def list_environments(session: Session, filters: Filters, page: Page) -> tuple[int, list[EnvironmentRow]]:
    """Return how many environments there are, and a page of them with the build that stands for each."""
    counting, query = _environments(filters, page)
    count = int(session.scalar(counting) or 0)
    found = [(LISTED[0].of(row), LISTED[1].of(row, len(LISTED[0].keys)), row[-1]) for row in session.execute(query)]
    # namespaces apart: the same few would be read for each environment, their metadata parsed each time
    spaces = _rows_by_id(session, NAMESPACE, {environment.namespace_id for environment, _, _ in found})
    newest = _rows_by_id(session, LISTED[1], {last for _, build, last in found if build.id != last})
    return count, [
        EnvironmentRow(
            environment,
            spaces[environment.namespace_id],
            build if build.id else None,
            newest.get(last) or (build if last else None),
            spaces[environment.namespace_id].members,
        )
        for environment, build, last in found
    ]


@functools.lru_cache(128)
def _environments(filters: Filters, page: Page) -> tuple[Any, Any]:
    """Return the statements that count environments and read a page of them; making them takes as long as running.

    The page is cut first, from names alone; builds are looked up for what is left.
    """
    where: list[ColumnElement[bool]] = [Environment.deleted_on.is_(None), *where_names(filters), *_contents(filters)]
    if filters.status:
        where.append(Build.status == filters.status)
    named: Any = select(Environment.id).join(Namespace, Namespace.id == Environment.namespace_id)
    counting: Any = select(func.count()).select_from(Environment)
    if filters.visible is not None or filters.search or filters.namespace or filters.name:
        counting = counting.join(Namespace, Namespace.id == Environment.namespace_id)
    if filters.status or filters.packages or filters.artifact:
        shown = Build.id == func.coalesce(Environment.current_build_id, _newest())
        named, counting = named.outerjoin(Build, shown), counting.outerjoin(Build, shown)
    columns = _columns(page, {"namespace": Namespace.name_key, "name": Environment.name_key, "id": Environment.id})
    keys = [*(columns or [Namespace.name_key, Environment.name_key]), Environment.id]
    named = named.where(*where)
    if page.after:
        left, right = tuple_(*keys), tuple_(*page.after)
        named = named.where(left < right if page.descending else left > right)
    order = [key.desc() if page.descending else key.asc() for key in keys]
    cut = _cut(named.order_by(*order), page).subquery()
    query: Any = (
        select(*LISTED[0].columns, *LISTED[1].columns, LAST.id)
        .select_from(Environment)
        .join(cut, cut.c.id == Environment.id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .outerjoin(LAST, LAST.id == _newest())
        .outerjoin(Build, Build.id == func.coalesce(Environment.current_build_id, LAST.id))
        .order_by(*order)
    )
    return counting.where(*where), query


def _rows_by_id(session: Session, listed: Listed, ids: set[int]) -> dict[int, Any]:
    """Return rows by their ids."""
    return {row.id: row for row in map(listed.of, session.execute(listed.by_id, {"ids": [*ids]}))} if ids else {}


class Listed:
    """A model's columns as rows of plain values: an object of the model for each would take most of a listing's time.

    Parameters
    ----------
    left_out : sequence of str
        Columns that listings do not show.
    more : dict of str
        Further columns by their names.
    """

    def __init__(self, model: Any, left_out: Sequence[str] = (), **more: Any) -> None:
        known = [attribute.key for attribute in model.__mapper__.column_attrs if attribute.key not in left_out]
        self.keys = (*known, *more)
        self.columns = [*(getattr(model, key) for key in known), *more.values()]
        self.by_id = select(*self.columns).where(model.id.in_(bindparam("ids", expanding=True)))
        self._make: Callable[[Iterable[Any]], Any] = namedtuple(model.__name__, self.keys)._make  # type: ignore[attr-defined]

    def of(self, row: Sequence[Any], start: int = 0) -> Any:
        """Return the model's part of a row, by names."""
        return self._make(row[start : start + len(self.keys)])


LISTED = (Listed(Environment), Listed(Build, ["options", "text"]))
_MEMBERS = select(func.count()).where(RoleMapping.namespace_id == Namespace.id, RoleMapping.kind == NAMESPACE_KIND)
NAMESPACE = Listed(Namespace, members=_MEMBERS.correlate(Namespace).scalar_subquery())


def _newest() -> Any:
    """Return the id of the newest build of an environment, as a part of a query."""
    query = select(func.max(OTHER.id)).where(OTHER.environment_id == Environment.id, OTHER.deleted_on.is_(None))
    return query.correlate(Environment).scalar_subquery()


def list_builds(session: Session, filters: Filters, page: Page) -> tuple[int, list[tuple[Build, bool]]]:
    """Return how many builds there are, and a page of them, each with whether it is active; newest first."""
    where = [Build.deleted_on.is_(None), *where_names(filters), *_contents(filters)]
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
        select(Build, Environment.current_build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(*where)
    )
    names = ("id", "status", "scheduled_on", "started_on", "ended_on", "size")
    columns = _columns(page, {name: getattr(Build, name) for name in names})
    ordered = [column.desc() if page.descending else column.asc() for column in columns]
    query = query.order_by(*(ordered or [Build.id.asc() if page.descending is False else Build.id.desc()]), Build.id)
    return count, [(row[0], row[0].id == row[1]) for row in session.execute(_cut(query, page))]


_READY = (
    select(Artifact)
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
    for artifact in session.scalars(_READY, {"ids": [*found]}):
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
        where.append(Package.name == name if exact else Package.name.contains(name, autoescape=True))
    if build:
        where.append(Package.build.contains(build, autoescape=True))
    base = select(Package).join(BuildPackage, BuildPackage.package_id == Package.id).where(*where)
    count = session.scalar(select(func.count()).select_from(base.subquery())) or 0
    columns = _columns(page, {"name": Package.name, "version": Package.version, "channel": Package.channel})
    columns = columns or [Package.name]
    ordered = [column.desc() if page.descending else column.asc() for column in columns]
    return count, list(session.scalars(_cut(base.order_by(*ordered, Package.id), page)))


def packages_found(session: Session, build_ids: Sequence[int], names: Sequence[str]) -> dict[int, list[dict[str, str]]]:
    """Return name and version of the packages of each build that a filter's names mean, in the order of names."""
    found: dict[int, list[dict[str, str]]] = {build_id: [] for build_id in build_ids}
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
        select(Environment.namespace_id, func.count(Build.id), func.sum(Build.own_size))
        .join(Environment, Environment.id == Build.environment_id)
        .where(Build.deleted_on.is_(None), Environment.namespace_id.in_(ids))
        .group_by(Environment.namespace_id)
    )
    counted = {row[0]: row[1] for row in session.execute(environments.group_by(Environment.namespace_id))}
    built = {row[0]: (row[1], row[2] or 0) for row in session.execute(builds)}
    made = artifact_bytes(session, ids)
    return {
        namespace.name: {
            "num_environments": counted.get(namespace.id, 0),
            "num_builds": built.get(namespace.id, (0, 0))[0],
            "storage": int(built.get(namespace.id, (0, 0))[1]) + int(made.get(namespace.id, 0)),
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


def statistics(session: Session, ended_after: datetime) -> dict[str, Any]:
    """Return how many builds, jobs, environments and bytes there are, and what ended behind a moment."""
    builds = select(Build.status, func.count()).where(Build.deleted_on.is_(None)).group_by(Build.status)
    jobs = select(Job.state, func.count()).where(Job.state.in_((JOB_QUEUED, JOB_RUNNING))).group_by(Job.state)
    prefixes = select(func.sum(Build.own_size)).where(Build.prefix_state == PREFIX_PRESENT)
    ended = select(Build.status, Build.started_on, Build.ended_on).where(
        Build.ended_on > ended_after, Build.started_on.is_not(None)
    )
    return {
        "builds": dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in session.execute(builds)},
        "jobs": {JOB_QUEUED: 0, JOB_RUNNING: 0} | {row[0]: row[1] for row in session.execute(jobs)},
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


def _contents(filters: Filters) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for name in filters.packages:
        having = (
            select(BuildPackage.build_id)
            .join(Package, Package.id == BuildPackage.package_id)
            .where(_like(Package.name, name.lower()))
        )
        where.append(Build.id.in_(having))
    if filters.artifact == "prefix":
        where.append(Build.prefix_state == PREFIX_PRESENT)
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
    return column.like(escaped, escape="\\")  # type: ignore[no-any-return]


def _columns(page: Page, known: dict[str, Any]) -> list[Any]:
    for name in page.sort_by:
        if name not in known:
            msg = f"sort_by {name!r} is not known; known: {', '.join(known)}"
            raise InvalidInputError(msg)
    return [known[name] for name in dict.fromkeys(page.sort_by)]


def _cut(query: Any, page: Page) -> Any:
    if page.size is None:
        return query
    return query.offset((page.number - 1) * page.size).limit(page.size)
