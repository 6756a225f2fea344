"""The lock of the package caches: workers share it, and a collection holds it alone."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import IO

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.private_files import create_private


@contextlib.contextmanager
def caches_in_use(config: StoreConfig) -> Iterator[None]:
    """Keep the caches from being collected while a worker uses them."""
    config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock_file(config) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def caches_alone(config: StoreConfig) -> Iterator[bool]:
    """Hold the caches alone; gives False where a worker uses them."""
    with _lock_file(config) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _lock_file(config: StoreConfig) -> IO[str]:
    path = config.root / "caches.lock"
    with contextlib.suppress(FileExistsError):
        create_private(path)
    return path.open("w", encoding="utf-8")
