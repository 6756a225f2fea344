"""The index of the channel of kept packages: CPU time of one ``repodata.json``, with 5,000 files of 50 builds."""

from __future__ import annotations

import hashlib
import time

from common import empty_store
from sqlalchemy import insert

from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Build, Environment, KeptPackage, Namespace, Specification
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from jupyter_envstore.services.store import EnvStore

BUILDS, PACKAGES, RUNS = 50, 100, 10


def fill(store: EnvStore) -> None:
    """Write the rows."""
    moment = now()
    with store.database.write() as session:
        place = {"id": 1, "name": "n", "name_key": "n", "created_on": moment}
        session.execute(insert(Namespace), [place | {"metadata_": {}}])
        text = {"spec": {}, "text": "", "is_lockfile": False, "created_on": moment}
        session.execute(insert(Specification), [{"id": 1, "name": "s", "sha256": "0" * 64, **text}])
        session.execute(insert(Environment), [place | {"namespace_id": 1}])
        for number in range(1, BUILDS + 1):
            build = {"id": number, "environment_id": 1, "specification_id": 1, "number": number, "key": str(number)}
            build |= {"directory": f"d{number}", "status": "COMPLETED", "scheduled_on": moment, "options": {}}
            session.execute(insert(Build), [build])
            session.execute(insert(KeptPackage), [row(number, place) for place in range(PACKAGES)])


def row(build_id: int, place: int) -> dict[str, object]:
    """Return a kept package with as much in its record as those of conda-forge have."""
    name, version = f"package-{build_id}-{place}", "1.2.3"
    filename = f"{name}-{version}-h0123456_0.conda"
    digest = hashlib.sha256(filename.encode()).hexdigest()
    record = {
        "name": name,
        "version": version,
        "build": "h0123456_0",
        "build_number": 0,
        "depends": [f"library-{n} >=1.{n},<2.0a0" for n in range(8)],
        "constrains": [],
        "license": "BSD-3-Clause",
        "md5": digest[:32],
        "sha256": digest,
        "size": 123456,
        "subdir": "linux-64",
        "timestamp": 1700000000000,
        "fn": filename,
        "channel": "https://channel.example/main/",
        "url": f"https://channel.example/main/linux-64/{filename}",
    }
    kept = {"build_id": build_id, "manager": "conda", "subdir": "linux-64", "name": name, "filename": filename}
    return kept | {"digest": digest, "size": 123456, "reason": "", "record": record}


def main() -> None:
    """Measure, and print."""
    identity = Identity("bench", "n", {EVERYWHERE: ["admin"]})
    with empty_store() as store:
        fill(store)
        for packed in (False, True):
            taken = []
            for _ in range(RUNS):
                started = time.process_time()
                found = store.package_channel.index(identity, "linux-64", packed)
                taken.append(time.process_time() - started)
            name = "repodata.json.zst" if packed else "repodata.json"
            first, again = taken[0] * 1000, sorted(taken[1:])[RUNS // 2] * 1000
            print(f"{name}: {len(found.data) / 1e6:.2f} MB, first {first:.0f} ms, again {again:.1f} ms of CPU")


if __name__ == "__main__":
    main()
