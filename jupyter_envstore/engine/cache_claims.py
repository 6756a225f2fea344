"""Builds whose channels have other packages under the same name use the package cache one after the other.

The cache has one folder for a name, version and build. Two channels may each have a package of that name, with other
contents; then each of two builds would replace what the other one is linking. So a build claims its packages for as
long as it needs the cache. Where another one, which came before it, has claimed another package under one of these
names, it waits until that one has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from jupyter_envstore.engine.package_cache import cache_name
from jupyter_envstore.engine.prefix import storage_error
from jupyter_envstore.engine.progress import Progress, Silent
from jupyter_envstore.engine.record import package_hash
from jupyter_envstore.spec.lock_entries import CondaEntry

CLAIMS = "claims"
TURN = "turn.lock"


@contextlib.contextmanager
def packages_claimed(
    records: Sequence[CondaEntry], cache_dir: Path, progress: Progress | None = None
) -> Iterator[None]:
    """Let nobody put other packages into the cache under the names of these.

    A claim is a file beside the cache that its process holds locked (flock(2)). So it ends with the process, however
    that ends. Claims are made in turn, and each waits for earlier ones alone: so none waits for ever.

    Parameters
    ----------
    records : sequence of dict
        The packages.
    cache_dir : Path
        The package cache.
    progress : Progress or None
        Is told what is waited for.

    Raises
    ------
    StorageError
        No space left, or the store is read-only.
    """
    folder = cache_dir.with_name(CLAIMS)
    wanted = {cache_name(record): package_hash(record) for record in records}
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / TURN).open("w") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                earlier = list(_others(folder, wanted, held))
                _claim(folder / f"{uuid.uuid4().hex}.json", wanted, held)
        except OSError as error:
            raise storage_error(error) from error
        for name, other in earlier:
            if not _is_free(other):
                (progress or Silent()).log(f"waiting for a build that links another package with the name {name}")
                fcntl.flock(other, fcntl.LOCK_SH)
        yield


def _claim(path: Path, wanted: Mapping[str, str], held: contextlib.ExitStack) -> None:
    file = held.enter_context(path.open("w", encoding="utf-8"))
    fcntl.flock(file, fcntl.LOCK_EX)
    held.callback(fcntl.flock, file, fcntl.LOCK_UN)  # a process that was forked meanwhile has the file open, too
    held.callback(path.unlink, missing_ok=True)
    json.dump(wanted, file)
    file.flush()


def _others(folder: Path, wanted: Mapping[str, str], held: contextlib.ExitStack) -> Iterator[tuple[str, IO[str]]]:
    """Yield claims on other packages under one of these names; those of processes that have ended are removed."""
    for path in folder.glob("*.json"):
        try:
            file = held.enter_context(path.open(encoding="utf-8"))
        except FileNotFoundError:
            continue
        if _is_free(file):
            path.unlink(missing_ok=True)
            continue
        try:
            claimed: Mapping[str, str] = json.load(file)
        except ValueError:  # the disk was full when it was written: that build has failed
            continue
        name = next((name for name in wanted.keys() & claimed.keys() if wanted[name] != claimed[name]), None)
        if name is not None:
            yield name, file


def _is_free(file: IO[str]) -> bool:
    """Whether nobody holds a claim any more."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
