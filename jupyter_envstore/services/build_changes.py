"""Cancel, activate, restore, pin, pack away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jupyter_envstore.builds.active_links import sync_link
from jupyter_envstore.builds.package_keeping import keep_where_wanted
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database.jobs import RESTORE, enqueue, unfinished_jobs
from jupyter_envstore.database.states import COMPLETED, PREFIX_PRESENT
from jupyter_envstore.engine.availability import PackageSource, missing_packages, package_sources
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.services.base import BuildRef
from jupyter_envstore.services.lookups import Looking


class Changing(Looking):
    """What happens to environments and builds that are there."""

    def cancel(self, build_id: int, who: str = "") -> list[str]:
        """Stop a build that is queued or runs, or the artifacts of one that is ready; return what was stopped.

        Raises
        ------
        ConflictError
            Nothing of it is queued or runs.
        """
        stopped = self.scheduler.cancel(build_id)
        if not stopped:
            with self.database.read() as session:
                row = rows.find_build(session, build_id)
            msg = f"build {row} is {row.build.status} already; there is nothing to cancel"
            raise ConflictError(msg)
        with self.database.write() as session:
            people.audit(session, who, "build.cancel", f"build:{build_id}", {"stopped": stopped})
        return stopped

    def activate(self, namespace: str, name: str, build: str, who: str = "") -> BuildRef:
        """Make a completed build of this environment its active one.

        Raises
        ------
        ConflictError
            The build is not completed, or its prefix was dropped.
        """
        with self.database.write() as session:
            space, environment = rows.find_environment(session, namespace, name)
            found = rows.resolve_build(session, environment, build)
            place = f"{namespace}/{name}:{found.number}"
            if found.status != COMPLETED:
                msg = f"build {place} is {found.status}; only a completed build can be active"
                raise ConflictError(msg)
            if found.prefix_state != PREFIX_PRESENT:
                msg = f"build {place} is packed away; first: jupyter envstore restore {place}"
                raise ConflictError(msg)
            environment.current_build_id = found.id
            keep_where_wanted(self.config, session, space, environment, found)
            rows.changed(session, "environment", environment.id)
            people.audit(session, who, "build.activate", f"{space.name}/{environment.name}:{found.number}")
        sync_link(self.config, self.database, environment.id)
        return BuildRef(space.name, environment.name, found.number, found.id)

    def activate_id(self, namespace: str, name: str, build_id: int, who: str = "") -> BuildRef:
        """Make a build of this environment, named by its id, the active one.

        Raises
        ------
        NotFoundError
            This environment has no such build; whether another one has is not told.
        ConflictError
            It is not completed, or packed away.
        """
        with self.database.read() as session:
            _, environment = rows.find_environment(session, namespace, name)
            build = rows.build_of(session, environment, build_id)
        return self.activate(namespace, name, str(build.number), who)

    def check_packed_away(self, build_id: int) -> None:
        """Make sure that a build can be restored: it was completed once, and its prefix was removed.

        Raises
        ------
        ConflictError
            It never completed, or its prefix is there.
        """
        with self.database.read() as session:
            self._check_packed_away(rows.find_build(session, build_id))

    def _check_packed_away(self, row: rows.BuildRow) -> None:
        _check_completed(row)
        if row.build.prefix_state == PREFIX_PRESENT:
            msg = f"build {row} is not packed away: it is there, {self.config.builds / row.build.directory}"
            raise ConflictError(msg)

    def check_restore(self, build_id: int) -> list[PackageSource]:
        """Return where each package would come from that a restore needs, whether or not the build is packed away.

        Raises
        ------
        ConflictError
            The build never completed.
        """
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
        _check_completed(row)
        lock = self.record(build_id).lock(row.build.platform)
        return package_sources(lock, self.config.packages / "conda", self.blobs.path)

    def installer_extras(self, build_id: int) -> tuple[dict[str, Any], ...]:
        """Return what constructor's installers of a build bring beside its own packages."""
        with self.database.read() as session:
            build = rows.find_build(session, build_id).build
        return self.record(build_id).lock(build.platform).installer_extras

    def restore_sources(self, build_id: int) -> dict[str, Any]:
        """Return where each package would come from, and the files that are to be had nowhere, as JSON values."""
        sources = self.check_restore(build_id)
        return {"missing": missing_packages(sources), "packages": [asdict(source) for source in sources]}

    def restore(self, build_id: int, who: str = "") -> None:
        """Bring the prefix of an old build back from its record, in the background.

        Raises
        ------
        ConflictError
            As :meth:`check_packed_away`.
        """
        with self.database.write() as session:
            row = rows.find_build(session, build_id)
            self._check_packed_away(row)
            if not any(job.kind == RESTORE for job in unfinished_jobs(session, build_id)):
                enqueue(session, RESTORE, build_id)
                rows.changed(session, "build", build_id)
                people.audit(session, who, "build.restore", f"build:{build_id}")

    def pin(self, build_id: int, pinned: bool, who: str = "") -> None:
        """Keep the prefix of a build for good, or let the retention settings decide again.

        Raises
        ------
        ConflictError
            It never completed, so there is nothing to keep.
        """
        with self.database.write() as session:
            row = rows.find_build(session, build_id)
            if pinned and row.build.status != COMPLETED:
                msg = f"build {row} is {row.build.status}; only a completed build can be pinned"
                raise ConflictError(msg)
            row.build.pinned = pinned
            keep_where_wanted(self.config, session, row.namespace, row.environment, row.build)
            rows.changed(session, "build", build_id)
            people.audit(session, who, "build.pin" if pinned else "build.unpin", f"build:{build_id}")
        self.scheduler.wake()

    def pack_away(self, build_id: int, who: str = "") -> None:
        """Drop the prefix and large artifacts of a build now; its record brings them back.

        Raises
        ------
        ConflictError
            It is active, kept by hand, in use, being worked on, or not there.
        """
        with self.database.read() as session:
            row = rows.find_build(session, build_id)
        build = row.build
        reasons = [
            (build.status != COMPLETED, f"is {build.status}"),
            (build.prefix_state != PREFIX_PRESENT, "is packed away already"),
            (build.pinned, "is kept by hand (pinned)"),
            (row.environment.current_build_id == build.id, "is the active one; make another active first"),
        ]
        reason = next((words for applies, words in reasons if applies), None)
        if reason is None and not self.retention.pack_away(build_id):
            reason = "is in use: something runs in it, or works on it"
        if reason is not None:
            msg = f"build {row} {reason}"
            raise ConflictError(msg)
        with self.database.write() as session:
            people.audit(session, who, "build.pack-away", f"build:{build_id}")


def _check_completed(row: rows.BuildRow) -> None:
    if row.build.status != COMPLETED or not row.build.record_digest:
        msg = f"build {row} is {row.build.status}; only a completed build can be restored"
        raise ConflictError(msg)
