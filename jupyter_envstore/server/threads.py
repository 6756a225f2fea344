"""Threads for what would hold up the server's loop: short work and slow work apart."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 8
SLOW_THREADS = 4
FAR_THREADS = 4


class Threads:
    """Pools of threads, so that listings never wait for processes or the network, and those never for other stores."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="envstore")
        self.slow_pool = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="envstore-slow")
        self.far_pool = ThreadPoolExecutor(FAR_THREADS, thread_name_prefix="envstore-far")

    async def run(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run a function that waits for the database or the disk, in a thread."""
        call = functools.partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self.pool, call)

    async def run_slowly(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run a function that waits for a process or the network, in a thread that listings do not need."""
        call = functools.partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self.slow_pool, call)

    async def run_afar(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run a function that waits for other stores, in a thread that nothing else needs."""
        call = functools.partial(function, *arguments, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self.far_pool, call)

    def stop(self) -> None:
        """Take no more work; what runs is not waited for."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.slow_pool.shutdown(wait=False, cancel_futures=True)
        self.far_pool.shutdown(wait=False, cancel_futures=True)
