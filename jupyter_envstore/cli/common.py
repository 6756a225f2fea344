"""What the commands share: the open store, names, following a build."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import getpass
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_envstore.application.configuration import load_config
from jupyter_envstore.cli.display import LiveDisplay
from jupyter_envstore.database.states import UNSETTLED
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_envstore.representation.builds import FullBuildView
from jupyter_envstore.services.interfaces import Store
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import parse_reference

POLL_SECONDS = 0.1
REMOTE_URL = "ENVSTORE_REMOTE_URL"
ENVIRONMENT_OPTIONS = ("environment", "first", "second", "source")
"""Names of the options that name an environment."""


@contextlib.contextmanager
def open_store(options: argparse.Namespace) -> Iterator[Store]:
    """Open the store that the options name; what is not found in it since it was deleted is told with the way back."""
    config = load_config(options.root)
    if options.root is None and (elsewhere := os.environ.get(REMOTE_URL)):
        words = f"note: this is the store of this machine, in {config.root}; JupyterLab shows the one at {elsewhere}"
        print(words, file=sys.stderr)
    store = EnvStore.open(dataclasses.replace(config, hand_on=True))
    try:
        yield store
    except NotFoundError:
        if place := _deleted(store, options):
            raise NotFoundError(deleted_message(place)) from None
        raise
    finally:
        store.close()


def deleted_message(place: str) -> str:
    """Return what is said of an environment that was deleted, with the way back."""
    return f"{place} was deleted; for ten minutes it can come back: jupyter envstore undelete {place}"


def _deleted(store: Store, options: argparse.Namespace) -> str:
    """Return the first environment that the options name and that was deleted; empty where none was."""
    for field in ENVIRONMENT_OPTIONS:
        try:
            namespace, name, _ = parse_reference(str(getattr(options, field, "")))
        except InvalidInputError:
            continue
        if store.environments.can_come_back(namespace, name):
            return f"{namespace}/{name}"
    return ""


def find(store: Store, reference: str) -> BuildRef:
    """Return the build that ``NAMESPACE/NAME[:BUILD]`` names."""
    return store.builds.find(*parse_reference(reference))


def ask_for_files(store: Store, reference: BuildRef) -> bool:
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


def wait(store: Store, build_id: int, display: LiveDisplay | None = None, artifacts: bool = True) -> FullBuildView:
    """Schedule and wait until a build has settled and, if wanted, its artifacts too; return its state.

    The command does what a server would do; where one runs on the same store, they share the work.
    """
    with interrupts() as check:
        return _wait(store, build_id, display, artifacts, check)


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
    store: Store, build_id: int, display: LiveDisplay | None, artifacts: bool, check: Callable[[], None]
) -> FullBuildView:
    while True:
        check()
        store.scheduler.tick()
        view = store.builds.show(build_id)
        if display:
            display.update(view)
        busy = store.builds.is_busy(build_id) if artifacts else False
        if view["status"] not in UNSETTLED and not busy:
            view = store.builds.show(build_id)
            if display:
                display.update(view)
                display.close()
            return view
        time.sleep(POLL_SECONDS)
