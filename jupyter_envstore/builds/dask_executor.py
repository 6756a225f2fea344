"""Workers on a Dask cluster: Dask gives places and scales; leases and attempts stay the store's."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_envstore import __version__
from jupyter_envstore.builds.cluster_calls import submit
from jupyter_envstore.builds.cluster_options import DASK, ClusterOptions
from jupyter_envstore.builds.cluster_questions import ClusterQuestions
from jupyter_envstore.builds.cluster_task import BEGUN, UnfitWorkerError, run_job
from jupyter_envstore.builds.own_cluster import OwnCluster
from jupyter_envstore.builds.seen import UNKNOWN, Seen
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.jobs import Claim, Handle
from jupyter_envstore.engine.question_process import RunQuestion
from jupyter_envstore.errors import InvalidInputError

ANSWER_SECONDS = 5.0
"""How long a scheduler may take to answer a question; then it hangs."""
PAUSE_SECONDS = 5.0
"""How long a scheduler that did not answer is not asked again."""
SUSPECT_SECONDS = 300.0
"""How long a worker gets no task that did not end its last one; Dask gives it up after as long (``worker-ttl``)."""
MOST_BEGUN = 2000
"""How many tasks are remembered that have begun."""
WAITING = ("released", "waiting", "no-worker", "queued")
"""States of a task that has no place yet."""


class DaskExecutor:
    """Starts each job as one task, which starts the worker process.

    Dask repeats a task whose worker was lost; the second process finds that the attempt has one already, and ends. The
    tasks go on if this process ends.

    Raises
    ------
    InvalidInputError
        An option cannot be used, or Dask is not installed.
    """

    def __init__(self, config: StoreConfig) -> None:
        self.options = ClusterOptions.of(config)
        self.own_folders = bool(self.options.worker_root_dir)
        self._text = self.options.for_workers(config).to_text()
        try:
            import distributed  # noqa: F401 - told here, and not when the first job is started
        except ImportError as error:
            msg = f"the executor dask needs Dask ({error}): pip install 'jupyter-envstore[dask]'"
            raise InvalidInputError(msg) from None
        self._lock = threading.Lock()
        self._is_closed = False
        self._client: Any = None
        self._own = OwnCluster(self.options)
        self._futures: dict[str, Any] = {}
        self._submitted: set[str] = set()
        """Tasks that are not known to have ended, also behind a connection that was lost."""
        self._suspects: dict[str, float] = {}
        self._begun: collections.deque[str] = collections.deque(maxlen=MOST_BEGUN)
        self._why, self._asked = "", -PAUSE_SECONDS
        self._mark = uuid.uuid4().hex[:12]
        """Stands in the keys of tasks: other servers and other stores may use the same scheduler."""
        self._workers, self._counted = 0, -PAUSE_SECONDS
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it logs with tracebacks, we tell

    @property
    def ends_with_process(self) -> bool:
        """Whether the cluster was made here: then its workers end with this process."""
        return bool(self.options.cluster_class)

    @property
    def questions(self) -> RunQuestion | None:
        """What has questions to channels answered by the workers; None if the server shall."""
        if not self.options.previews:
            return None
        return ClusterQuestions(self._client_if_there, self._begun, self._text, self.options.resources)

    def _client_if_there(self) -> Any:
        with self._lock:
            return None if self._connect() else self._client

    @property
    def place(self) -> str:
        """What is asked for workers."""
        return self.options.address or self.options.cluster_class

    def ready(self) -> str:
        """Return why the scheduler cannot be asked now; empty if it can."""
        with self._lock:
            return self._connect()

    def worker_count(self) -> int:
        """Return how many workers of Dask there are now; 0 where the scheduler cannot be asked."""
        with self._lock:
            return 0 if self._connect() else self._count_workers()

    def start(self, claim: Claim) -> Handle:
        """Submit the task of a job.

        Raises
        ------
        ConnectionError
            The scheduler does not answer.
        """
        from distributed import fire_and_forget

        key = f"envstore-{claim.job_id}-{claim.attempt}-{self._mark}"
        with self._lock:
            if why := self._connect():
                raise ConnectionError(why)
            others = self._others()
            future = submit(
                self._client,
                run_job,
                self._text,
                claim.job_id,
                claim.attempt,
                __version__,
                key=key,
                resources=self.options.resources or None,
                workers=others,
                allow_other_workers=others is not None,
            )
            fire_and_forget(future)  # so that it goes on when this process ends
            self._futures[key] = future
            if self.options.cluster_class:
                self._submitted.add(key)
        return Handle(DASK, key, "")

    def alive(self, handle: Handle) -> Seen:
        """Return whether a task waits or runs; if it failed, why."""
        if handle.kind != DASK or (self.options.cluster_class and not handle.id.endswith(self._mark)):
            return UNKNOWN  # the own cluster of another process has it
        with self._lock:
            if self._connect():
                return UNKNOWN
            future = self._futures.get(handle.id)
            begun = handle.id in self._begun
            if future is not None and future.status in ("error", "cancelled", "lost"):
                return _ended(future, begun)
            try:
                states = self._ask(self._client.scheduler.get_task_status, keys=[handle.id])
                is_alone = states.get(handle.id) in WAITING and not self._count_workers()
            except Exception:  # the connection was lost just now
                return UNKNOWN
        state = states.get(handle.id)
        if state in WAITING:
            return Seen(alive=True, waits=True, reason=self._no_worker() if is_alone else "")
        if state == "processing":
            return Seen(alive=True, waits=not begun, starts=begun)
        return Seen(False, reason="the Dask scheduler does not know its task any more", is_uncounted=not begun)

    def _no_worker(self) -> str:
        if self.options.cluster_class:
            refusal = self._own.refusal
            return f"no worker of {self.place} has come yet" + (
                f": {refusal}" if refusal else "; the queue of the site may tell why"
            )
        return f"the Dask scheduler {self.place} has no worker"

    def _count_workers(self) -> int:
        """Return how many workers the scheduler knows; asked now and then."""
        if time.monotonic() - self._counted > PAUSE_SECONDS:
            self._workers = int(self._ask(self._client.scheduler.identity, n_workers=0)["n_workers"])
            self._counted = time.monotonic()
        return self._workers

    def _ask(self, question: Callable[..., Awaitable[Any]], **arguments: object) -> Any:
        """Return the scheduler's answer; one that hangs is not asked again for a while.

        Raises
        ------
        ConnectionError
            It does not answer.
        """
        try:
            return self._client.sync(question, callback_timeout=ANSWER_SECONDS, **arguments)
        except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
            self._why = f"the Dask scheduler {self.place} does not answer"
            self._asked = time.monotonic()
            self._disconnect()
            raise ConnectionError(self._why) from None

    def stop(self, handle: Handle) -> bool:
        """Take a task back that has no place yet; a worker that runs ends itself, since its job is not its own now."""
        with self._lock:
            future = self._futures.pop(handle.id, None)
            self._submitted.discard(handle.id)
            if self._connect():
                return False
            with contextlib.suppress(Exception):  # the scheduler went away: the task with it
                from distributed import Future

                self._suspect(handle.id)

                future = future or Future(handle.id, client=self._client)
                self._client.cancel([future], force=True)
        return False

    def _suspect(self, key: str) -> None:
        """Note which of Dask's workers still has a task that is over: its machine hangs, and gets no other for now."""
        for address, keys in self._ask(self._client.scheduler.processing, workers=None).items():
            if key in keys:
                self._suspects[address] = time.monotonic()

    def _others(self) -> list[str] | None:
        """Return the workers that do not hang, if some do and others are there."""
        since = time.monotonic() - SUSPECT_SECONDS
        self._suspects = {address: moment for address, moment in self._suspects.items() if moment > since}
        if not self._suspects:
            return None
        known = self._ask(self._client.scheduler.identity, n_workers=-1)["workers"]
        return [address for address in known if address not in self._suspects] or None

    def reap(self) -> None:
        """Forget tasks that ended."""
        with self._lock:
            for key in [key for key, future in self._futures.items() if future.status == "finished"]:
                del self._futures[key]
                self._submitted.discard(key)
            with contextlib.suppress(Exception):  # the cluster is busy, or away: it is looked again
                self._own.give_up_lost()

    def ending(self) -> list[Handle]:
        """Return the tasks that end with the cluster, if it was made here."""
        keys = tuple(self._submitted)  # without the lock, under which others may wait for the cluster
        return [Handle(DASK, key, "") for key in keys] if self._own.cluster is not None else []

    def close(self) -> None:
        """Let go of the tasks: they go on, unless the cluster was made here. Nothing is asked or started any more."""
        self._is_closed = True
        with self._lock:
            self._submitted.clear()
            self._disconnect()
            self._own.close()

    def _connect(self) -> str:
        """Connect to the scheduler unless that is done; return why it cannot be."""
        if self._is_closed:
            return "the connection to Dask is closed: this process ends"
        if self._client is not None and self._client.status == "running":
            return ""
        if time.monotonic() - self._asked < PAUSE_SECONDS:
            return self._why
        self._disconnect()
        from distributed import Security

        from jupyter_envstore.builds.dask_client import connect

        security = Security(**self.options.security) if self.options.security else None
        try:
            where = self.options.address or self._own.made()
            self._client = connect(where, security)
            self._client.subscribe_topic(BEGUN, self._note_begun)
            for event in self._client.get_events(BEGUN):
                self._note_begun(event)
            self._why = ""
        except Exception as error:  # libraries of clusters share no class
            fault = f"the Dask scheduler {self.place} cannot be reached"
            if self.options.cluster_class:
                fault = f"a cluster of {self.place} cannot be made"
            self._why = f"{fault}: {_first_line(error)[:300]}"
            if isinstance(error, ModuleNotFoundError) and error.name:
                self._why += f"; pip install {error.name.partition('.')[0].replace('_', '-')}"
        self._asked = time.monotonic()
        return self._why

    def _note_begun(self, event: tuple[float, str]) -> None:
        self._begun.append(event[1])

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._futures.clear()
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2)


def _ended(future: Any, begun: bool) -> Seen:
    if future.status != "error":
        return Seen(alive=False, reason="the Dask scheduler lost its task", is_uncounted=not begun)
    try:
        error = future.exception(timeout=ANSWER_SECONDS)
    except Exception as unknown:
        error = unknown
    why = _first_line(error)
    if isinstance(error, ModuleNotFoundError):
        why = f"a machine of the cluster does not have jupyter-envstore, or not all that it needs ({why})"
    return Seen(False, reason=f"no worker could be started: {why}", is_final=isinstance(error, UnfitWorkerError))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
