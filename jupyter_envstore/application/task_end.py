"""Tasks of a server that end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_SECONDS = 0.2


async def end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each has ended.

    Once is not enough before Python 3.12: :func:`asyncio.wait_for` hands over its result in place of the cancellation
    where both come in one turn of the loop, and a task that goes on from there would be waited for without end.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # what went wrong with one is not told as never looked at
