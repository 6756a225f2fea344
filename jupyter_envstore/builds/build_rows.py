"""What a build writes into the database: its record, that its prefix is there, how large it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from jupyter_envstore.artifacts.applicability import applies
from jupyter_envstore.builds.build_job import Job
from jupyter_envstore.builds.package_keeping import keep_where_wanted
from jupyter_envstore.builds.package_rows import package_rows
from jupyter_envstore.builds.prefix_steps import PrefixSize
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database.blob_references import refer, refer_wheels
from jupyter_envstore.database.connection import Session, now
from jupyter_envstore.database.jobs import ARTIFACT, CHECK, FINISH, RESTORE, enqueue
from jupyter_envstore.database.models import Artifact, Build, Change, Place
from jupyter_envstore.database.models import Job as JobRow
from jupyter_envstore.database.placements import note_here
from jupyter_envstore.database.sessions import place_of
from jupyter_envstore.database.states import COMPLETED, ON_DEMAND, PENDING
from jupyter_envstore.engine.record import BuildRecord


class BuildRows:
    """Writes what comes of a build, in one transaction each; a lost claim writes nothing."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.workspace = job.workspace

    def keep_record(self, record: BuildRecord) -> None:
        """Make the record durable: from here on the build can be made again without solving."""
        blob = self.workspace.blobs.put(record.to_bytes())
        confirmed = self.workspace.confirmed(blob.digest, *(wheel["sha256"] for wheel in record.wheels))
        with self.workspace.claim.write(self.workspace.database) as session:
            build = session.get_one(Build, self.job.build.id)
            refer(session, confirmed, blob, f"build:{build.id}:record")
            refer_wheels(session, confirmed, record.wheels, build.id)
            build.record_digest = blob.digest
            build.platform = self.job.platform
            packages = list(package_rows(record.lock(self.job.platform)))
            build.package_count = len(packages)
            rows.set_packages(session, build.id, packages)

    def complete(self, size: PrefixSize) -> None:
        """Make the build usable, active if it is the newest, and ask for what is still to be done."""
        with self._completing() as (session, build):
            self._present(session, build, size)
            self._ask_for_check(session, build)
            self.workspace.log_with(session, f"Ready after {self._seconds(build):.1f} s")

    def publish(self) -> None:
        """Make a build known that was made in another folder than the servers', and have it linked in theirs."""
        with self._completing() as (session, build):
            build.is_made = True
            session.add(Change(kind="build", subject_id=build.id, at=now()))
            seconds = f"{self._seconds(build):.1f} s"
            self.workspace.log_with(session, f"Recorded after {seconds}; the environment is linked where it is used")

    @contextlib.contextmanager
    def _completing(self) -> Iterator[tuple[Session, Build]]:
        """Complete a build, which becomes active if it is the newest, and ask for what is to be made of it."""
        self.workspace.flush()  # what was logged before the line that tells of the end
        with self.workspace.claim.write(self.workspace.database) as session:
            row = rows.find_build(session, self.job.build.id)  # it may have been deleted meanwhile
            build, environment = row.build, row.environment
            build.status, build.status_info, build.ended_on = COMPLETED, "", now()
            if environment.deleted_on is None and (environment.current_build_id or 0) < build.id:
                environment.current_build_id = build.id
                people.audit(session, build.created_by, "build.activate", str(row), {"by": "completion"})
            yield session, build
            self._bring_where_wanted(session, build)
            self._ask_for_artifacts(session, build)
            keep_where_wanted(self.job.config, session, row.namespace, environment, build)

    def _bring_where_wanted(self, session: Session, build: Build) -> None:
        """Have the prefix made in the place that asked for the build, if that is another one."""
        job = session.get_one(JobRow, self.workspace.claim.job_id)
        wanted, here = job.place_id or job.runner_id, place_of(session)
        if session.get(Place, wanted) is None:  # it was forgotten: any other will do
            wanted = here
        if wanted != here or not here:
            enqueue(session, RESTORE, build.id, place_id=wanted)  # which asks for the check, too

    @staticmethod
    def _seconds(build: Build) -> float:
        ended = build.ended_on or now()
        return (ended - (build.started_on or ended)).total_seconds()

    def restored(self, size: PrefixSize, is_first: bool = False) -> None:
        """Note that an old build has its prefix again; or for the first time: then its artifacts are asked for."""
        with self.workspace.claim.write(self.workspace.database) as session:
            row = rows.find_build(session, self.job.build.id, deleted=True)
            self._present(session, row.build, size)
            if is_first:
                self._ask_for_artifacts(session, row.build)
                keep_where_wanted(self.job.config, session, row.namespace, row.environment, row.build)
            self._ask_for_check(session, row.build)

    def finished(self, size: PrefixSize) -> None:
        """Note the size of a prefix that is complete."""
        with self.workspace.claim.write(self.workspace.database) as session:
            build = session.get_one(Build, self.job.build.id)
            build.size, build.own_size = size.total, size.own

    def _present(self, session: Session, build: Build, size: PrefixSize) -> None:
        """Note that the prefix can be used, and ask for the rest of its byte code."""
        note_here(session, build.id)
        build.is_made = True
        build.size, build.own_size = size.total, size.own
        enqueue(session, FINISH, build.id)
        session.add(Change(kind="build", subject_id=build.id, at=now()))

    def _ask_for_artifacts(self, session: Session, build: Build) -> None:
        sources = rows.sources_of(session, build.id)
        for kind in self.job.settings["artifacts_at_once"]:
            if kind not in self.job.settings["build_artifacts"] or not applies(kind, sources):
                continue
            if rows.find_artifact(session, build.id, kind, "") is None:
                artifact = Artifact(build_id=build.id, type=kind, state=PENDING, created_on=now())
                session.add(artifact)
                session.flush()
                enqueue(session, ARTIFACT, build.id, artifact.id)

    def _ask_for_check(self, session: Session, build: Build) -> None:
        if self.job.settings["check_imports"] and build.trigger != ON_DEMAND:  # who pulls an image sees if it runs
            enqueue(session, CHECK, build.id)
