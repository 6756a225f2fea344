"""Questions to channels that workers of a cluster answer: solves of previews, and searches."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Container
from typing import Any

from jupyter_envstore import __version__
from jupyter_envstore.builds.cluster_calls import submit
from jupyter_envstore.builds.cluster_task import UnfitWorkerError, run_question
from jupyter_envstore.engine.question_process import GRACE, check_waited_for, run_here
from jupyter_envstore.errors import EnvStoreError

log = logging.getLogger(__name__)
PAUSE = 0.02
PLACE_SECONDS = 2.0
"""How long a question waits for a worker that is free; then it is answered by this machine: somebody waits for it."""
PRIORITY = 10
"""Dask takes what has a higher one first; jobs have 0."""


class ClusterQuestions:
    """Has the processes of questions run by workers, as a ``RunQuestion`` does.

    Whatever goes wrong with the cluster, the question is answered by this machine.

    Parameters
    ----------
    connect : callable
        Returns Dask's client, None where the scheduler cannot be reached.
    begun : collection of str
        Keys of the tasks that have begun; it is filled by whoever hears of them.
    configuration : str
        The configuration for workers.
    resources : dict
        Dask's resources that each question takes.
    """

    def __init__(
        self, connect: Callable[[], Any], begun: Container[str], configuration: str, resources: dict[str, float]
    ) -> None:
        self._connect = connect
        self._begun = begun
        self._configuration = configuration
        self._resources = resources

    def __call__(self, text: str, timeout: float, *stops: threading.Event) -> str:
        """Return what the process wrote.

        Raises
        ------
        LimitError
            The time limit passed.
        ClientGoneError
            One of ``stops`` was set.
        """
        try:
            answer = self._ask_worker(text, timeout, stops)
        except EnvStoreError:
            raise
        except UnfitWorkerError as error:
            log.warning("a question to channels is answered by this machine: %s", error)
            answer = None
        except Exception:  # the cluster's libraries share no class
            log.warning("a question to channels is answered by this machine", exc_info=True)
            answer = None
        return run_here(text, timeout, *stops) if answer is None else answer

    def _ask_worker(self, text: str, timeout: float, stops: tuple[threading.Event, ...]) -> str | None:
        """Return the answer of a worker; None if none is free."""
        client = self._connect()
        if client is None:
            return None
        key = f"envstore-question-{uuid.uuid4().hex}"
        future = submit(
            client,
            run_question,
            text,
            self._configuration,
            timeout,
            __version__,
            key=key,
            priority=PRIORITY,
            resources=self._resources or None,
        )
        began = time.monotonic()
        try:
            while not future.done():
                check_waited_for(stops, began + timeout + 2 * GRACE, timeout)
                if time.monotonic() - began > PLACE_SECONDS and key not in self._begun:
                    return None
                time.sleep(PAUSE)
            answer: str = future.result()
            return answer
        finally:
            if not future.done():
                with contextlib.suppress(Exception):
                    client.cancel([future], force=True)
