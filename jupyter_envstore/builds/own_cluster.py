"""A Dask cluster that the store makes from a class, scales, and ends."""

from __future__ import annotations

import contextlib
import importlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_envstore.builds.cluster_options import ClusterOptions

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0
"""How often it is looked for workers that did not come."""
ENDED = ("closing", "closed", "failed")
CREATED_SECONDS = 10.0
"""How long it may take to ask for a worker, for example by ``sbatch``; then it was tried, and failed."""
LONGEST_PAUSE = 600.0
"""The pauses double while no worker comes, up to this: the site's queue is not asked without end."""
ANSWER_SECONDS = 60.0
"""How long the site's commands may take."""
MOST_TOLD = 300
"""Characters of what the site's queue says to the people who wait."""


@contextlib.contextmanager
def _without_signal_handlers() -> Iterator[None]:
    """Let libraries be imported that set handlers of signals: another thread may not, and Ctrl-C is the command's."""
    original, mine = signal.signal, threading.get_ident()
    importing = True

    def set_handler(number: int, handler: Any) -> Any:  # a module may keep it
        if importing and threading.get_ident() == mine:
            return signal.getsignal(number)
        return original(number, handler)

    signal.signal = set_handler  # type: ignore[assignment]
    try:
        yield
    finally:
        importing = False
        signal.signal = original


class OwnCluster:
    """The cluster that ``cluster_class`` names, once it is needed.

    Such a cluster counts on each worker that it asked for, also if the queue of the site lost it: then it never asks
    for another. So those that do not come are given up after some time.
    """

    def __init__(self, options: ClusterOptions) -> None:
        self._options = options
        self._asked: dict[Any, float] = {}
        self._looked = 0.0
        self._failures = 0
        self.cluster: Any = None
        self.refusal = ""
        """Why the last worker could not be asked for, in the words of the site's queue; empty if it could."""

    def made(self) -> Any:
        """Return the cluster, which is made now if it is not there yet."""
        if self.cluster is None:
            module, _, name = self._options.cluster_class.rpartition(".")
            with _without_signal_handlers():
                made = getattr(importlib.import_module(module), name)
            self.cluster = made(**self._options.cluster_arguments)
            spec = getattr(self.cluster, "new_spec", None)  # a cluster of Dask's SpecCluster: it asks for each worker
            if isinstance(spec, dict) and callable(spec.get("cls")):
                spec["cls"] = self._told(spec["cls"])
            if self._options.maximum:
                self.cluster.adapt(minimum=self._options.minimum, maximum=self._options.maximum)
        return self.cluster

    def _told(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """Return what makes a worker, and notes why it could not be started."""

        def made(*arguments: Any, **options: Any) -> Any:
            worker = make(*arguments, **options)
            original = worker.start

            async def start() -> Any:
                try:
                    found = await original()
                except Exception as error:
                    self.refusal = _words_of_queue(error)
                    raise
                self.refusal = ""
                return found

            worker.start = start
            return worker

        return made

    def give_up_lost(self) -> None:
        """Forget workers that did not come within their time, so that the scaling asks for others."""
        moment = time.monotonic()
        if self.cluster is None or not self._options.maximum or moment - self._looked < LOOK_SECONDS:
            return
        self._looked = moment
        if getattr(self.cluster, "observed", ()):
            self._failures = 0
        lost = self._lost(moment)
        if lost:
            self._failures += 1
            log.warning("%d workers of %s did not come; others are asked for", len(lost), self._options.cluster_class)
            self.cluster.sync(self.cluster.scale_down, lost, callback_timeout=ANSWER_SECONDS)
            self._asked.clear()  # the same names are asked for again

    def _lost(self, moment: float) -> list[Any]:
        """Return the workers that were asked for too long ago; none of a cluster that does not tell."""
        missing = set(getattr(self.cluster, "requested", ())) - set(getattr(self.cluster, "observed", ()))
        self._asked = {name: self._asked.get(name, moment) for name in missing}
        workers = getattr(self.cluster, "workers", {})
        lost = []
        for name, since in self._asked.items():
            status = getattr(getattr(workers.get(name), "status", None), "name", "")
            created = min(CREATED_SECONDS * 2 ** min(self._failures, 10), LONGEST_PAUSE)
            limit = created if status == "created" else self._options.place_seconds
            if limit and moment - since > limit:
                lost.append(name)
        return lost

    def close(self) -> None:
        """End the cluster and its workers."""
        cluster, self.cluster = self.cluster, None
        if cluster is None:
            return
        known = getattr(cluster, "_created", None)
        for worker in [found for found in known or () if found.status.name not in ENDED]:
            with contextlib.suppress(Exception):  # it may never have been asked for; else its job of the site ends
                cluster.sync(worker.close, callback_timeout=ANSWER_SECONDS)
        if known is not None:
            known.clear()  # Dask does not end a cluster that has one which it could not ask for
        try:
            cluster.close()
        except Exception:
            log.warning("the cluster %s could not be ended", self._options.cluster_class, exc_info=True)


def _words_of_queue(error: Exception) -> str:
    """Return what a command of the site's queue wrote: dask-jobqueue puts it at the end, after the command."""
    text = str(error)
    written = text.rpartition("stderr:\n")[2].strip() or text.strip() or type(error).__name__
    return "; ".join(line.strip() for line in written.splitlines() if line.strip())[:MOST_TOLD]
