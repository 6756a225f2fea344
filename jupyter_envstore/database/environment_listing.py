"""Pages of environments, each with the build that stands for it: two queries, however many there are."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from jupyter_envstore.database.listing_rows import BUILD, ENVIRONMENT, Listed
from jupyter_envstore.database.listings import order_columns, where_contents, where_names
from jupyter_envstore.database.models import NAMESPACE_KIND, Build, Environment, Namespace, RoleMapping
from jupyter_envstore.database.paging import EnvironmentRow, Filters, Page

OTHER = aliased(Build)
_MEMBERS = select(func.count()).where(RoleMapping.namespace_id == Namespace.id, RoleMapping.kind == NAMESPACE_KIND)
NAMESPACE = Listed(
    Namespace,
    ["metadata_"],
    metadata_=cast(Namespace.metadata_, Text),
    members=_MEMBERS.correlate(Namespace).scalar_subquery(),
)


def _newest() -> Any:
    """Return the id of the newest build of an environment, as a part of a query."""
    query = select(func.max(OTHER.id)).where(OTHER.environment_id == Environment.id, OTHER.deleted_on.is_(None))
    return query.correlate(Environment).scalar_subquery()


def list_environments(session: Session, filters: Filters, page: Page) -> tuple[int, list[EnvironmentRow]]:
    """Return how many environments there are, and a page of them with the build that stands for each: two queries."""
    counting, query = _environments(filters, page.sort_by, page.descending, len(page.after), page.size is None)
    count = int(session.scalar(counting) or 0)
    places = {f"after_{place}": value for place, value in enumerate(page.after)}
    if page.size is not None:
        places |= {"limit": page.size, "offset": (page.number - 1) * page.size}
    environments: dict[int, Any] = {}
    builds: dict[int, list[Any]] = {}
    spaces: dict[int, Any] = {}
    second, third = len(ENVIRONMENT.keys), len(ENVIRONMENT.keys) + len(BUILD.keys)
    for row in session.execute(query, places):
        if row[0] not in environments:
            environment = environments[row[0]] = ENVIRONMENT.of(row)
            builds[row[0]] = []
            if environment.namespace_id not in spaces:  # once for all of its environments: its metadata is parsed
                space = NAMESPACE.of(row, third)
                spaces[space.id] = space._replace(metadata_=json.loads(space.metadata_ or "{}"))
        if row[second] is not None:
            builds[row[0]].append(BUILD.of(row, second))
    return count, [_row(found, spaces[found.namespace_id], builds[found.id]) for found in environments.values()]


def _row(environment: Any, space: Any, builds: Sequence[Any]) -> EnvironmentRow:
    """Return an environment with its active build and its newest one, which may be the same."""
    newest = max(builds, key=lambda build: build.id, default=None)
    active = next((build for build in builds if build.id == environment.current_build_id), newest)
    return EnvironmentRow(environment, space, active, newest, space.members)


@functools.lru_cache(128)
def _environments(
    filters: Filters, sort_by: tuple[str, ...], descending: bool, after: int, everything: bool
) -> tuple[Any, Any]:
    """Return the statements that count environments and read a page of them; making them takes as long as running.

    The page is cut first, from names alone; what belongs to its environments is looked up for what is left. An
    environment has two rows where its newest build is not the active one.
    """
    where: list[ColumnElement[bool]] = [Environment.deleted_on.is_(None)]
    where += [*where_names(filters), *where_contents(filters)]
    if filters.status:
        where.append(Build.status == filters.status)
    known = {"namespace": Namespace.name_key, "name": Environment.name_key, "id": Environment.id}
    columns = order_columns(sort_by, known) or [Namespace.name_key, Environment.name_key]
    by_name = columns[0] is Namespace.name_key
    # SQLite goes through both indexes of names, and need not sort all there is, where it begins with the namespaces:
    # the sum keeps it from finding them by their ids ("The SQLite Query Optimizer Overview", unary "+")
    space_id = Namespace.id + 0 if by_name else Namespace.id
    named: Any = select(Environment.id).join(Namespace, space_id == Environment.namespace_id)
    counting: Any = select(func.count()).select_from(Environment)
    if filters.visible is not None or filters.search or filters.namespace or filters.name:
        counting = counting.join(Namespace, Namespace.id == Environment.namespace_id)
    if filters.status or filters.packages or filters.artifact:
        shown = Build.id == func.coalesce(Environment.current_build_id, _newest())
        named, counting = named.outerjoin(Build, shown), counting.outerjoin(Build, shown)
    keys = [*columns, Environment.id]
    named = named.where(*where)
    if after:
        left = tuple_(*keys)
        right = tuple_(*(bindparam(f"after_{place}", type_=key.type) for place, key in enumerate(keys)))
        named = named.where(left < right if descending else left > right)
    order = [key.desc() if descending else key.asc() for key in keys]
    named = named.order_by(*order)
    if not everything:
        named = named.limit(bindparam("limit", type_=BigInteger)).offset(bindparam("offset", type_=BigInteger))
    cut = named.subquery()
    query: Any = (
        select(*ENVIRONMENT.columns, *BUILD.columns, *NAMESPACE.columns)
        .select_from(Environment)
        .join(cut, cut.c.id == Environment.id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .outerjoin(Build, Build.id.in_([Environment.current_build_id, _newest()]))
        .order_by(*order)
    )
    return counting.where(*where), query
