"""What the commands share: names, output, following a build."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jupyter_envstore.cli.display import LiveDisplay
from jupyter_envstore.database.states import UNSETTLED
from jupyter_envstore.errors import ConflictError, InvalidInputError, RemoteStoreUnavailableError
from jupyter_envstore.representation.builds import FullBuildView
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import parse_reference

AWAY_SECONDS = 60.0
"""How long a store elsewhere may be away while somebody waits for a build."""
_PLACE: ContextVar[str] = ContextVar("place", default="")
"""The option with which the store was named that the command works on, with a blank in front; empty for none."""


def note_place(options: argparse.Namespace) -> None:
    """Note how the store was named, for :func:`command`."""
    named = [(option, getattr(options, option, None)) for option in ("root", "store")]
    _PLACE.set("".join(f" --{option} {shlex.quote(value)}" for option, value in named if value))


def command(words: str) -> str:
    """Return a command that works on the same store, for people to type.

    >>> command("logs -f team/data")
    'jupyter envstore logs -f team/data'
    """
    name, blank, rest = words.partition(" ")
    return f"jupyter envstore {name}{_PLACE.get()}{blank}{rest}"


def deleted_message(place: str) -> str:
    """Return what is said of an environment that was deleted, with the way back."""
    return f"{place} was deleted; for ten minutes it can come back: {command(f'undelete {place}')}"


def find(store: AnyStore, reference: str) -> BuildRef:
    """Return the build that ``NAMESPACE/NAME[:BUILD]`` names."""
    return store.builds.find(*parse_reference(reference))


def ask_for_files(store: AnyStore, reference: BuildRef) -> bool:
    """Have the files of a build brought back, unless they are there; whether they were away.

    Raises
    ------
    ConflictError
        The build never completed.
    """
    if not store.builds.show(reference.id)["packed_away"]:
        return False
    try:
        store.prefixes.restore(reference.id, who())
    except ConflictError:
        if store.builds.show(reference.id)["packed_away"]:  # or somebody else has just brought them
            raise
    return True


def who() -> str:
    """Return the name of the person at the keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def print_json(data: Any) -> None:
    """Print data for scripts."""
    print(json.dumps(data, indent=1, ensure_ascii=False))


def tell(options: argparse.Namespace, data: Any, text: object) -> None:
    """Print data where ``--json`` is asked for, else a text for people."""
    print_json(data) if options.json else print(text)


def read_file(name: str) -> bytes:
    """Return the content of a file, or of standard input for ``-``.

    Raises
    ------
    InvalidInputError
        It cannot be read.
    """
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise InvalidInputError(msg) from None


def wait(
    store: AnyStore,
    build_id: int,
    display: LiveDisplay | None = None,
    artifacts: bool = True,
    until: Callable[[], bool] | None = None,
) -> FullBuildView:
    """Schedule and wait until a build has settled and, if wanted, its artifacts too; return its state.

    The command does what a server would do; where one runs on the same store, they share the work.

    Parameters
    ----------
    until : callable or None
        Tells that nobody needs to wait any longer, although work on the build goes on.
    """
    with interrupts() as check:
        return _wait(store, build_id, display, artifacts, until or (lambda: False), check)


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Let no interrupt be lost; gives a function that raises it where Python could not.

    One that comes while a finalizer runs is printed and dropped by Python, and the command would go on.
    """
    seen = threading.Event()

    def note(_signal: int, _frame: object) -> None:
        seen.set()
        raise KeyboardInterrupt

    def check() -> None:
        if seen.is_set():
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, or somebody else's: it stays so
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _wait(
    store: AnyStore,
    build_id: int,
    display: LiveDisplay | None,
    artifacts: bool,
    until: Callable[[], bool],
    check: Callable[[], None],
) -> FullBuildView:
    away = 0.0
    while True:
        check()
        store.scheduler.tick()
        try:
            progress, away = store.builds.progress(build_id), 0.0
        except RemoteStoreUnavailableError as error:
            away = away or time.monotonic()
            if error.is_refused or time.monotonic() - away > AWAY_SECONDS:
                msg = f"{error}; the build goes on there"
                raise RemoteStoreUnavailableError(msg) from None
            time.sleep(1)
            continue
        if display:
            display.update(progress)
        if (progress["status"] not in UNSETTLED and not (artifacts and progress["busy"])) or until():
            break
        time.sleep(store.poll_seconds)
    if display:
        display.close()
    return store.builds.show(build_id)
