"""Tells of what holds the event loop up, inside of the server that is tested.

Time on the clock alone would accuse the loop whenever other processes have the machine. So a callback is slow when the
loop's own thread computed for so long in it; and when it took longer on the clock than a busy machine explains.
What Jupyter's own handlers compute or wait for is not ours to mend. Nor is Python's garbage collection: of all that a
Jupyter server has loaded, it takes some 100 ms, in whatever runs when it is due.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

EXPLAINED = 1.0
"""Seconds that a loop may wait for the processor on a busy machine."""


def watch(limit: float) -> None:
    """Watch all callbacks of the process: those of ours may compute for ``limit`` seconds."""
    original = asyncio.events.Handle._run
    collections = Collections()

    def run(handle: asyncio.events.Handle) -> None:
        started, computed, collected = time.perf_counter(), time.thread_time(), collections.seconds
        owner = owner_of(handle)
        original(handle)
        pause, work = time.perf_counter() - started, time.thread_time() - computed
        own_work = work - (collections.seconds - collected)
        is_ours = "jupyter_envstore" in owner
        is_jupyters = "jupyter_server." in owner and not is_ours  # its static files, too, which it reads from the disk
        if (own_work > limit and is_ours) or (pause > EXPLAINED and work < pause / 2 and not is_jupyters):
            print(f"THE LOOP STOOD STILL for {pause:.3f} s, {work:.3f} s of it at work: {owner}", flush=True)

    asyncio.events.Handle._run = run  # type: ignore[method-assign]


class Collections:
    """Counts the seconds that the thread which watches spent in the collection of garbage."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._thread = threading.get_ident()
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _: object) -> None:
        if threading.get_ident() == self._thread:
            if phase == "start":
                self._began = time.thread_time()
            else:
                self.seconds += time.thread_time() - self._began


def owner_of(handle: asyncio.events.Handle) -> str:
    """Return where the callback comes from: the module of its function, of its task and of the task's object."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    places = [getattr(callback, "__module__", ""), getattr(callback, "__qualname__", "")]
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    frame = getattr(coroutine, "cr_frame", None)
    if frame is not None:
        places += [frame.f_code.co_filename, coroutine.__qualname__]
        places.append(type(frame.f_locals.get("self")).__module__)
    return " ".join(str(place) for place in places)
