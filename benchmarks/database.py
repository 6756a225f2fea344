"""Pages and look-ups in a store of 10,000 environments and 100,000 builds, beside plain sqlite3 for the same rows."""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections.abc import Callable
from typing import Any

from common import empty_store, report
from sqlalchemy import event, insert

from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.models import Build, Environment, Namespace, Specification
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.services.store import EnvStore

ENVIRONMENTS, BUILDS = 10_000, 10
EVERYTHING = Filters()


def fill(store: EnvStore) -> None:
    """Write the rows."""
    moment = now()
    with store.database.write() as session:
        session.execute(
            insert(Namespace),
            [
                {"id": n, "name": f"ns{n}", "name_key": f"ns{n}", "metadata_": {}, "created_on": moment}
                for n in range(1, 101)
            ],
        )
        specification = {"spec": {}, "text": "x" * 500, "is_lockfile": False, "created_on": moment}
        session.execute(insert(Specification), [{"id": 1, "name": "s", "sha256": "0" * 64, **specification}])
        session.execute(
            insert(Environment),
            [
                {"id": n, "namespace_id": n % 100 + 1, "name": f"env{n}", "name_key": f"env{n}", "created_on": moment}
                for n in range(1, ENVIRONMENTS + 1)
            ],
        )
        session.execute(
            insert(Build),
            [
                {
                    "id": n,
                    "environment_id": (n - 1) // BUILDS + 1,
                    "specification_id": 1,
                    "number": (n - 1) % BUILDS + 1,
                    "key": f"{n:064}",
                    "directory": f"d{n}",
                    "status": "COMPLETED" if n % 7 else "FAILED",
                    "scheduled_on": moment,
                    "options": {},
                }
                for n in range(1, ENVIRONMENTS * BUILDS + 1)
            ],
        )
        session.connection().exec_driver_sql(f"UPDATE environment SET current_build_id = id * {BUILDS}")  # noqa: S608


def measure(
    store: EnvStore, what: str, action: Callable[[Any], Any], peer: str = "", bar: str = "20 ms, 2 queries"
) -> None:
    """Print the 95th percentile of 200 runs and the number of queries of one."""
    queries: list[str] = []
    taken, plain = [], []
    raw = sqlite3.connect(str(store.database.path))
    for number in range(200):
        with store.database.read() as session:
            if number == 0:
                event.listen(store.database.engine, "before_cursor_execute", lambda *a: queries.append(a[2]))
            started = time.perf_counter()
            action(session)
            taken.append(time.perf_counter() - started)
        if number == 0:
            count = len([query for query in queries if query.lstrip().startswith("SELECT")])
        if peer:
            started = time.perf_counter()
            raw.execute(peer, {"n": random.randrange(1, ENVIRONMENTS)}).fetchall()  # noqa: S311
            plain.append(time.perf_counter() - started)
    p95 = statistics.quantiles(taken, n=20)[-1] * 1000
    other = statistics.quantiles(plain, n=20)[-1] * 1000 if plain else None
    report(f"{what} ({count} queries), p95", p95, "ms", "sqlite3", other, f"(bar: {bar})")
    raw.close()


def main() -> None:
    def anywhere() -> int:
        return random.randrange(ENVIRONMENTS - 100)  # noqa: S311

    with empty_store() as store:
        fill(store)
        page = "SELECT e.*, n.*, b.* FROM environment e JOIN namespace n ON n.id = e.namespace_id LEFT JOIN build b "
        page += "ON b.id = e.current_build_id WHERE e.id > :n ORDER BY e.id LIMIT 100"
        measure(
            store,
            "page of 100 environments",
            lambda s: list_environments(s, EVERYTHING, Page(anywhere() // 100 + 1)),
            page,
            "6 ms, 2 queries",
        )
        measure(
            store,
            "page of 100, searched by name",
            lambda s: list_environments(s, Filters(search="env99"), Page()),
        )
        builds = "SELECT * FROM build WHERE id > :n ORDER BY id DESC LIMIT 100"
        measure(
            store,
            "page of 100 builds",
            lambda s: listing.list_builds(s, EVERYTHING, Page(anywhere() // 100 + 1)),
            builds,
        )
        measure(
            store,
            "page of 100 failed builds",
            lambda s: listing.list_builds(s, Filters(status="FAILED"), Page(anywhere() // 1000 + 1)),
        )
        one = "SELECT * FROM environment WHERE id = :n"
        measure(store, "environment by name", lambda s: rows.find_environment(s, f"ns{4242 % 100 + 1}", "env4242"), one)
        measure(store, "builds of an environment", lambda s: rows.list_builds(s, anywhere() + 1))
        measure(store, "build by id", lambda s: rows.find_build(s, anywhere() + 1))


if __name__ == "__main__":
    main()
