"""Kernels of a store elsewhere, kept as the store tells of its builds."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from jupyter_envstore.errors import ConflictError, RemoteStoreUnavailableError
from jupyter_envstore.kernels.kernel_specs import KernelSpecs, KernelState
from jupyter_envstore.kernels.remote_builds import RemoteBuilds
from jupyter_envstore.remote.brought import BroughtEnvironments, Coming
from jupyter_envstore.remote.credentials import KERNEL_VARIABLE

if TYPE_CHECKING:
    import logging
    from pathlib import Path

    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.remote.change_stream import RemoteNews
    from jupyter_envstore.remote.connection import RemoteConnection
    from jupyter_envstore.server.environments import Presence

MOST_ASKED = 100
"""Environments that are asked for by their ids; beyond, all are asked for."""
ALL_SECONDS = 45.0
"""How often all are asked for: one may read others than before, and nobody says so."""
LOOK_SECONDS = 1.0
"""How often it is looked whether an environment was brought."""


class RemoteKernels:
    """Offers the environments of a store elsewhere as kernels.

    Parameters
    ----------
    config : StoreConfig
        Where the kernelspecs of this login are written.
    root : Path
        Folder of the store of this machine that environments are brought to.
    namespaces : collection of str
        Namespaces whose environments become kernels; empty for all.
    user_directory : Path or None
        As in :class:`~jupyter_envstore.kernels.kernel_specs.KernelSpecs`.
    moved : callable
        Called when an environment that is being brought is further, or is here.
    """

    def __init__(
        self,
        connection: RemoteConnection,
        config: StoreConfig,
        root: Path,
        namespaces: Collection[str],
        user_directory: Path | None,
        moved: Callable[[], None],
        log: logging.Logger,
    ) -> None:
        self._connection = connection
        self._log = log
        self._brought = BroughtEnvironments(root)
        self._builds = RemoteBuilds(config.root, self._brought)
        self._specs = KernelSpecs(config, self._builds, tuple(namespaces), user_directory)
        self._moved = moved
        self._coming: dict[str, Coming] = {}
        self._here: set[str] = set()
        self._mounted: frozenset[int] = frozenset()
        self._mark = -1
        self._asked_at = float("-inf")
        self._bringing: set[asyncio.Future[int]] = set()

    def state(self, environment_id: int) -> KernelState:
        """Return the kernels of an environment."""
        return self._specs.state(environment_id)

    def presence(self, environment_id: int) -> Presence | None:
        """Return whether an environment is on this machine, or how far it is; None where it has no build."""
        record = self._builds.record_of(environment_id)
        if not record:
            return None
        if environment_id in self._mounted or record in self._here:
            return {"state": "here", "step": "", "done": 0, "total": 0, "failure": ""}
        coming = self._coming.get(record)
        if coming is None:
            return {"state": "away", "step": "", "done": 0, "total": 0, "failure": ""}
        state = "away" if coming.failure else "coming"
        return {
            "state": state,
            "step": coming.step,
            "done": coming.done,
            "total": coming.total,
            "failure": coming.failure,
        }

    async def bring(self, environment_id: int) -> None:
        """Begin to bring an environment to this machine, without starting a kernel.

        Raises
        ------
        ConflictError
            It is here already.
        NotFoundError
            It has no build.
        RemoteStoreUnavailableError
            This server has no login to the store.
        """
        arguments = self._builds.arguments(environment_id)
        presence = self.presence(environment_id)
        if presence is not None and presence["state"] == "here":
            msg = "the environment is on this server already"
            raise ConflictError(msg)
        if presence is not None and presence["state"] == "coming":
            return
        record = self._builds.record_of(environment_id)
        self._coming[record] = Coming()  # who asks again at once is told so
        try:
            token = await self._connection.own_token()
            await asyncio.to_thread(self._brought.tell, record, Coming())
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                "--",
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, KERNEL_VARIABLE: token},
            )
        except BaseException:
            self._coming.pop(record, None)
            raise
        task = asyncio.ensure_future(process.wait())
        self._bringing.add(task)
        task.add_done_callback(self._bringing.discard)

    async def offer(self, build_id: int) -> tuple[str, ...]:
        """Let a build that is not active have kernels of its own; return their ids.

        Raises
        ------
        ConflictError
            It is active, brings no kernel, or the store tells of no such build.
        RemoteStoreUnavailableError
            The store does not answer.
        """
        if not self._builds.is_known:
            await self._refresh(None)
        self._builds.set_others(await self._connection.ask("GET", f"kernel/?build_id={build_id}"), keep=True)
        if environment_id := self._builds.environment_of(build_id):
            await self._refresh([environment_id])  # another build may be active since it was told
        return await asyncio.to_thread(self._specs.offer, build_id)

    async def follow(self, news: RemoteNews) -> None:
        """Bring the kernelspecs up to date with news of the store; where it does not answer, they stay as they are."""
        if news.reset or len(news.usable) > MOST_ASKED:
            await self._refresh(None)
        elif news.usable:
            await self._refresh(sorted(news.usable))

    async def watch(self) -> None:
        """Look from time to time what else changed, until the task is canceled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                self._log.exception("envstore: the kernels of %s are not up to date", self._connection.url)

    async def _look(self) -> None:
        if asyncio.get_running_loop().time() - self._asked_at > ALL_SECONDS:
            await self._refresh(None)
            return
        coming = await asyncio.to_thread(self._brought.coming)
        is_further = coming != self._coming
        self._coming = coming
        if await asyncio.to_thread(lambda: self._brought.mark) != self._mark:
            is_further = True
            await self._sync()
        if is_further:
            self._moved()

    async def _refresh(self, ids: list[int] | None) -> None:
        """Ask for the builds of some environments, or of all, and bring the kernelspecs up to date.

        Until the store has told of all once, those stay that it told of before this server was started.
        """
        if not self._builds.is_known:
            ids = None
        if ids is None:
            self._asked_at = asyncio.get_running_loop().time()
        query = "&".join(f"environment_id={number}" for number in ids or ())
        try:
            if ids is None and (offered := await asyncio.to_thread(self._specs.offered_builds)):
                named = "&".join(f"build_id={number}" for number in offered[-MOST_ASKED:])
                self._builds.set_others(await self._connection.ask("GET", f"kernel/?{named}"))
            told: Any = await self._connection.ask("GET", f"kernel/{'?' if query else ''}{query}")
            if strange := self._builds.set(told, ids):
                self._log.warning("envstore: %s tells of %d builds what no store does", self._connection.url, strange)
        except RemoteStoreUnavailableError as error:
            self._log.warning("envstore: kernels of the store cannot be listed: %s", error)
            if not error.is_refused:
                return
            self._builds.set(())
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            self._log.warning("envstore: %s tells of kernels what cannot be used: %s", self._connection.url, error)
            return
        await self._sync()

    async def _sync(self) -> None:
        try:
            self._mark = await asyncio.to_thread(lambda: self._brought.mark)
            if self._builds.is_known:
                await asyncio.to_thread(self._specs.sync)
            self._here = await asyncio.to_thread(lambda: {digest for digest, _ in self._brought.least_used()})
            self._mounted = await asyncio.to_thread(self._builds.mounted)
        except OSError as error:
            self._log.warning("envstore: kernelspecs cannot be written: %s", error)
