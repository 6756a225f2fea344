"""What jobs left in the staging folder that were closed while their worker hung."""

from __future__ import annotations

import contextlib
import re

from jupyter_envstore.builds.processes import this_host
from jupyter_envstore.builds.workspace import keep_errors
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.jobs import BUILD
from jupyter_envstore.database.models import Build, Job
from jupyter_envstore.database.retention import running_attempts
from jupyter_envstore.database.states import FAILED, JOB_FAILED
from jupyter_envstore.engine.prefix import remove_tree, to_trash
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays


class StagingSweep:
    """Removes what a worker of this host could not clean up, since it was killed."""

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self.config = config
        self.database = database
        self.host = this_host()

    def left(self) -> list[str]:
        """Return the names of the staging folders of jobs."""
        try:
            return [path.name for path in self.config.staging.glob("job-*-*")]
        except OSError:
            return []

    def sweep(self) -> None:
        """Remove what jobs left that were closed while their worker hung: it was killed and could not clean up."""
        left = self.left()
        if not left:
            return
        with self.database.read() as session:
            left = sorted(set(left) - running_attempts(session))
        for name in left:
            found = re.fullmatch(r"job-(\d+)-(\d+)", name)
            if found:
                with contextlib.suppress(OSError):  # gc tells of what cannot be removed
                    self._sweep_one(name, int(found[1]), int(found[2]))

    def _sweep_one(self, name: str, number: int, attempt: int) -> None:
        with self.database.read() as session:
            job = session.get(Job, number)
        if job is not None and job.host != self.host:
            return
        end_strays(JOB_MARK, str(self.config.staging / name))
        keep_errors(self.config, number, self.config.staging / name)
        remove_tree(self.config.staging / name)
        if job is not None and job.attempt == attempt and job.kind == BUILD:
            self._remove_unpublished(job)

    def _remove_unpublished(self, job: Job) -> None:
        """Remove the prefix of a build that failed before anybody was told of it."""
        trash = None
        with self.database.write() as session:
            build = session.get_one(Build, job.build_id)
            mine = session.get_one(Job, job.id)
            if build.status == FAILED and not build.is_made and mine.state == JOB_FAILED:
                trash = to_trash(self.config.builds / build.directory)
        if trash is not None:
            remove_tree(trash)
