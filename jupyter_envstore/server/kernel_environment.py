"""What kernels and terminals get that this server starts: the way to our kernels, the client, a token."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server import CallContext
from jupyter_server.utils import ensure_async, url_path_join

from jupyter_envstore.errors import StoreUnavailableError

if TYPE_CHECKING:
    from jupyter_envstore.server.identities import Identities
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

CLIENT = "envstore_client.py"
OPENING_SECONDS = 5.0
"""How long a kernel waits for a store that is being opened."""


def give_to_children(root: Path) -> None:
    """Let what this server starts find our kernels: nbconvert, papermill, terminals look below ``JUPYTER_PATH``."""
    _append("JUPYTER_PATH", str(root))


def offer_kernels(manager: Any, directory: str) -> None:
    """Add our kernelspecs to those of a manager (``KernelSpecManager``) that may have looked for its own before."""
    if directory not in manager.kernel_dirs:
        manager.kernel_dirs.append(directory)


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


class KernelTokens(Protocol):
    """Tokens that kernels are started with."""

    async def ready(self) -> None:
        """Wait until tokens can be made.

        Raises
        ------
        StoreUnavailableError
            The store cannot be reached.
        """

    async def make(self, user: Any) -> str:
        """Return a token for a kernel that a user (jupyter_server's ``User``) starts; empty where there is none."""


class OwnKernelTokens:
    """Tokens of the store of this server.

    Parameters
    ----------
    hours : float
        How long a token holds, in hours; 0 hands out none.
    """

    def __init__(self, access: StoreAccess, threads: Threads, identities: Identities, hours: float) -> None:
        self._access = access
        self._threads = threads
        self._identities = identities
        self._hours = hours

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened.
        """
        await self._access.ready()

    async def make(self, user: Any) -> str:
        """Return a token for a kernel that a user starts."""
        if not self._hours:
            return ""
        identity = await self._identities.of_user(user)
        make = self._access.store.tokens.for_kernel
        return await self._threads.run(make, identity, timedelta(hours=self._hours))


class KernelEnvironment:
    """Starts every kernel of a server with ``ENVSTORE_URL``, a token of its own, and the client at its path's end.

    Parameters
    ----------
    tokens : KernelTokens
        Makes the tokens.
    folder : callable
        Returns the folder that the folder of the client is made in; asked once tokens can be made.
    url : callable
        Returns the address of the server.
    """

    def __init__(self, tokens: KernelTokens, folder: Callable[[], Path], url: Callable[[], str]) -> None:
        self._tokens = tokens
        self._folder = folder
        self._url = url

    def install(self, manager: Any) -> None:
        """Let a manager of kernels (``MappingKernelManager``) start its kernels so."""
        start: Callable[..., Awaitable[str]] = manager.start_kernel

        async def start_kernel(*arguments: Any, **keywords: Any) -> str:
            try:
                await asyncio.wait_for(self._tokens.ready(), OPENING_SECONDS)
            except (StoreUnavailableError, asyncio.TimeoutError):  # Jupyter's own kernels start nevertheless
                return await ensure_async(start(*arguments, **keywords))
            environment = await self.extended(keywords.get("env") or os.environ)
            return await ensure_async(start(*arguments, **(keywords | {"env": environment})))

        manager.start_kernel = start_kernel

    async def extended(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a kernel is started with."""
        folder = await asyncio.to_thread(client_directory, self._folder())
        environment = dict(variables)
        environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])
        environment["ENVSTORE_URL"] = url_path_join(self._url(), "envstore")
        environment.pop("ENVSTORE_TOKEN", None)
        user = getattr(CallContext.get(CallContext.JUPYTER_HANDLER), "current_user", None)
        if user is not None:
            token = await self._tokens.make(user)
            environment |= {"ENVSTORE_TOKEN": token} if token else {}
        return environment


def _append(variable: str, folder: str) -> None:
    there = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    if folder not in there:
        os.environ[variable] = os.pathsep.join([*there, folder])
