"""What kernels and terminals get that this server starts: the way to our kernels, the client, a token."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server import CallContext
from jupyter_server.utils import ensure_async, url_path_join

from jupyter_envstore.errors import StoreUnavailableError

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.server.identities import Identities
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

CLIENT = "envstore_client.py"
OPENING_SECONDS = 5.0
"""How long a kernel waits for a store that is being opened."""


def give_to_children(root: Path) -> None:
    """Let what this server starts find our kernels: nbconvert, papermill, terminals look below ``JUPYTER_PATH``."""
    _append("JUPYTER_PATH", str(root))


def client_directory(root: Path) -> Path:
    """Return a folder that holds the client and nothing else, made if it is not there."""
    folder = root / "client"
    folder.mkdir(mode=0o700, exist_ok=True)
    source = Path(__file__).parent.parent / "client.py"
    target = folder / CLIENT
    if not target.exists() or target.read_bytes() != source.read_bytes():
        fresh = folder / f".{CLIENT}.{os.getpid()}"
        shutil.copyfile(source, fresh)
        fresh.replace(target)
    return folder


class KernelEnvironment:
    """Starts every kernel of a server with ``ENVSTORE_URL``, a token of its own, and the client at its path's end.

    Parameters
    ----------
    url : callable
        Returns the address of the server.
    token_hours : float
        How long a token holds, in hours; 0 hands out none.
    """

    def __init__(
        self,
        access: StoreAccess,
        threads: Threads,
        identities: Identities,
        url: Callable[[], str],
        token_hours: float,
    ) -> None:
        self._access = access
        self._threads = threads
        self._identities = identities
        self._url = url
        self._token_hours = token_hours

    def install(self, manager: Any) -> None:
        """Let a manager of kernels (``MappingKernelManager``) start its kernels so."""
        start: Callable[..., Awaitable[str]] = manager.start_kernel

        async def start_kernel(*arguments: Any, **keywords: Any) -> str:
            try:
                await asyncio.wait_for(self._access.ready(), OPENING_SECONDS)
            except (StoreUnavailableError, asyncio.TimeoutError):  # Jupyter's own kernels start nevertheless
                return await ensure_async(start(*arguments, **keywords))
            environment = await self.extended(keywords.get("env") or os.environ)
            return await ensure_async(start(*arguments, **(keywords | {"env": environment})))

        manager.start_kernel = start_kernel

    async def extended(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a kernel is started with."""
        folder = await self._threads.run(client_directory, self._access.configuration.root)
        environment = dict(variables)
        environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])
        environment["ENVSTORE_URL"] = url_path_join(self._url(), "envstore")
        environment.pop("ENVSTORE_TOKEN", None)
        identity = await self._identity_of_request()
        if identity is not None and self._token_hours:
            lifetime = timedelta(hours=self._token_hours)
            made = self._access.store.tokens.for_kernel
            environment["ENVSTORE_TOKEN"] = await self._threads.run(made, identity, lifetime)
        return environment

    async def _identity_of_request(self) -> Identity | None:
        """Return the identity of whose request this is, None outside of one."""
        user = getattr(CallContext.get(CallContext.JUPYTER_HANDLER), "current_user", None)
        return await self._identities.of_user(user) if user is not None else None


def _append(variable: str, folder: str) -> None:
    there = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    if folder not in there:
        os.environ[variable] = os.pathsep.join([*there, folder])
