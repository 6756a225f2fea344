"""Environments of a store elsewhere that were brought to this machine: where they are, and when they were last used.

Each has a file of its own, named by the hash of its build record, whose time is that of its last use. Kernels read it
when they start, and need not open the store that the files are in.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.private_files import create_private, write_private

FOLDER = "brought"
PROGRESS = ".coming"
SILENT_SECONDS = 30.0
FAILURE_SECONDS = 300.0
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Coming:
    """How far an environment is that is being brought.

    Parameters
    ----------
    step : str
        Name of the step of the build; empty before the first.
    done, total : int
        How much of the step is done, of how much; 0 where that is not known.
    failure : str
        Why it could not be brought; empty otherwise.
    """

    step: str = ""
    done: int = 0
    total: int = 0
    failure: str = ""


@dataclass(frozen=True)
class BroughtEnvironment:
    """An environment that was brought.

    Parameters
    ----------
    namespace, name : str
        What it is called in the store of this machine.
    prefix : str
        Where it is.
    kernels : dict
        The kernelspecs that its packages bring, by the names that these give to them.
    """

    namespace: str
    name: str
    prefix: str
    kernels: dict[str, dict[str, Any]]

    @property
    def is_there(self) -> bool:
        """Whether its files are there."""
        return (Path(self.prefix) / "conda-meta").is_dir()


class BroughtEnvironments:
    """The environments that were brought.

    Parameters
    ----------
    root : Path
        Folder of the store that they are in.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / FOLDER

    @property
    def mark(self) -> int:
        """A number that changes when one is brought or removed; 0 where none ever was."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def find(self, digest: str) -> BroughtEnvironment | None:
        """Return the environment with a build record (SHA-256); None where it was not brought, or is gone."""
        try:
            found = BroughtEnvironment(**json.loads(self._path(digest).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.is_there else None

    def use(self, digest: str) -> BroughtEnvironment | None:
        """Return an environment that something starts in now: it was used last."""
        found = self.find(digest)
        if found is not None:
            os.utime(self._path(digest))
        return found

    def note(self, digest: str, found: BroughtEnvironment) -> None:
        """Note that one was brought.

        Raises
        ------
        OSError
            It cannot be written.
        """
        self._write(self._path(digest), found)

    def forget(self, digest: str) -> None:
        """Note that one is removed."""
        self._path(digest).unlink(missing_ok=True)

    def tell(self, digest: str, coming: Coming) -> None:
        """Note how far an environment is that is being brought.

        Raises
        ------
        OSError
            It cannot be written.
        """
        self._write(self._progress(digest), coming)

    @contextlib.contextmanager
    def coming_on(self, digest: str) -> Iterator[None]:
        """Let what was told of an environment count while this process brings it, also while it tells nothing new."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(SILENT_SECONDS / 3):
                with contextlib.suppress(OSError):
                    os.utime(self._progress(digest))

        thread = threading.Thread(target=go_on, name="envstore-coming", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def end(self, digest: str) -> None:
        """Note that an environment is not being brought any more."""
        self._progress(digest).unlink(missing_ok=True)

    def coming(self) -> dict[str, Coming]:
        """Return how far the environments are that are being brought, by the hashes of their records.

        What was not told again for a while was left by a process that was killed; a failure stays for some minutes.
        """
        found = {}
        for path in self._folder.glob(f"*{PROGRESS}") if self._folder.is_dir() else ():
            try:
                age, coming = time.time() - path.stat().st_mtime, Coming(**json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                continue
            if age < (FAILURE_SECONDS if coming.failure else SILENT_SECONDS):
                found[path.name.removesuffix(PROGRESS)] = coming
        return found

    def _progress(self, digest: str) -> Path:
        return self._folder / f"{digest}{PROGRESS}"

    def least_used(self) -> Iterator[tuple[str, BroughtEnvironment]]:
        """Yield the environments with the hashes of their records, the one first whose last use is longest ago."""
        paths = list(self._folder.glob("*.json")) if self._folder.is_dir() else []
        for path in sorted(paths, key=_modified):
            found = self.find(path.stem) if DIGEST.fullmatch(path.stem) else None
            if found is not None:
                yield path.stem, found

    @contextlib.contextmanager
    def locked(self, alone: bool = False) -> Iterator[None]:
        """Let none be removed meanwhile; ``alone`` for who removes some."""
        self._make_folder()
        lock = self._folder / ".lock"
        with contextlib.suppress(FileExistsError):
            create_private(lock)
        with lock.open("r+b") as file:  # over NFS, a lock for one alone needs a file that is open for writing
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield

    def _write(self, path: Path, told: BroughtEnvironment | Coming) -> None:
        self._make_folder()
        write_private(path, json.dumps(asdict(told)))

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
