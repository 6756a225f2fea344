"""What the store may forget: prefixes and large artifacts of old builds, blobs and caches that nobody needs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from jupyter_envstore import policy
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.link import remove_tree, tree_size
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.store import builds as rows
from jupyter_envstore.store import retention as queries
from jupyter_envstore.store.blobs import BlobStore
from jupyter_envstore.store.database import Database, now
from jupyter_envstore.store.models import Build

GRACE_SECONDS = 3600.0
"""Unneeded files younger than this stay: another process may be about to refer to them."""


@dataclass(frozen=True)
class Removal:
    """One thing to free: what it is, why, where, and its bytes."""

    kind: str
    name: str
    reason: str
    size: int
    path: Path | None = None
    build_id: int | None = None


@dataclass
class Plan:
    """All that would be freed."""

    removals: list[Removal] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(removal.size for removal in self.removals)


@contextlib.contextmanager
def caches_in_use(config: StoreConfig) -> Iterator[None]:
    """Keep the caches from being collected while a worker uses them."""
    config.root.mkdir(parents=True, exist_ok=True)
    with (config.root / "caches.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def caches_alone(config: StoreConfig) -> Iterator[bool]:
    """Hold the caches alone; gives False where a worker uses them."""
    with (config.root / "caches.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class Retention:
    """Finds and frees what the settings do not want kept."""

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self.config = config
        self.database = database
        self.blobs = BlobStore(config.root / "blobs")

    def plan(self) -> Plan:
        """Return what :meth:`collect` would free; changes nothing."""
        plan = Plan()
        kept = self._plan_builds(plan)
        self._plan_blobs(plan)
        self._plan_leftovers(plan)
        with caches_alone(self.config) as alone:
            if alone:
                self._plan_caches(plan, kept)
        return plan

    def collect(self) -> Plan:
        """Free what is not to be kept; return what was freed."""
        plan = Plan()
        kept = self._plan_builds(plan)
        for removal in plan.removals:
            if removal.build_id is not None:
                self.pack_away(removal.build_id)
        tail = Plan()
        self._plan_blobs(tail)
        with self.database.write() as session:
            gone = queries.forget_blobs(session, [r.name for r in tail.removals if r.kind == "blob"])
        self.blobs.remove(gone)
        self._plan_leftovers(tail)
        with caches_alone(self.config) as alone:
            if alone:
                self._plan_caches(tail, kept)
            for removal in tail.removals:
                if removal.path is not None and removal.kind != "blob":
                    remove_tree(removal.path)
        plan.removals += tail.removals
        with self.database.write() as session:
            queries.forget_changes(session, now() - timedelta(days=7))
        return plan

    def pack_away(self, build_id: int) -> None:
        """Drop the prefix and large artifacts of a build; its record brings them back."""
        with self.database.write() as session:
            build = session.get_one(Build, build_id)
            queries.drop_build(session, build)
        prefix = self.config.builds / build.directory
        if prefix.exists():
            remove_tree(prefix)

    def _plan_builds(self, plan: Plan) -> set[int]:
        """Add builds beyond what the settings keep; return the builds whose packages stay in the cache."""
        used = prefixes_in_use(self.config.builds)
        kept: set[int] = set()
        with self.database.read() as session:
            by_namespace: dict[int, list[tuple[Build, int]]] = {}
            limits: dict[int, int] = {}
            for namespace, environment, builds in queries.environments_with_builds(session):
                settings = policy.effective(rows.scope_settings(session, namespace.id, environment.id))
                limits[namespace.id] = int(
                    policy.effective(rows.scope_settings(session, namespace.id, None))["retention_bytes"]
                )
                for place, build in enumerate(builds):
                    size = build.own_size + queries.droppable_bytes(session, build.id)
                    reason = self._reason(build, place, settings)
                    protected = build.id == environment.current_build_id or build.pinned or build.directory in used
                    if reason and not protected:
                        name = f"{namespace.name}/{environment.name}:{build.number}"
                        plan.removals.append(Removal("build", name, reason, size, build_id=build.id))
                    else:
                        kept.add(build.id)
                        if not protected:
                            by_namespace.setdefault(namespace.id, []).append((build, size))
            for namespace_id, candidates in by_namespace.items():
                self._plan_bytes(
                    plan,
                    kept,
                    candidates,
                    limits[namespace_id],
                    queries.namespace_bytes(session, namespace_id),
                )
        return kept

    @staticmethod
    def _reason(build: Build, place: int, settings: dict[str, object]) -> str:
        newest, days = int(str(settings["retention_builds"])), int(str(settings["retention_days"]))
        if newest and place >= newest:
            return f"older than the newest {newest} builds"
        if days and build.ended_on and now() - build.ended_on > timedelta(days=days):
            return f"older than {days} days"
        return ""

    @staticmethod
    def _plan_bytes(plan: Plan, kept: set[int], candidates: list[tuple[Build, int]], limit: int, total: int) -> None:
        total -= sum(removal.size for removal in plan.removals if removal.build_id not in kept)
        for build, size in sorted(candidates, key=lambda item: item[0].id):
            if not limit or total <= limit:
                return
            reason = f"the namespace holds more than {limit} bytes (retention_bytes)"
            plan.removals.append(Removal("build", build.key, reason, size, build_id=build.id))
            kept.discard(build.id)
            total -= size

    def _plan_blobs(self, plan: Plan) -> None:
        with self.database.read() as session:
            for blob in queries.unneeded_blobs(session, now() - timedelta(seconds=GRACE_SECONDS)):
                path = self.blobs.path(blob.digest)
                plan.removals.append(Removal("blob", blob.digest, "nobody needs it", blob.size, path))
            known = queries.all_digests(session)
        for path in (self.blobs.root / "sha256").glob("*/*"):
            if path.name not in known and _age(path) > GRACE_SECONDS:
                plan.removals.append(Removal("file", path.name, "left by a crash", path.stat().st_size, path))

    def _plan_leftovers(self, plan: Plan) -> None:
        with self.database.read() as session:
            running = queries.running_attempts(session)
            present = queries.present_directories(session)
        for path in self.config.staging.glob("job-*"):
            if path.name not in running and _age(path) > 60:
                plan.removals.append(Removal("staging", path.name, "left by a crash", tree_size(path)[0], path))
        for path in self.config.builds.glob("*"):
            if path.name not in present and _age(path) > 60:
                plan.removals.append(Removal("prefix", path.name, "belongs to no build", tree_size(path)[1], path))

    def _plan_caches(self, plan: Plan, kept: set[int]) -> None:
        needed: set[str] = set()
        with self.database.read() as session:
            digests = queries.record_digests(session, kept)
        for digest in digests:
            record = BuildRecord.from_bytes(self.blobs.read(digest))
            needed |= {
                f"{r['name']}-{r['version']}-{r['build']}" for lock in record.platforms.values() for r in lock.conda
            }
        for path in (self.config.packages / "conda").glob("*/info"):
            package = path.parent
            if package.name not in needed and _age(package) > GRACE_SECONDS:
                plan.removals.append(
                    Removal("package", package.name, "no kept build needs it", tree_size(package)[1], package)
                )
        for path in (self.config.packages / "bytecode").glob("*/*/*"):
            total, own = tree_size(path)
            if total == own and _age(path) > GRACE_SECONDS:
                plan.removals.append(Removal("byte code", path.name[:12], "no environment links it", own, path))


def prefixes_in_use(builds: Path) -> set[str]:
    """Return the folders below ``builds`` that a process of this host runs from (Linux; else none is known)."""
    used = set()
    root = f"{builds}{os.sep}"
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program = os.readlink(process / "exe")  # noqa: PTH115
            if program.startswith(root):
                used.add(Path(program[len(root) :]).parts[0])
    return used


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
