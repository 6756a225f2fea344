"""Files that are written, hashed and checked before they become blobs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jupyter_envstore.blobs.interface import BlobWriter, StoredBlob
from jupyter_envstore.errors import DamagedFileError

PIECE = 1 << 20
"""Bytes that are read at a time."""


@contextlib.contextmanager
def staged(
    folder: Path, keep: Callable[[Path, StoredBlob], None], expected: str | None = None, durable: bool = True
) -> Iterator[BlobWriter]:
    """Write a file in ``folder``; when the context ends well, ``keep`` makes a blob of it. Nothing is left of it.

    Parameters
    ----------
    keep : callable
        Is given the file, which it may rename, and what it is.
    expected : str or None
        The digest that it must have.
    durable : bool
        Whether the file must be on the disk before it is kept.

    Raises
    ------
    DamagedFileError
        Its digest is not the ``expected`` one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = BlobWriter(file)
            yield writer
            if expected is not None and (found := writer.result().digest) != expected:
                msg = f"what was fetched as sha256:{expected} is sha256:{found}"
                raise DamagedFileError(msg)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        path.chmod(0o644)
        keep(path, writer.result())
    finally:
        path.unlink(missing_ok=True)


def is_whole(path: Path, digest: str) -> bool:
    """Whether a file is there and has this hash."""
    try:
        with path.open("rb") as file:
            found = hashlib.sha256()
            while chunk := file.read(PIECE):
                found.update(chunk)
    except OSError:
        return False
    return found.hexdigest() == digest
