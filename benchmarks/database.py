"""Pages and look-ups in a store of 10,000 environments and 100,000 builds, beside plain sqlite3 for the same rows.

The same follows with PostgreSQL, beside SQLite.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from common import empty_store, report
from sqlalchemy import event, insert

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.environment_listing import list_environments
from jupyter_envstore.database.jobs import BUILD, claim_next
from jupyter_envstore.database.models import Build, Environment, Job, Namespace, Placement, Specification
from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import JOB_QUEUED
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.services.store import EnvStore
from tests.postgresql import Postgresql

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
        place = place_of(session)
        session.execute(
            insert(Placement),
            [{"build_id": n, "place_id": place, "since": moment} for n in range(1, ENVIRONMENTS * BUILDS + 1) if n % 7],
        )
        session.connection().exec_driver_sql(f"UPDATE environment SET current_build_id = id * {BUILDS}")  # noqa: S608


def jobs(store: EnvStore) -> None:
    """Queue a job for each build."""
    moment = now()
    values = {"kind": BUILD, "state": JOB_QUEUED, "attempt": 0, "created_on": moment, "reason": ""}
    with store.database.write() as session:
        session.execute(
            insert(Job),
            [
                {**values, "build_id": n, "namespace_id": ((n - 1) // BUILDS + 1) % 100 + 1}
                for n in range(1, ENVIRONMENTS * BUILDS + 1)
            ],
        )


def percentile(store: EnvStore, action: Callable[[Any], Any]) -> tuple[float, int]:
    """Return the 95th percentile of 200 runs in milliseconds, and the number of queries of one."""
    queries: list[str] = []
    taken = []
    for number in range(200):
        with store.database.read() as session:
            if number == 0:
                event.listen(store.database.engine, "before_cursor_execute", lambda *a: queries.append(a[2]))
            started = time.perf_counter()
            action(session)
            taken.append(time.perf_counter() - started)
        if number == 0:
            count = len([query for query in queries if query.lstrip().startswith("SELECT")])
    return statistics.quantiles(taken, n=20)[-1] * 1000, count


def measure(
    stores: Sequence[EnvStore],
    what: str,
    action: Callable[[Any], Any],
    peer: str = "",
    bar: str = "20 ms, 2 queries",
) -> None:
    """Print how long it takes with each database: with SQLite beside sqlite3, with PostgreSQL beside SQLite."""
    first, *others = stores
    p95, count = percentile(first, action)
    plain = []
    with contextlib.closing(sqlite3.connect(first.config.root / "envstore.sqlite")) as raw:
        for _ in range(200 if peer else 0):
            started = time.perf_counter()
            raw.execute(peer, {"n": random.randrange(1, ENVIRONMENTS)}).fetchall()  # noqa: S311
            plain.append(time.perf_counter() - started)
    other = statistics.quantiles(plain, n=20)[-1] * 1000 if plain else None
    report(f"{what} ({count} queries), p95", p95, "ms", "sqlite3", other, f"(bar: {bar})")
    for store in others:
        elsewhere, _ = percentile(store, action)
        report("  with PostgreSQL, p95", elsewhere, "ms", "SQLite", p95, "")


def analyze(store: EnvStore) -> None:
    """Have a server of PostgreSQL tidy and look at its tables, as it does by itself after a minute (autovacuum)."""
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def claims(stores: Sequence[EnvStore]) -> None:
    """Print how long it takes to claim the next of 100,000 queued jobs, in a transaction of its own."""
    found = []
    for store in stores:
        jobs(store)
        if store is not stores[0]:
            analyze(store)
        taken = []
        for _ in range(50):
            started = time.perf_counter()
            with store.database.write() as session:
                assert claim_next(session, 1000, "host") is not None
            taken.append(time.perf_counter() - started)
        found.append(statistics.median(taken) * 1000)
    report("claim of 100,000 queued jobs, p50", found[0], "ms", "nothing", None, "(bar: 10 ms)")
    for other in found[1:]:
        report("  with PostgreSQL, p50", other, "ms", "SQLite", found[0], "")


@contextlib.contextmanager
def on_postgresql() -> Iterator[EnvStore]:
    """Open an empty store with a server of PostgreSQL of its own."""
    server = Postgresql().start()
    root = Path(tempfile.mkdtemp(prefix="es-bench-"))
    try:
        with contextlib.closing(EnvStore.open(StoreConfig(str(root), database_url=server.make("bench")))) as store:
            yield store
    finally:
        server.remove()
        remove_tree(root)


def main() -> None:
    def anywhere() -> int:
        return random.randrange(ENVIRONMENTS - 100)  # noqa: S311

    with empty_store() as first, on_postgresql() as second:
        stores = (first, second)
        for store in stores:
            fill(store)
        analyze(second)
        page = "SELECT e.*, n.*, b.* FROM environment e JOIN namespace n ON n.id = e.namespace_id LEFT JOIN build b "
        page += "ON b.id = e.current_build_id WHERE e.id > :n ORDER BY e.id LIMIT 100"
        measure(
            stores,
            "page of 100 environments",
            lambda s: list_environments(s, EVERYTHING, Page(anywhere() // 100 + 1)),
            page,
            "6 ms, 2 queries",
        )
        measure(
            stores,
            "page of 100, searched by name",
            lambda s: list_environments(s, Filters(search="env99"), Page()),
        )
        builds = "SELECT * FROM build WHERE id > :n ORDER BY id DESC LIMIT 100"
        measure(
            stores,
            "page of 100 builds",
            lambda s: listing.list_builds(s, EVERYTHING, Page(anywhere() // 100 + 1)),
            builds,
        )
        measure(
            stores,
            "page of 100 failed builds",
            lambda s: listing.list_builds(s, Filters(status="FAILED"), Page(anywhere() // 1000 + 1)),
        )
        one = "SELECT * FROM environment WHERE id = :n"
        measure(
            stores, "environment by name", lambda s: rows.find_environment(s, f"ns{4242 % 100 + 1}", "env4242"), one
        )
        measure(stores, "builds of an environment", lambda s: rows.list_builds(s, anywhere() + 1))
        measure(stores, "build by id", lambda s: rows.find_build(s, anywhere() + 1))
        claims(stores)


if __name__ == "__main__":
    main()
