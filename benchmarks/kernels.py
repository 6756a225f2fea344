"""A thousand environments as kernels: written, and listed by jupyter_client, beside as many plain kernelspecs."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import build, empty_store, report, text
from jupyter_client.kernelspec import KernelSpecManager
from sqlalchemy import insert

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Build, Environment
from jupyter_envstore.database.placements import note_here
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds

COUNT = 1000


def listed(directory: Path) -> float:
    """Return the seconds that a listing of all kernelspecs of a folder takes; the median of five."""
    manager = KernelSpecManager(kernel_dirs=[str(directory)], ensure_native_kernel=False)
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        assert len(manager.get_all_specs()) >= COUNT
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def timed(action: Callable[[], object]) -> float:
    """Return the milliseconds that something takes."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    with empty_store() as store:
        view = build(store, text("ipykernel"))  # to its end: nothing else shall run
        with store.database.write() as session:
            prefix = session.get_one(Build, view["id"])
            space = session.get_one(Environment, prefix.environment_id).namespace_id
            rows = [
                {"namespace_id": space, "name": f"e{n}", "name_key": f"e{n}", "created_on": now()} for n in range(COUNT)
            ]
            session.execute(insert(Environment), rows)
            for environment in session.query(Environment).filter(Environment.name.like("e%")):
                made = Build(
                    environment_id=environment.id,
                    specification_id=prefix.specification_id,
                    number=1,
                    key=f"k{environment.id}",
                    directory=prefix.directory,
                    status="COMPLETED",
                    scheduled_on=now(),
                    options={},
                    is_made=True,
                )
                session.add(made)
                session.flush()
                note_here(session, made.id)
                environment.current_build_id = made.id
        kernels = KernelSpecs(store.config, StoredBuilds(store.config, store.database))
        written = timed(kernels.sync)
        again = timed(kernels.sync)
        plain = Path(tempfile.mkdtemp())
        names = [link.name for link in kernels.directory.iterdir()]
        copied = timed(lambda: [shutil.copytree(kernels.directory / name, plain / name) for name in names])
        report(f"{COUNT} kernels, written for the first time", written, "ms", "copied", copied, "(bar: 800 ms)")
        report(f"{COUNT} kernels, looked at again, nothing new", again, "ms")
        report(
            f"{COUNT} kernels, listed", listed(kernels.directory) * 1000, "ms", "plain folders", listed(plain) * 1000,
            "(bar: 150 ms)",
        )  # fmt: skip
        shutil.rmtree(plain)


if __name__ == "__main__":
    main()
