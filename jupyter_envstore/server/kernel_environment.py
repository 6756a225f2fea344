"""What kernels and terminals get that this server starts: the way to our kernels, the client, a token."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server import CallContext
from jupyter_server.utils import ensure_async, url_path_join

from jupyter_envstore.errors import StoreUnavailableError

if TYPE_CHECKING:
    from jupyter_envstore.application.app import EnvStoreApp
    from jupyter_envstore.policy.access import Identity

CLIENT = "envstore_client.py"
OPENING_SECONDS = 5.0
"""How long a kernel waits for a store that is being opened."""


def give_to_children(root: Path) -> None:
    """Let what this server starts find our kernels: nbconvert, papermill, terminals look below ``JUPYTER_PATH``."""
    _append("JUPYTER_PATH", str(root))


def client_directory(root: Path) -> Path:
    """Return a folder that holds the client and nothing else, made if it is not there."""
    folder = root / "client"
    folder.mkdir(exist_ok=True)
    source = Path(__file__).parent.parent / "client.py"
    target = folder / CLIENT
    if not target.exists() or target.read_bytes() != source.read_bytes():
        fresh = folder / f".{CLIENT}.{os.getpid()}"
        shutil.copyfile(source, fresh)
        fresh.replace(target)
    return folder


def hand_tokens_to_kernels(app: EnvStoreApp) -> None:
    """Start every kernel of this server with ``ENVSTORE_URL``, a token of its own, and the client at its path's end."""
    manager: Any = app.server.kernel_manager
    start: Callable[..., Awaitable[str]] = manager.start_kernel

    async def start_kernel(*arguments: Any, **keywords: Any) -> str:
        try:
            await asyncio.wait_for(app.ready(), OPENING_SECONDS)
        except (StoreUnavailableError, asyncio.TimeoutError):  # Jupyter's own kernels start nevertheless
            return await ensure_async(start(*arguments, **keywords))
        folder = await app.run(client_directory, app.store_configuration.root)
        environment = dict(keywords.get("env") or os.environ)
        environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(folder)])
        environment["ENVSTORE_URL"] = url_path_join(app.server.connection_url, "envstore")
        environment.pop("ENVSTORE_TOKEN", None)
        identity = await identity_of_request(app)
        if identity is not None and app.kernel_token_hours:
            lifetime = timedelta(hours=app.kernel_token_hours)
            environment["ENVSTORE_TOKEN"] = await app.run(app.store.tokens.for_kernel, identity, lifetime)
        return await ensure_async(start(*arguments, **(keywords | {"env": environment})))

    manager.start_kernel = start_kernel


async def identity_of_request(app: EnvStoreApp) -> Identity | None:
    """Return the identity of whose request this is, None outside of one."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    user = getattr(handler, "current_user", None)
    return await app.identify(user, handler) if user is not None else None


def _append(variable: str, folder: str) -> None:
    there = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    if folder not in there:
        os.environ[variable] = os.pathsep.join([*there, folder])
