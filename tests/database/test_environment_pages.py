"""Pages of environments: which build stands for each, in which order, and how the database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.models import NAMESPACE_KIND, Build, Environment, Namespace, RoleMapping, Specification
from jupyter_envstore.database.paging import Filters, Page

BUILDS = {"ready": (2, 1), "behind": (3, 0), "never": (1, None), "empty": (0, None)}
"""How many builds an environment has, and which of them is active."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Four environments in each of three namespaces, made in another order than that of their names."""
    made = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    made.migrate()
    with made.write() as session:
        specification = Specification(name="s", sha256="0", spec={}, text="", is_lockfile=False, created_on=now())
        session.add(specification)
        for space_name in ("c", "a", "b"):
            metadata = {"team": space_name}
            space = Namespace(name=space_name, name_key=space_name, metadata_=metadata, created_on=now())
            session.add(space)
            session.flush()
            mapping = {"kind": NAMESPACE_KIND, "entity": "b", "role": "viewer", "created_on": now()}
            session.add(RoleMapping(namespace_id=space.id, **mapping))
            for name, (count, active) in BUILDS.items():
                environment = Environment(namespace_id=space.id, name=name, name_key=name, created_on=now())
                session.add(environment)
                session.flush()
                builds = [
                    Build(
                        environment_id=environment.id, specification_id=specification.id, number=number,
                        key=f"{space_name}-{name}-{number}", directory="d", status="COMPLETED", scheduled_on=now(),
                    )
                    for number in range(1, count + 1)
                ]  # fmt: skip
                session.add_all(builds)
                session.flush()
                environment.current_build_id = None if active is None else builds[active].id
    yield made
    made.close()


def listed(database: Database, page: Page, filters: Filters | None = None) -> tuple[int, list[Any], list[str]]:
    """Return the count, a page, and the statements that it took."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            count, found = list_environments(session, filters or Filters(), page)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return count, found, [text for text in asked if text.startswith("SELECT")]


def test_a_page_takes_two_queries_whatever_stands_in_it(database: Database) -> None:
    count, found, asked = listed(database, Page())
    assert (count, len(found), len(asked)) == (12, 12, 2)
    assert [(row.namespace.name, row.environment.name) for row in found] == [
        (space, name) for space in "abc" for name in sorted(BUILDS)
    ]
    for row in found:
        builds, active = BUILDS[row.environment.name]
        shown = builds if active is None else active + 1
        assert (row.build.number if row.build else 0, row.newest.number if row.newest else 0) == (shown, builds)
        assert (row.namespace.metadata_, row.members) == ({"team": row.namespace.name}, 1)


def test_a_page_is_cut_out_of_the_whole_in_each_order(database: Database) -> None:
    for sort_by in ((), ("namespace", "name"), ("name",), ("id",), ("name", "namespace")):
        for descending in (False, True):
            _, whole, _ = listed(database, Page(size=None, sort_by=sort_by, descending=descending))
            ids = [row.environment.id for row in whole]
            assert len(set(ids)) == 12
            cut = [listed(database, Page(number, 5, sort_by, descending))[1] for number in (1, 2, 3, 4)]
            assert [row.environment.id for rows in cut for row in rows] == ids


def test_namespaces_and_names_are_read_in_the_order_of_their_indexes(database: Database) -> None:
    """Else all environments are sorted for each page."""
    _, _, (_, query) = listed(database, Page())
    with database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (0, NAMESPACE_KIND, 0, 100, 0)).fetchall()
    inner = plan[: next(place for place, row in enumerate(plan) if row[3].startswith("SCAN anon"))]
    assert not any("TEMP B-TREE" in row[3] for row in inner), plan
