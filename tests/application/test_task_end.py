"""Tasks end with their server, whatever becomes of their first cancellation."""

from __future__ import annotations

import asyncio

from jupyter_envstore.application.task_end import end_tasks


def test_a_task_whose_cancellation_got_lost_ends() -> None:
    async def main() -> tuple[bool, bool]:
        looked, queue = asyncio.Event(), asyncio.Queue[None]()

        async def follow() -> None:
            try:
                looked.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:  # as wait_for loses one before Python 3.12
                pass
            await queue.get()

        async def fail() -> None:
            raise ValueError

        tasks = [asyncio.ensure_future(follow()), asyncio.ensure_future(fail())]
        await looked.wait()
        await asyncio.wait_for(end_tasks(tasks), 30)
        return tasks[0].cancelled(), tasks[1].done()

    assert asyncio.run(main()) == (True, True)
