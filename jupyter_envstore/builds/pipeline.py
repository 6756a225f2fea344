"""A build from its specification to a prefix that can be used: the steps, in order."""

from __future__ import annotations

from jupyter_envstore.builds.active_links import sync_link
from jupyter_envstore.builds.build_job import Job
from jupyter_envstore.builds.build_rows import BuildRows
from jupyter_envstore.builds.lock_steps import Locking
from jupyter_envstore.builds.prefix_steps import PrefixSteps
from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.engine.prefix import remove_tree


def run_build(workspace: Workspace) -> None:
    """Make a new build: find versions, download, resolve PyPI packages, record, link, activate."""
    job = Job(workspace)
    rows = BuildRows(job)
    if job.build.status == COMPLETED:  # the attempt before was lost after its last step
        if job.config.at_home:
            sync_link(job.config, workspace.database, job.environment.id)
        return
    if job.build.record_digest:  # the attempt before got as far as the record: no need to solve again
        record, staging = job.fetch_recorded()
    else:
        record, staging = Locking(job).make_record()
        with workspace.step("record", "Write build record"):
            rows.keep_record(record)
    size = PrefixSteps(job).make(record, staging)
    if not job.config.at_home:
        remove_tree(job.prefix)  # it showed that the record can be linked; nobody uses it here
        rows.publish()
        return
    rows.complete(size)
    sync_link(job.config, workspace.database, job.environment.id)


def run_restore(workspace: Workspace) -> None:
    """Make the prefix of an old build again from its record, without solving; or that of a build that has none yet."""
    job = Job(workspace)
    if job.build.is_here:
        return
    is_first = not job.build.is_made
    steps, recorded = PrefixSteps(job), job.fetch_recorded()
    size = steps.make(*recorded) if is_first else steps.make_again(*recorded)
    BuildRows(job).restored(size, is_first)
    sync_link(job.config, workspace.database, job.environment.id)  # a store that came of a backup has none


def run_finish(workspace: Workspace) -> None:
    """Add byte code, compiling what no build before had, while the environment can be used. Then close the prefix."""
    job = Job(workspace)
    if job.build.is_here:
        BuildRows(job).finished(PrefixSteps(job).close(job.read_record()))
