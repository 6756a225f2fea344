"""The worker process: ``python -m jupyter_envstore.builds.worker JOB ATTEMPT``, configuration at its input.

With ``wait SECONDS [MODULE ...]`` it waits for jobs, and forks for each; see :mod:`.waiting_worker`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from pathlib import Path

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.blobs.site_proxies import keep_proxies
from jupyter_envstore.builds.cache_lock import caches_in_use
from jupyter_envstore.builds.executors import executor_for
from jupyter_envstore.builds.log_keeping import keep_log
from jupyter_envstore.builds.own_place import settle_place
from jupyter_envstore.builds.prefix_disk import disk_fault
from jupyter_envstore.builds.processes import start_time, this_host
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.builds.waiting_worker import WAIT, serve
from jupyter_envstore.builds.worker_caches import trim_caches
from jupyter_envstore.builds.workspace import PATIENCE, Workspace, keep_errors, log_chunk, printable
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.database.job_endings import MOST_GIVEN_BACK, finish, give_back
from jupyter_envstore.database.jobs import (
    ANYWHERE,
    ARTIFACT,
    BEHIND,
    BUILD,
    CHECK,
    FINISH,
    KEEP,
    OF_PLACES,
    RESTORE,
    Claim,
    begin_work,
    claim_next_of_build,
)
from jupyter_envstore.database.models import Artifact, Build, Change, Job
from jupyter_envstore.database.queue_reasons import WAITS
from jupyter_envstore.database.states import BUILDING, COMPLETED, FAILED, MAKING
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.checked_network import guard_network, with_refusals
from jupyter_envstore.engine.prefix import remove_tree, storage_error
from jupyter_envstore.engine.sandbox import NONE, leave_keyring
from jupyter_envstore.errors import (
    BlobRemovedError,
    DatabaseAwayError,
    EnvStoreError,
    ForeignFilesError,
    StaleClaimError,
    StorageError,
)


def main(arguments: list[str]) -> int:
    """Do one job, or wait for some."""
    if arguments[0] == WAIT:
        serve(float(arguments[1]), arguments[2:], work)
        return 0
    return work(sys.stdin.read(), int(arguments[0]), int(arguments[1]))


def work(configuration: str, job_id: int, attempt: int) -> int:
    """Do one job, then the artifacts that the same build waits for; return the exit status."""
    config = StoreConfig.from_text(configuration)
    keep_proxies()
    guard_network(config.block_private_addresses, config.allowed_addresses)
    database = Database(config.url, patience=PATIENCE)
    with database.read() as session:
        job = session.get_one(Job, job_id)
        first = Claim(job.id, attempt, job.kind, job.build_id, job.artifact_id)
    claim: Claim | None = first
    lacks_disk = ""
    if config.at_home:
        try:
            settle_place(config, database)
            lacks_disk = disk_fault(config, database)
        except DatabaseAwayError:
            raise
        except StorageError as error:
            _refuse(database, first, error)
            database.close()
            return 1
    if lacks_disk and first.kind in OF_PLACES:
        with contextlib.suppress(StaleClaimError), first.write(database) as session:
            if session.get_one(Job, first.job_id).given_back < MOST_GIVEN_BACK:
                give_back(session, first.job_id)  # it went away a moment ago: who starts workers looks for it, too
            else:  # it is there for who starts workers, and not here
                finish(session, first, redact(printable(lacks_disk)))
        database.close()
        return 1
    behind = BEHIND if config.at_home and not lacks_disk else ANYWHERE
    while claim is not None:
        if not do_job(config, database, claim):
            return 1
        with database.write() as session:
            claim = claim_next_of_build(session, claim, behind)
    if config.hand_on:
        hand_on(config, database)
    if not config.at_home:
        with contextlib.suppress(OSError):  # the job is done; the next one tries again
            trim_caches(config)
    database.close()
    return 0


def _refuse(database: Database, claim: Claim, error: StorageError) -> None:
    """Say why nothing can be done in the store's folder as it is configured: for good, or until another attempt."""
    with contextlib.suppress(StaleClaimError), claim.write(database) as session:
        begin_work(session, claim, this_host(), os.getpid(), start_time(os.getpid()))  # unless another one does it
        if isinstance(error, ForeignFilesError):
            finish(session, claim, _reason(error))
        else:
            session.add(log_chunk(claim.build_id, f"the folder of the store cannot be used: {_reason(error)}"))


def hand_on(config: StoreConfig, database: Database) -> None:
    """Start what waits, before this worker ends: where no server runs, nobody else does."""
    if config.executor_options.get("cluster_class"):
        return  # such a cluster would end with this process, and all that was begun there
    with contextlib.suppress(Exception), contextlib.closing(executor_for(config)) as executor:
        Scheduler(config, database, blob_store(config), executor).tick()  # a failure is not this worker's


def do_job(config: StoreConfig, database: Database, claim: Claim) -> bool:
    """Do a job and close it; False when it was taken away."""
    if config.sandbox != NONE:
        leave_keyring()
    os.umask(0o022)  # what an artifact holds does not depend on the account; the store's own folders are closed
    with Workspace(config, database, claim) as workspace:
        _errors_to(workspace.staging / "worker.err")
        try:
            try:
                _begin(workspace)
            except StaleClaimError:
                workspace.disown()
                return False
            with caches_in_use(config):  # may wait; the heartbeat beats already
                _run(workspace)
        except StaleClaimError:
            return False
        except (DatabaseAwayError, BlobRemovedError) as error:
            # what was written last may be there or not, or has to be made again: the next attempt looks
            print(f"the job is left to another attempt: {error}", file=sys.stderr)
            if isinstance(error, DatabaseAwayError):
                database.patience = 0.0  # it was waited for long enough
            workspace.log(f"{str(error).partition(';')[0]}: it is tried again")
            return _give_back(workspace)
        except Exception as error:  # the one place where a worker's troubles end: as a reason for people
            failed = with_refusals(_reason(error))
            if not isinstance(error, EnvStoreError):
                with contextlib.suppress(OSError):
                    traceback.print_exc()
            workspace.log(f"Failed: {failed}")
        else:
            failed = ""
        return _end(workspace, failed)


def _errors_to(path: Path) -> None:
    """Send standard error to a file: each job has its own."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 2)
    os.close(handle)


def _begin(workspace: Workspace) -> None:
    claim = workspace.claim
    with claim.write(workspace.database) as session:
        begin_work(session, claim, this_host(), os.getpid(), start_time(os.getpid()))
        if claim.kind == BUILD:
            build = session.get_one(Build, claim.build_id)
            if build.status == COMPLETED:  # the attempt before got that far, and was lost right behind it
                return
            build.status, build.started_on, build.ended_on = BUILDING, build.started_on or now(), None
            if build.status_info.startswith(WAITS):
                build.status_info = ""
            session.add(Change(kind="build", subject_id=build.id, at=now()))
        elif claim.kind == ARTIFACT:
            session.get_one(Artifact, claim.artifact_id).state = MAKING


def _run(workspace: Workspace) -> None:
    """Do what the job is for. Its modules are imported here: a worker that waits ready has them before it forks."""
    from jupyter_envstore.builds.artifact_job import run_artifact
    from jupyter_envstore.builds.check_step import run_check
    from jupyter_envstore.builds.package_keeping import run_keep
    from jupyter_envstore.builds.pipeline import run_build, run_finish, run_restore

    jobs = {
        ARTIFACT: run_artifact,
        BUILD: run_build,
        RESTORE: run_restore,
        FINISH: run_finish,
        CHECK: run_check,
        KEEP: run_keep,
    }
    jobs[workspace.claim.kind](workspace)


def _reason(error: BaseException) -> str:
    if isinstance(error, EnvStoreError):
        return redact(printable(str(error)))
    if isinstance(error, OSError):
        return str(storage_error(error))
    return f"something unforeseen happened ({type(error).__name__}); the server's log has the details"


def _clear(workspace: Workspace) -> None:
    """Remove what the job needed, and write what it logged."""
    workspace.end_strays()  # they would write into what is removed next
    with contextlib.suppress(OSError):
        keep_errors(workspace.config, workspace.claim.job_id, workspace.staging)
    with contextlib.suppress(OSError):
        if workspace.staging.exists():
            remove_tree(workspace.staging)
    workspace.stop()  # from here on the claim is given back, which the heartbeat would take for a loss
    with contextlib.suppress(EnvStoreError):
        workspace.flush()


def _give_back(workspace: Workspace) -> bool:
    """Queue the job again; if that cannot be written either, its lease runs out."""
    _clear(workspace)
    with contextlib.suppress(EnvStoreError, OSError), workspace.claim.write(workspace.database) as session:
        give_back(session, workspace.claim.job_id)
    return False


def _end(workspace: Workspace, failed: str) -> bool:
    claim = workspace.claim
    _clear(workspace)
    for _ in range(3):  # a full disk or a busy database may pass
        try:
            with claim.write(workspace.database) as session:
                finish(session, claim, failed)
        except (StaleClaimError, DatabaseAwayError):  # which was waited for long enough
            return False
        except (EnvStoreError, OSError):
            time.sleep(1)
            continue
        break
    else:
        return False  # the lease runs out, and somebody else settles it
    with contextlib.suppress(EnvStoreError, OSError):
        blobs = blob_store(workspace.config, patience=PATIENCE)
        keep_log(workspace.database, blobs, claim.build_id, (COMPLETED, FAILED))
    return True


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # rattler's threads now and then crash a Python that takes itself apart
