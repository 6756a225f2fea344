"""Submit, cancel, activate, restore, delete."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace

from jupyter_envstore import policy
from jupyter_envstore.builds.links import drop_link, sync_link
from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.engine.availability import missing_packages
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.lockcheck import check_lock
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.envstore.base import BuildRef
from jupyter_envstore.envstore.keeping import Keeping
from jupyter_envstore.envstore.looking import Looking
from jupyter_envstore.errors import ConflictError, InvalidInputError, StorageError
from jupyter_envstore.spec import Specification, check_name
from jupyter_envstore.store import builds as rows
from jupyter_envstore.store.database import now
from jupyter_envstore.store.jobs import BUILD, RESTORE, enqueue, unfinished_jobs
from jupyter_envstore.store.models import (
    COMPLETED,
    PREFIX_PRESENT,
    UNSETTLED,
    Build,
)


class Changing(Looking, Keeping):
    """What changes environments and their builds."""

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
        options: BuildOptions | None = None,
    ) -> BuildRef:
        """Add a build and return at once; a scheduler starts it.

        Parameters
        ----------
        name : str or None
            Name of the environment; None for the one in the specification.
        options : BuildOptions or None
            Choices for this build alone.

        Raises
        ------
        InvalidInputError
            A name is missing or cannot be used.
        SpecificationError
            It is a lockfile that conda-lock does not accept.
        PolicyError
            The settings of the place forbid something in it.
        StorageError
            The disk is too full.
        """
        check_name("namespace", namespace)
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the file, or give --name"
            raise InvalidInputError(msg)
        check_name("environment", name)
        options = options or BuildOptions()
        options.check()
        if specification.lockfile is not None:
            check_lock(specification.lockfile)
        self._check_space()
        specification, notes = self._as_settings_want(specification, namespace, name)
        options = replace(options, notes=notes)
        with self.database.write() as session:
            space = rows.ensure_namespace(session, namespace, who)
            environment = rows.ensure_environment(session, space, name, who)
            row = rows.ensure_specification(session, specification, name, who)
            build = rows.add_build(session, environment, row, who, trigger, options.to_json())
            enqueue(session, BUILD, build.id)
            return BuildRef(space.name, environment.name, build.number, build.id, notes)

    def _check_space(self) -> None:
        wanted = int(self.settings()["storage_threshold"])
        free = shutil.disk_usage(self.config.root).free
        if free < wanted:
            msg = (
                f"{free / 1e9:.1f} GB are free on the store's disk, and a build is taken on from {wanted / 1e9:.1f} GB "
                "(storage_threshold); free some with: jupyter envstore gc"
            )
            raise StorageError(msg)

    def _as_settings_want(
        self, specification: Specification, namespace: str, name: str
    ) -> tuple[Specification, tuple[str, ...]]:
        with self.database.read() as session:
            scopes = rows.scope_settings(session, *rows.scope_ids(session, namespace, name))
        settings = policy.effective([self.config.settings, *scopes])
        naming = ChannelPolicy.of(settings, self.config.channel_alias)
        return policy.apply_policy(specification, settings, f"{namespace}/{name}", naming.url)

    def cancel(self, build_id: int) -> list[str]:
        """Stop a build that is queued or runs, or the artifacts of one that is ready; return what was stopped.

        Raises
        ------
        ConflictError
            Nothing of it is queued or runs.
        """
        stopped = self.scheduler.cancel(build_id)
        if not stopped:
            with self.database.read() as session:
                build = rows.find_build(session, build_id).build
            msg = f"build {build.number} is {build.status} already; there is nothing to cancel"
            raise ConflictError(msg)
        return stopped

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
        sync_link(self.config, self.database, environment.id)
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
            if not any(job.kind == RESTORE for job in unfinished_jobs(session, build_id)):
                enqueue(session, RESTORE, build_id)

    def delete_build(self, build_id: int) -> None:
        """Delete a build that is not active and does not run.

        Raises
        ------
        ConflictError
            It is active, or it runs.
        """
        with self.database.read() as session:
            _check_deletable(rows.find_build(session, build_id))
        self.scheduler.cancel(build_id, everything=True)
        with self.database.write() as session:
            row = rows.find_build(session, build_id)
            _check_deletable(row)
            rows.forget_build(session, row.build)
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
            self.scheduler.cancel(build.id, everything=True)
        with self.database.write() as session:
            builds = rows.list_builds(session, environment.id)
            for build in builds:
                rows.forget_build(session, build)
        self._remove_prefixes(builds)
        return len(builds)

    def _remove_prefixes(self, builds: Iterable[Build]) -> None:
        for build in builds:
            prefix = self.config.builds / build.directory
            if build.directory and prefix.exists():
                remove_tree(prefix)


def _check_deletable(row: rows.BuildRow) -> None:
    if row.build.status in UNSETTLED:
        msg = f"build {row.build.number} is {row.build.status}; cancel it first"
        raise ConflictError(msg)
    if row.environment.current_build_id == row.build.id:
        msg = f"build {row.build.number} is the active one; make another active first"
        raise ConflictError(msg)
