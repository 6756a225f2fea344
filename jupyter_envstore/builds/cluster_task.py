"""What a machine of a cluster runs for a job: it has the worker process started, and waits for its end.

The worker is the same as on the server's machine, and a session of its own: it outlives who started it, and ends itself
when its job is not its own any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_envstore import __version__
from jupyter_envstore.builds.local_executor import LocalExecutor
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.question_process import run_here

BEGUN = "envstore-begun"
"""Dask's topic in which tasks tell that they begin."""
LOOK_SECONDS = 0.05
"""How often it is looked whether a process has ended."""
_EXECUTORS: dict[str, LocalExecutor] = {}
_LOCK = threading.Lock()
DATABASE_VARIABLE, OPTIONS_VARIABLE = "ENVSTORE_DATABASE_URL", "ENVSTORE_BLOB_OPTIONS"


class UnfitWorkerError(Exception):
    """A machine of the cluster cannot do any job of the store."""


def run_job(text: str, job_id: int, attempt: int, version: str) -> None:
    """Run the worker process of a job until it ends.

    Parameters
    ----------
    text : str
        The configuration for workers.
    version : str
        Version of the server's jupyter-envstore.

    Raises
    ------
    UnfitWorkerError
        This machine has another version; or it does not have the folder or the credentials.
    """
    config = _begin(text, version)
    if not config.at_home:
        config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            config.root.chmod(0o700)
    executor = _executor_of(config)
    staging = config.staging_of(job_id, attempt)
    if not config.at_home:
        _remove_older(config, job_id, attempt)
    is_repeated = staging.exists()  # by Dask, after it lost the worker: the first process may go on
    handle = executor.start_attempt(job_id, attempt)
    while executor.alive(handle).alive:
        time.sleep(LOOK_SECONDS)
        executor.reap()
    if not config.at_home and not is_repeated:
        with contextlib.suppress(OSError):  # one that was killed left it, and no server can see it
            remove_tree(staging)


def _remove_older(config: StoreConfig, job_id: int, attempt: int) -> None:
    """Remove what older attempts left here, which have lost the job: nobody else sees this folder."""
    for path in config.staging.glob(f"job-{job_id}-*"):
        number = path.name.rpartition("-")[2]
        if number.isdigit() and int(number) < attempt:
            with contextlib.suppress(OSError):
                remove_tree(path)


def _executor_of(config: StoreConfig) -> LocalExecutor:
    """Return what starts the processes of this machine; one of them may wait ready between jobs."""
    text = config.to_text()
    with _LOCK:
        known = _EXECUTORS.get(text)
        if known is None:  # one for each server that differs; what waits for jobs in vain ends by itself
            known = _EXECUTORS[text] = LocalExecutor(config)
        return known


def run_question(text: str, configuration: str, timeout: float, version: str) -> str:
    """Run the process of a question to channels, with this machine's indexes; return what it wrote.

    Parameters
    ----------
    text : str
        The question as JSON.
    configuration : str
        The configuration for workers.

    Raises
    ------
    UnfitWorkerError
        As :func:`run_job`.
    LimitError
        The time limit passed.
    """
    config = _begin(configuration, version)
    question = json.loads(text) | {"cache": str(config.packages / "repodata")}
    return run_here(json.dumps(question), timeout, _Canceled())


class _Canceled(threading.Event):
    """Is set once Dask was told that nobody waits for the task that runs in this thread: it only notes that."""

    def __init__(self) -> None:
        super().__init__()
        from distributed import get_worker

        self._worker: Any = None
        with contextlib.suppress(ValueError):  # no worker of Dask calls this
            self._worker = get_worker()
            self._key = self._worker.get_current_task()

    def is_set(self) -> bool:
        """Whether the task was canceled."""
        if self._worker is None:
            return False
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state == "cancelled"


def _begin(text: str, version: str) -> StoreConfig:
    """Tell that a task has begun; return the configuration as it is on this machine, if it is fit for the task."""
    _tell_begun()
    host = socket.gethostname()
    if version != __version__:
        msg = f"{host} has jupyter-envstore {__version__}, and the server {version}; install the same on both"
        raise UnfitWorkerError(msg)
    return node_config(StoreConfig.from_text(text), host)


def _tell_begun() -> None:
    """Tell the scheduler that a task has a place: it counts those that wait behind others on their worker alike."""
    from distributed import get_worker

    with contextlib.suppress(ValueError):  # no worker of Dask calls this
        worker = get_worker()
        worker.log_event(BEGUN, worker.get_current_task())


def node_config(config: StoreConfig, host: str) -> StoreConfig:
    """Return a configuration as it is on this machine.

    Raises
    ------
    UnfitWorkerError
        The folder is missing, or the credentials are.
    """
    if not config.at_home:
        root = os.path.expandvars(Path(config.root_dir).expanduser())
        if "$" in root or not Path(root).is_absolute():
            msg = f"worker_root_dir {config.root_dir!r} is {root!r} on {host}, which is no absolute path"
            raise UnfitWorkerError(msg)
        config = replace(config, root_dir=str(Path(root)))
    elif not config.root.is_dir():
        msg = f"{host} does not have the store's folder {config.root}: mount it there, or set worker_root_dir"
        raise UnfitWorkerError(msg)
    if not config.at_home and not config.database_url:
        config = replace(config, database_url=os.environ.get(DATABASE_VARIABLE, ""))
        if not config.database_url:
            msg = f"{host} has no variable {DATABASE_VARIABLE}; set it, or send_credentials in executor_options"
            raise UnfitWorkerError(msg)
    if config.blob_url and not config.blob_options and (options := os.environ.get(OPTIONS_VARIABLE)):
        config = replace(config, blob_options=json.loads(options))
    return config
