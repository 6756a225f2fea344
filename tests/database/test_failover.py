"""The server of the database is lost for good in the middle of a build, and another one takes its place."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import StorageError
from jupyter_envstore.services.store import EnvStore
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES, Store, executor_of
from tests.postgresql import Postgresql


@pytest.fixture
def pair() -> Iterator[tuple[Postgresql, Postgresql]]:
    """A server, and one that follows it; what is committed in the first is in both."""
    primary = Postgresql().start()
    standby = Postgresql(primary).start()
    yield primary, standby
    for server in (primary, standby):
        server.remove()


def test_a_build_goes_on_with_the_server_that_takes_the_place(
    pair: tuple[Postgresql, Postgresql], root: Path, package_cache: Path, channel: str
) -> None:
    primary, standby = pair
    primary.make("failover")
    hosts = f"{primary.folder},{standby.folder}"
    (root / "pkgs").symlink_to(package_cache)
    config = StoreConfig(
        str(root),
        database_url=f"postgresql+psycopg://tests@/failover?host={hosts}&target_session_attrs=read-write",
        lease_seconds=LEASE_SECONDS,
        settings=dict(WITHOUT_ARCHIVES),
    )
    store = Store(EnvStore.open(config, executor_of(config)))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    text = f"channels: [{channel}]\ndependencies: [python={python}, numpy, pandas]"
    first, second = store.submit(text, name="first"), store.submit(text, name="second")
    store.envstore.scheduler.tick()

    def fail_over() -> None:
        primary.stop(signal.SIGQUIT)
        time.sleep(2)
        standby.promote()

    timer = threading.Timer(0.6, fail_over)
    timer.start()
    deadline = time.monotonic() + 150
    while True:
        try:
            store.envstore.scheduler.tick()
            if not any(store.envstore.builds.progress(build.id)["busy"] for build in (first, second)):
                break
        except StorageError:
            pass
        assert time.monotonic() < deadline, store.jobs()
        time.sleep(0.1)
    timer.join()
    for build in (first, second):
        assert store.envstore.builds.show(build.id)["status"] == "COMPLETED", store.envstore.logs.read(build.id)
        assert store.envstore.logs.read(build.id).count("Ready after") == 1
        assert store.envstore.prefixes.path(build.id).is_dir()
    assert standby.run("failover", "SELECT count(*) FROM build WHERE status = 'COMPLETED'") == "2"
    store.end_workers()
    store.close()
