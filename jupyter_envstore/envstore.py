"""EnvStore: the use cases, one method for each thing a person can do."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore import policy, views
from jupyter_envstore.artifacts.base import find_maker
from jupyter_envstore.builds.executors import Executor, LocalExecutor
from jupyter_envstore.builds.links import drop_link, point_at
from jupyter_envstore.builds.retention import Plan, Retention
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import MAX_PREFIX, StoreConfig
from jupyter_envstore.engine.availability import missing_packages
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.link import remove_tree
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.search import search_names, search_versions
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError, StorageError
from jupyter_envstore.spec import Specification, check_name
from jupyter_envstore.store import builds as rows
from jupyter_envstore.store.blobs import BlobStore, release
from jupyter_envstore.store.database import Database, now
from jupyter_envstore.store.jobs import ARTIFACT, BUILD, RESTORE, enqueue, unfinished_jobs
from jupyter_envstore.store.models import (
    COMPLETED,
    DROPPED,
    MAKING,
    PENDING,
    PREFIX_PRESENT,
    READY,
    UNSETTLED,
    Artifact,
    Build,
)
from jupyter_envstore.store.models import Specification as SpecificationRow


@dataclass(frozen=True)
class BuildRef:
    """Where a build is found: names, its number in the environment, and its id."""

    namespace: str
    name: str
    number: int
    id: int

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}:{self.number}"


class EnvStore:
    """A store of environments, open in this process; others may have it open too.

    Parameters
    ----------
    config : StoreConfig
        Where it is, and its limits.
    executor : Executor or None
        Starts workers; processes of this host by default.
    """

    def __init__(self, config: StoreConfig, executor: Executor | None = None) -> None:
        self.config = config
        _check_root(config)
        self.database = Database(config.url)
        self.database.migrate()
        self.blobs = BlobStore(config.root / "blobs")
        self.scheduler = Scheduler(config, self.database, executor or LocalExecutor(config))
        self.retention = Retention(config, self.database)

    def close(self) -> None:
        """Close the database; workers go on."""
        self.scheduler.executor.close()
        self.database.close()

    # -- builds ----------------------------------------------------------------------------------------------------

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
    ) -> BuildRef:
        """Add a build and return at once; a scheduler starts it.

        Parameters
        ----------
        name : str or None
            Name of the environment; None for the one in the specification.

        Raises
        ------
        InvalidInputError
            A name is missing or cannot be used.
        """
        check_name("namespace", namespace)
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the file, or give --name"
            raise InvalidInputError(msg)
        check_name("environment", name)
        with self.database.write() as session:
            space = rows.ensure_namespace(session, namespace, who)
            environment = rows.ensure_environment(session, space, name, who)
            row = rows.ensure_specification(session, specification, name, who)
            build = rows.add_build(session, environment, row, who, trigger)
            enqueue(session, BUILD, build.id)
            return BuildRef(space.name, environment.name, build.number, build.id)

    def find(self, namespace: str, name: str, build: str | None = None) -> BuildRef:
        """Return a build by number or key; without one the active build, or the newest.

        Raises
        ------
        NotFoundError
            There is no such environment or build.
        """
        with self.database.read() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            return BuildRef(space.name, environment.name, found.number, found.id)

    def cancel(self, build_id: int) -> None:
        """Stop a build that is queued or runs.

        Raises
        ------
        ConflictError
            Nothing of it is queued or runs.
        """
        if not self.scheduler.cancel(build_id):
            with self.database.read() as session:
                build = rows.find_build(session, build_id).build
            msg = f"build {build.number} is {build.status} already; there is nothing to cancel"
            raise ConflictError(msg)

    def activate(self, namespace: str, name: str, build: str) -> BuildRef:
        """Make a completed build of this environment its active one.

        Raises
        ------
        ConflictError
            The build is not completed, or its prefix was dropped.
        """
        with self.database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            if found.status != COMPLETED:
                msg = f"build {found.number} is {found.status}; only a completed build can be active"
                raise ConflictError(msg)
            if found.prefix_state != PREFIX_PRESENT:
                place = f"{namespace}/{name}:{found.number}"
                msg = f"build {found.number} is packed away; first: jupyter envstore restore {place}"
                raise ConflictError(msg)
            environment.current_build_id = found.id
            rows.changed(session, "environment", environment.id)
        point_at(self.config.root, space.name_key, environment.name_key, self.config.builds / found.directory)
        return BuildRef(space.name, environment.name, found.number, found.id)

    def check_restore(self, build_id: int) -> list[str]:
        """Return the files of packages that a restore would need and that cannot be had any more.

        Raises
        ------
        ConflictError
            The build never completed, or its prefix is there.
        """
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
        if build.status != COMPLETED or not build.record_digest:
            msg = f"build {build.number} is {build.status}; only a completed build can be restored"
            raise ConflictError(msg)
        if build.prefix_state == PREFIX_PRESENT:
            msg = f"build {build.number} is there: {self.config.builds / build.directory}"
            raise ConflictError(msg)
        return missing_packages(self.record(build_id).lock(build.platform), self.config.packages / "conda")

    def restore(self, build_id: int) -> None:
        """Bring the prefix of an old build back from its record, in the background.

        Raises
        ------
        ConflictError
            As :meth:`check_restore`.
        """
        with self.database.write() as session:
            build = rows.find_build(session, build_id).build
            if build.status != COMPLETED or build.prefix_state == PREFIX_PRESENT:
                msg = f"build {build.number} is not packed away"
                raise ConflictError(msg)
            if not unfinished_jobs(session, build_id):
                enqueue(session, RESTORE, build_id)

    def delete_build(self, build_id: int) -> None:
        """Delete a build that is not active and does not run.

        Raises
        ------
        ConflictError
            It is active, or it runs.
        """
        with self.database.write() as session:
            row = rows.find_build(session, build_id)
            if row.build.status in UNSETTLED:
                msg = f"build {row.build.number} is {row.build.status}; cancel it first"
                raise ConflictError(msg)
            if row.environment.current_build_id == build_id:
                msg = f"build {row.build.number} is the active one; make another active first"
                raise ConflictError(msg)
            self._forget_build(session, row.build)
        self._remove_prefixes([row.build])

    def delete_environment(self, namespace: str, name: str) -> int:
        """Delete an environment with all its builds; what runs is stopped. Return how many builds it had."""
        with self.database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            builds = rows.list_builds(session, environment.id)
            environment.name_key = f"{environment.name_key}#{environment.id}"  # '#' is in no name: the name is free
            environment.deleted_on = now()
            environment.current_build_id = None
            rows.changed(session, "environment", environment.id)
        drop_link(self.config.root, space.name_key, name.lower())
        for build in builds:
            self.scheduler.cancel(build.id)
        with self.database.write() as session:
            builds = rows.list_builds(session, environment.id)
            for build in builds:
                self._forget_build(session, build)
        self._remove_prefixes(builds)
        return len(builds)

    def _forget_build(self, session: Any, build: Build) -> None:
        build.deleted_on, build.prefix_state = now(), "none"
        for owner in ("record", "log"):
            release(session, f"build:{build.id}:{owner}")
        for artifact in rows.list_artifacts(session, build.id):
            artifact.state, artifact.digest = DROPPED, None
            release(session, f"artifact:{artifact.id}")
        rows.changed(session, "build", build.id)

    def _remove_prefixes(self, builds: Iterable[Build]) -> None:
        for build in builds:
            prefix = self.config.builds / build.directory
            if build.directory and prefix.exists():
                remove_tree(prefix)

    # -- artifacts -------------------------------------------------------------------------------------------------

    def request_artifact(self, build_id: int, kind: str, variant: str = "") -> int:
        """Have an artifact made, unless it is ready or being made; return its id.

        Raises
        ------
        InvalidInputError
            There is no such type or variant.
        ConflictError
            The build did not complete.
        """
        find_maker(kind).check_variant(variant)
        with self.database.write() as session:
            build = rows.find_build(session, build_id).build
            if build.status != COMPLETED:
                msg = f"build {build.number} is {build.status}; artifacts are made of completed builds"
                raise ConflictError(msg)
            artifact = rows.find_artifact(session, build_id, kind, variant)
            if artifact is None:
                artifact = Artifact(build_id=build_id, type=kind, variant=variant, state=PENDING, created_on=now())
                session.add(artifact)
                session.flush()
            elif artifact.state in (PENDING, MAKING) or (
                artifact.state == READY and artifact.digest and self.blobs.path(artifact.digest).exists()
            ):
                return artifact.id
            artifact.state, artifact.reason = PENDING, ""
            enqueue(session, ARTIFACT, build_id, artifact.id)
            return artifact.id

    def artifact(self, artifact_id: int) -> dict[str, Any]:
        """Return one artifact's state."""
        with self.database.read() as session:
            artifact = session.get_one(Artifact, artifact_id)
            return views.artifact_view(artifact, rows.find_build(session, artifact.build_id))

    def artifact_path(self, digest: str) -> Path:
        """Return the file of a ready artifact.

        Raises
        ------
        NotFoundError
            The file is gone.
        """
        path = self.blobs.path(digest)
        if not path.is_file():
            msg = "the artifact's file is gone from the store; have it made again"
            raise NotFoundError(msg)
        return path

    # -- looking ---------------------------------------------------------------------------------------------------

    def environments(self, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return all environments, or those of a namespace."""
        with self.database.read() as session:
            return [views.environment_view(*row) for row in rows.list_environments(session, namespace)]

    def builds(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """Return the builds of an environment, newest first."""
        with self.database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            current = environment.current_build_id
            return [views.build_view(build, build.id == current) for build in rows.list_builds(session, environment.id)]

    def show(self, build_id: int) -> dict[str, Any]:
        """Return all about a build: states, steps, prefix, artifacts."""
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
            artifacts = rows.list_artifacts(session, build_id)
            steps = rows.list_steps(session, build_id)
        return views.full_view(row, artifacts, steps, self.config.builds)

    def text(self, build_id: int) -> str:
        """Return the specification as it was typed."""
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
            return session.get_one(SpecificationRow, build.specification_id).text

    def record(self, build_id: int) -> BuildRecord:
        """Return the build record.

        Raises
        ------
        ConflictError
            The build did not get that far.
        """
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
        if not build.record_digest:
            msg = f"build {build.number} is {build.status} and has no lock"
            raise ConflictError(msg)
        return BuildRecord.from_bytes(self.blobs.read(build.record_digest))

    def log(self, build_id: int) -> str:
        """Return the log so far."""
        with self.database.read() as session:
            build = session.get_one(Build, build_id)
            text = zlib.decompress(self.blobs.read(build.log_digest)).decode() if build.log_digest else ""
            return text + "".join(chunk.text for chunk in rows.log_chunks(session, build_id))

    def diff(self, first: int, second: int) -> list[dict[str, str]]:
        """Return what changed from one build to another: packages added, removed, changed."""
        with self.database.read() as session:
            rows.find_build(session, first), rows.find_build(session, second)
            before = rows.list_packages(session, first)
            after = rows.list_packages(session, second)
        return views.package_diff(before, after)

    def prefix(self, build_id: int) -> Path:
        """Return the prefix of a build.

        Raises
        ------
        ConflictError
            It is not there.
        """
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
        if build.prefix_state != PREFIX_PRESENT:
            what = (
                "packed away; bring it back with: jupyter envstore restore"
                if build.status == COMPLETED
                else build.status
            )
            msg = f"build {build.number} is {what}"
            raise ConflictError(msg)
        return self.config.builds / build.directory

    def busy(self, build_id: int) -> bool:
        """Whether work on a build is queued or runs."""
        with self.database.read() as session:
            return bool(unfinished_jobs(session, build_id))

    def newest_specification(self, namespace: str, name: str) -> str | None:
        """Return the hash of what the newest build was made of, None where there is none."""
        with self.database.read() as session:
            try:
                _, environment = rows.find_environment(session, namespace, name)
            except NotFoundError:
                return None
            builds = rows.list_builds(session, environment.id)
            return session.get_one(SpecificationRow, builds[0].specification_id).sha256 if builds else None

    def search(self, package: str, channels: Sequence[str] = (), platform: str | None = None) -> list[dict[str, Any]]:
        """Return packages of channels: versions of a name, or the names that a pattern with ``*`` matches.

        Raises
        ------
        InvalidInputError
            It is neither.
        """
        settings = self.settings(())
        naming = ChannelPolicy(
            self.config.channel_alias, settings["defaults_channel"], tuple(settings["conda_default_channels"])
        )
        place = (naming.resolve(channels), platform or current_platform(), self.config.packages / "repodata")
        if "*" in package or "?" in package:
            names = search_names(package, *place)
            return [{"name": name, "version": "", "build": "", "channel": "", "size": 0} for name in names]
        try:
            found = search_versions(package, *place)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        keys = ("name", "version", "build", "build_number", "subdir", "channel", "license", "depends")
        return [{**{key: record.get(key) for key in keys}, "size": record.get("size") or 0} for record in found]

    # -- settings --------------------------------------------------------------------------------------------------

    def settings(self, scope: Sequence[str] = ()) -> dict[str, Any]:
        """Return the settings that hold in a scope: ``()``, ``(namespace,)`` or ``(namespace, name)``."""
        with self.database.read() as session:
            _, namespace_id, environment_id = self._scope(session, scope)
            return policy.effective(rows.scope_settings(session, namespace_id, environment_id))

    def change_settings(self, values: dict[str, Any], scope: Sequence[str], who: str) -> None:
        """Change settings of a scope.

        Raises
        ------
        InvalidInputError
            A key or a value cannot be used; nothing is changed then.
        """
        policy.check_settings(values, in_scope=bool(scope))
        with self.database.write() as session:
            key, _, _ = self._scope(session, scope)
            for name, value in values.items():
                rows.set_setting(session, key, name, value, who)

    @staticmethod
    def _scope(session: Any, scope: Sequence[str]) -> tuple[str, int | None, int | None]:
        if not scope:
            return "global", None, None
        namespace = rows.get_namespace(session, scope[0])
        if namespace is None:
            msg = f"there is no namespace {scope[0]}"
            raise NotFoundError(msg)
        if len(scope) == 1:
            return f"namespace:{namespace.id}", namespace.id, None
        _, environment = rows.find_environment(session, scope[0], scope[1])
        return f"environment:{environment.id}", namespace.id, environment.id

    # -- space -----------------------------------------------------------------------------------------------------

    def collect(self, dry_run: bool = False) -> Plan:
        """Free what the settings do not want kept, or say what that would be."""
        return self.retention.plan() if dry_run else self.retention.collect()


def _check_root(config: StoreConfig) -> None:
    """Make the store's folder, or say why it cannot be used.

    Raises
    ------
    InvalidInputError
        Its path is too long for the prefixes below it.
    StorageError
        It cannot be written.
    """
    longest = len(str(config.builds)) + len("/01234567-1234567")
    if longest > MAX_PREFIX:
        msg = (
            f"root_dir {config.root} is too long: prefixes below it would have {longest} characters, "
            f"{MAX_PREFIX} at most"
        )
        raise InvalidInputError(msg)
    if any(letter.isspace() for letter in str(config.root)):
        msg = f"root_dir {str(config.root)!r} has a space in it, which first lines of scripts cannot hold"
        raise InvalidInputError(msg)
    try:
        for folder in (config.root, config.builds, config.packages, config.staging):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the store cannot be made at {config.root}: {error.strerror}; choose another root_dir"
        raise StorageError(msg) from None
    if not os.access(config.root, os.W_OK):
        msg = f"the store at {config.root} cannot be written; check who owns it"
        raise StorageError(msg)
