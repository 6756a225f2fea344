"""Tells of what holds the event loop up, inside of the server that is tested.

Time on the clock alone would accuse the loop whenever other processes have the machine. So a callback is slow when the
loop's own thread computed for so long in it; and when it took longer on the clock than a busy machine explains.
What Jupyter's own handlers compute is not ours to mend.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

EXPLAINED = 1.0
"""Seconds that a loop may wait for the processor on a busy machine."""


def watch(limit: float) -> None:
    """Watch all callbacks of the process: those of ours may compute for ``limit`` seconds."""
    original = asyncio.events.Handle._run

    def run(handle: asyncio.events.Handle) -> None:
        started, computed = time.perf_counter(), time.thread_time()
        owner = owner_of(handle)
        original(handle)
        pause, work = time.perf_counter() - started, time.thread_time() - computed
        if (work > limit and "jupyter_envstore" in owner) or (pause > EXPLAINED and work < pause / 2):
            print(f"THE LOOP STOOD STILL for {pause:.3f} s, {work:.3f} s of it at work: {owner}", flush=True)

    asyncio.events.Handle._run = run  # type: ignore[method-assign]


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
