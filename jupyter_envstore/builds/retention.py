"""What the store may forget: prefixes and large artifacts of old builds, blobs and caches that nobody needs."""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore import policy
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.active_links import sync_all_links
from jupyter_envstore.builds.blob_collection import BlobCollection
from jupyter_envstore.builds.cache_lock import caches_alone
from jupyter_envstore.builds.deletion import UNDO, Cleared, clear_deleted, prefixes_in_use, uncleared
from jupyter_envstore.builds.own_files import check_owner, claim_files
from jupyter_envstore.builds.package_keeping import is_wanted
from jupyter_envstore.builds.prefix_disk import check_disk, check_mark, note_disk
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.builds import BuildRow
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.kept_packages import drop_kept, keepable_builds, request_keeping
from jupyter_envstore.database.models import Build
from jupyter_envstore.database.placements import count_at
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import KEEPING, NOT_KEPT
from jupyter_envstore.engine.cache_filling import left_behind
from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.engine.prefix import remove_tree, to_trash, tree_size
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import DatabaseAwayError, StorageError
from jupyter_envstore.policy.setting_values import SettingValues

log = logging.getLogger(__name__)
INDEX_SECONDS = 30 * 86400.0
WHEEL_SECONDS = 86400.0
PREFIX = re.compile(r"[0-9a-f]{8}-\d+|\.trash-.*")
"""Names of prefixes (:func:`~jupyter_envstore.spec.names.build_directory`), and of what was thrown away."""
GRACE_SECONDS = 3600.0
"""Unneeded files younger than this stay: another process may be about to refer to them."""
RESTORED_STAYS = timedelta(days=1)
"""How long a build that somebody brought back stays, whatever the settings keep."""


@dataclass(frozen=True)
class Removal:
    """One thing to free: what it is, why, where, and its bytes."""

    kind: str
    name: str
    reason: str
    size: int
    path: Path | None = None
    build_id: int | None = None
    namespace_id: int | None = None


@dataclass
class Plan:
    """All that would be freed."""

    removals: list[Removal] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(removal.size for removal in self.removals)


class Retention:
    """Finds and frees what the settings do not want kept."""

    def __init__(self, config: StoreConfig, database: Database, blobs: BlobStore) -> None:
        self.config = config
        self.database = database
        self.blobs = blobs

    def plan(self, gone: bool = False) -> Plan:
        """Return what :meth:`collect` would free; changes nothing.

        Raises
        ------
        StorageError
            As for :meth:`collect`.
        """
        plan = Plan()
        with self.database.read() as session:
            check_disk(self.config, session, gone)
            self._add_cleared(plan, uncleared(session, now() - UNDO))
            plan.removals += map(_missing_removal, self._missing(session))
        kept = self._plan_builds(plan)
        self._let_packages_go(plan, dry_run=True)
        with self._told_if_not_removed():
            check_owner(self.config, self.database, self.blobs)
            plan.removals += self._unneeded_blobs()
        self._plan_leftovers(plan)
        self._plan_caches(plan, kept)
        return plan

    def collect(self, gone: bool = False) -> Plan:
        """Free what is not to be kept; return what was freed.

        Everything is looked at again, under a lock, right before it goes: others work on the store meanwhile.

        Parameters
        ----------
        gone : bool
            Whether prefixes that are not in the folder are known to be gone for good, also if it has none at all.

        Raises
        ------
        StorageError
            The folder has none of its prefixes: its disk may not be mounted (:class:`MissingDiskError`). Or the disk
            or the database cannot be used.
        """
        check_mark(self.config)
        self._empty_trash()
        cleared = clear_deleted(self.config, self.database, now() - UNDO)
        missing = self._repair(gone)
        plan = Plan()
        self._plan_builds(plan)
        plan.removals = [r for r in plan.removals if r.build_id is not None and self.pack_away(r.build_id)]
        plan.removals += missing
        self._add_cleared(plan, cleared)
        self._let_packages_go(plan)
        plan.removals += self._remove_blobs()
        leftovers = Plan()
        self._plan_leftovers(leftovers)
        taken = [(removal, self._leftover_to_trash(removal)) for removal in leftovers.removals]
        plan.removals += [removal for removal, path in taken if path is not None]
        trash = [path for _, path in taken]
        caches = Plan()
        self._plan_caches(caches, self._plan_builds(Plan()))
        with caches_alone(self.config) as alone:  # short: nothing but renames
            if alone:
                needed = self._needed_packages(self._plan_builds(Plan()))
                for removal in caches.removals:
                    if removal.path is not None and removal.name not in needed:
                        trash.append(to_trash(removal.path))
                        plan.removals.append(removal)
        for path in trash:
            if path is not None:
                remove_tree(path)
        with self.database.write() as session:
            queries.forget_changes(session, now() - timedelta(days=7))
        return plan

    @staticmethod
    def _add_cleared(plan: Plan, cleared: Iterable[Cleared]) -> None:
        plan.removals += [Removal("environment", found.name, "it was deleted", found.size) for found in cleared]

    def _let_packages_go(self, plan: Plan, dry_run: bool = False) -> None:
        """Let the packages go of builds that the settings kept and do not keep any more; have others stored."""
        with self.database.read() as session:
            known: dict[int, SettingValues] = {}
            changing = []
            for namespace, environment, build in keepable_builds(session):
                if environment.id not in known:
                    scopes = settings_rows.scope_settings(session, namespace.id, environment.id)
                    known[environment.id] = policy.effective([self.config.settings, *scopes])
                wanted = is_wanted(build, environment, known[environment.id])
                if wanted != (build.keep_state != NOT_KEPT):
                    changing.append((build.id, f"{namespace.name}/{environment.name}:{build.number}", wanted))
                    if not wanted:
                        reason = "keep_packages does not want them any more"
                        plan.removals.append(Removal("packages", changing[-1][1], reason, build.kept_size))
        for build_id, _, wanted in [] if dry_run else changing:
            with self.database.write() as session:
                row = rows.find_build(session, build_id)
                if wanted:
                    request_keeping(session, row.build)
                elif row.build.keep_state != KEEPING:
                    drop_kept(session, row.build)

    def pack_away(self, build_id: int) -> bool:
        """Drop the prefix and large artifacts of a build, which its record brings back.

        False, and nothing is done, when it is active, kept by hand, in use or being worked on.

        Raises
        ------
        MissingDiskError
            The disk with the prefixes is that of another folder.
        """
        check_mark(self.config)
        used = prefixes_in_use(self.config.builds)
        trash = None
        try:
            with self.database.write() as session:
                build = queries.droppable_build(session, build_id)
                if build is None or build.directory in used:
                    return False
                queries.drop_build(session, build)
                prefix = self.config.builds / build.directory
                trash = to_trash(prefix)  # last: what fails here undoes the rows
        except BaseException:
            if trash is not None:  # the rows could not be kept: they say that it is there
                trash.rename(prefix)
            raise
        if trash is not None:
            remove_tree(trash)
        return True

    def _empty_trash(self) -> None:
        """Remove what was thrown away before, without a look at the database: that needs space on the disk itself."""
        for folder in (self.config.builds, self.config.staging, self.config.packages / "conda"):
            for path in folder.glob(".trash-*"):
                if _age(path) > GRACE_SECONDS:
                    with contextlib.suppress(OSError):
                        remove_tree(path)

    def _missing(self, session: Session) -> list[BuildRow]:
        """Return the builds whose prefix is said to be here, and is not."""
        present = queries.present_builds(session)
        missing = [build.id for build in present if not (self.config.builds / build.directory).exists()]
        return [rows.find_build(session, build_id) for build_id in missing]

    def _repair(self, gone: bool) -> list[Removal]:
        """Make the rows say what is there: after a crash in the middle of a removal. Return what is not."""
        with self.database.write() as session:
            check_disk(self.config, session, gone)
            missing = self._missing(session)
            for row in missing:
                queries.drop_build(session, row.build)
            session.flush()
            is_there = count_at(session, place_of(session)) > 0
            environments = [environment.id for _, environment, _ in queries.environments_with_builds(session)]
        if is_there:
            note_disk(self.config)
        sync_all_links(self.config, self.database, environments)
        return [_missing_removal(row) for row in missing]

    def _leftover_to_trash(self, removal: Removal) -> Path | None:
        """Take a leftover away, unless it came into use since it was found."""
        if removal.path is None:
            return None
        with self.database.write() as session:
            used = queries.present_directories(session) | queries.running_attempts(session)
            return None if removal.name in used else to_trash(removal.path)

    def _plan_builds(self, plan: Plan) -> set[int]:
        """Add builds beyond what the settings keep; return the builds whose packages stay in the cache."""
        used = prefixes_in_use(self.config.builds)
        kept: set[int] = set()
        with self.database.read() as session:
            by_namespace: dict[int, list[tuple[Build, str, int]]] = {}
            limits: dict[int, int] = {}
            restored = queries.restored_since(session, now() - RESTORED_STAYS)
            for namespace, environment, builds in queries.environments_with_builds(session):
                own = settings_rows.scope_settings(session, namespace.id, environment.id)
                settings = policy.effective([self.config.settings, *own])
                limits[namespace.id] = policy.effective([self.config.settings, *own[:2]])["retention_bytes"]
                for place, build in enumerate(builds):
                    size = build.own_size + queries.droppable_bytes(session, build.id)
                    reason = self._reason(build, place, settings)
                    wanted = build.pinned or build.directory in used or build.id in restored
                    protected = build.id == environment.current_build_id or wanted
                    name = f"{namespace.name}/{environment.name}:{build.number}"
                    if reason and not protected:
                        plan.removals.append(
                            Removal("build", name, reason, size, build_id=build.id, namespace_id=namespace.id)
                        )
                    else:
                        kept.add(build.id)
                        if not protected:
                            by_namespace.setdefault(namespace.id, []).append((build, name, size))
            for namespace_id, candidates in by_namespace.items():
                mine = [removal for removal in plan.removals if removal.namespace_id == namespace_id]
                gone = {removal.build_id for removal in mine if removal.build_id is not None}
                size_without = partial(queries.namespace_bytes, session, namespace_id)
                plan.removals += self._over_bytes(candidates, limits[namespace_id], size_without, gone, kept)
        return kept

    @staticmethod
    def _reason(build: Build, place: int, settings: SettingValues) -> str:
        newest, days = settings["retention_builds"], settings["retention_days"]
        if newest and place >= newest:
            return f"older than the newest {newest} builds"
        if days and build.ended_on and now() - build.ended_on > timedelta(days=days):
            return f"older than {days} days"
        return ""

    @staticmethod
    def _over_bytes(
        candidates: list[tuple[Build, str, int]],
        limit: int,
        size_without: Callable[[set[int]], int],
        gone: set[int],
        kept: set[int],
    ) -> list[Removal]:
        """Return the oldest builds of a namespace that go until it holds no more than ``limit`` bytes.

        What it holds is counted anew for each: artifacts that builds share are freed with the last of them.
        """
        removals: list[Removal] = []
        for build, name, size in sorted(candidates, key=lambda item: item[0].id):
            if not limit or size_without(gone) <= limit:
                break
            reason = f"the namespace holds more than {limit} bytes (retention_bytes)"
            removals.append(Removal("build", name, reason, size, build_id=build.id))
            kept.discard(build.id)
            gone.add(build.id)
        return removals

    def _remove_blobs(self) -> list[Removal]:
        """Remove what nobody needs; if the bucket does not answer, all else is freed all the same."""
        removed: list[Removal] = []
        with self._told_if_not_removed():
            claim_files(self.config, self.database, self.blobs)
            unneeded = self._unneeded_blobs()
            names = [removal.name for removal in unneeded]
            gone = BlobCollection(self.database, self.blobs, GRACE_SECONDS).remove(names)
            removed += [removal for removal in unneeded if removal.name in gone]
        return removed

    @staticmethod
    @contextlib.contextmanager
    def _told_if_not_removed() -> Iterator[None]:
        try:
            yield
        except DatabaseAwayError:
            raise
        except StorageError as error:
            log.warning("no blob is removed: %s", error)

    def _unneeded_blobs(self) -> list[Removal]:
        found = BlobCollection(self.database, self.blobs, GRACE_SECONDS).find()
        return [Removal("blob", blob.digest, reason, blob.size) for blob, reason in found]

    def _plan_leftovers(self, plan: Plan) -> None:
        with self.database.read() as session:
            running = queries.running_attempts(session)
            present = queries.present_directories(session)
        for path in self.config.staging.glob("job-*"):
            if path.name not in running and _age(path) > 60:
                plan.removals.append(Removal("staging", path.name, "left by a crash", tree_size(path)[0], path))
        incoming = left_behind(self.config.packages / "conda")
        old = [*self.config.staging.glob(".trash-*"), *self.blobs.unfinished(), *incoming]
        for path in (path for path in old if _age(path) > GRACE_SECONDS):
            plan.removals.append(Removal("staging", path.name, "left by a crash", tree_size(path)[0], path))
        in_use = prefixes_in_use(self.config.builds)
        for path in self.config.builds.glob("*"):
            if PREFIX.fullmatch(path.name) and path.name not in {*present, *in_use} and _age(path) > 60:
                plan.removals.append(Removal("prefix", path.name, "belongs to no build", tree_size(path)[1], path))

    def _records(self, kept: set[int]) -> Iterator[BuildRecord]:
        """Yield the records of kept builds, and of those being made."""
        with self.database.read() as session:
            digests = queries.record_digests(session, kept | queries.unfinished_builds(session))
        for digest in digests:
            with contextlib.suppress(FileNotFoundError):  # that build cannot come back anyway
                yield BuildRecord.from_bytes(self.blobs.read(digest))

    def _needed_packages(self, kept: set[int]) -> set[str]:
        """Return the folders of the package cache that kept builds, and those being made, need."""
        return {
            cache_name(entry)
            for record in self._records(kept)
            for lock in record.platforms.values()
            for entry in lock.conda
        }

    def _plan_wheels(self, plan: Plan, kept: set[int]) -> None:
        """Add wheels of uv's cache that no environment links and no kept build needs; uv fetches them again if asked.

        Under ``archive-v0`` lies each unpacked wheel; what leads there is found dangling, and made anew.
        """
        needed = {
            canonicalize_name(f"{entry['name']}-{entry['version']}")
            for record in self._records(kept)
            for lock in record.platforms.values()
            for entry in lock.pip
        }
        for path in (self.config.packages / "uv").glob("archive-v*/*"):
            total, own = tree_size(path)
            info = next(path.glob("*.dist-info"), None)
            name = info.name.removesuffix(".dist-info") if info else path.name
            if total == own and _age(path) > WHEEL_SECONDS and canonicalize_name(name) not in needed:
                plan.removals.append(Removal("wheel", name, "no environment links it", own, path))

    def _plan_caches(self, plan: Plan, kept: set[int]) -> None:
        needed = self._needed_packages(kept)
        for path in (self.config.packages / "conda").glob("*/info"):
            package = path.parent
            if package.name not in needed and _age(package) > GRACE_SECONDS:
                plan.removals.append(
                    Removal("package", package.name, "no kept build needs it", tree_size(package)[1], package)
                )
        for path in (self.config.packages / "paths").glob("*.json"):  # what was found of packages' paths
            if not (self.config.packages / "conda" / path.stem).is_dir() and _age(path) > GRACE_SECONDS:
                plan.removals.append(Removal("index", path.name, "its package is gone", path.stat().st_size, path))
        self._plan_wheels(plan, kept)
        for path in (self.config.packages / "repodata").rglob("*"):
            if path.is_file() and _age(path) > INDEX_SECONDS:
                plan.removals.append(Removal("index", path.name, "not used for a month", path.stat().st_size, path))
        bytecode = self.config.packages.glob("bytecode/*/*/*"), self.config.packages.glob("bytecode-of/*/*/*/*")
        for path in itertools.chain(*bytecode):
            total, own = tree_size(path)
            if total == own and _age(path) > GRACE_SECONDS:
                plan.removals.append(Removal("byte code", path.name[:12], "no environment links it", own, path))


def _missing_removal(row: BuildRow) -> Removal:
    return Removal("build", str(row), "its folder is gone: it is packed away now", 0, build_id=row.build.id)


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
