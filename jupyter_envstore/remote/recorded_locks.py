"""Builds of stores elsewhere, found by the hash of their build record."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.remote.asking import SECONDS
from jupyter_envstore.remote.logins import Login
from jupyter_envstore.spec.names import check_name

GRACE = 2.0
"""Seconds beyond those in which a store must answer: the process that asks it starts and ends in them."""
MOST = 8
"""How many stores are asked at once."""
MOST_NUMBER = 2**31 - 1
SHOWN = 300
"""Characters of what another server says."""
STRANGE = "it does not answer like a store of environments"


@dataclass(frozen=True)
class RecordedLock:
    """A build of a store elsewhere, or why it is not known.

    Parameters
    ----------
    store : str
        Address of the store.
    namespace, environment, number
        The build there.
    lock : object
        The build record as it is put into notebooks, not checked; None where the store does not have it.
    failure : str
        Why the store did not answer; empty where it did.
    """

    store: str
    namespace: str = ""
    environment: str = ""
    number: int = 0
    lock: object = None
    failure: str = ""


def ask_stores(logins: Sequence[Login], record: str) -> Generator[RecordedLock]:
    """Ask stores for the build with a record, and yield their answers as they come.

    The first store is asked by itself, then all others at once. Once nobody wants more answers, no store is waited for.

    Parameters
    ----------
    record : str
        ``sha256:`` and the hash of the record. Nothing else is told to them.
    """
    for group in (logins[:1], logins[1:]):
        if not group:
            continue
        questions = [Question(login, record) for login in group]
        with ThreadPoolExecutor(min(len(group), MOST), "envstore-other-store") as pool:
            try:
                for answer in as_completed([pool.submit(question.answer) for question in questions]):
                    yield answer.result()
            finally:
                for question in questions:
                    question.stop()


def ask_store(login: Login, record: str) -> RecordedLock:
    """Ask one store for the build with a record."""
    return Question(login, record).answer()


class Question:
    """One store that is asked for one build, in a process of its own.

    Parameters
    ----------
    login : Login
        The store.
    record : str
        ``sha256:`` and the hash of the record.
    """

    def __init__(self, login: Login, record: str) -> None:
        self._login = login
        self._record = record.removeprefix("sha256:")
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def answer(self) -> RecordedLock:
        """Return what the store says; after its time, that it did not answer."""
        if self._stopped:
            return self._failed("nobody waits for it any more")
        url = self._login.url
        asked = {"url": url, "token": self._login.token, "record": self._record}
        with subprocess.Popen(
            [sys.executable, "-m", "jupyter_envstore.remote.asking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=scrubbed_environment(),
        ) as process:
            self._process = process
            try:
                text, _ = process.communicate(json.dumps(asked).encode(), timeout=SECONDS + GRACE)
            except subprocess.TimeoutExpired:
                return self._failed(f"it does not answer within {SECONDS:g} s")
            finally:
                process.kill()
        try:
            answer = json.loads(text)
        except ValueError:
            return self._failed(STRANGE)
        if "failure" in answer:
            return self._failed(answer["failure"])
        try:
            return self._read(answer["found"])
        except (InvalidInputError, LookupError, TypeError):
            return self._failed(STRANGE)

    def stop(self) -> None:
        """Wait no more; whoever waits is told that there was no answer."""
        self._stopped = True
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    def _read(self, found: dict[str, object]) -> RecordedLock:
        """Return a build that a store told of, if its names are some.

        Raises
        ------
        InvalidInputError, LookupError, TypeError
            They are not.
        """
        namespace, environment, number = found["namespace"], found["environment"], found["number"]
        if not isinstance(namespace, str) or not isinstance(environment, str) or type(number) is not int:
            msg = "it is no build"
            raise TypeError(msg)
        if not 1 <= number <= MOST_NUMBER:
            msg = "it is no number of a build"
            raise InvalidInputError(msg)
        check_name("namespace", namespace)
        check_name("environment", environment)
        return RecordedLock(self._login.url, namespace, environment, number, found["lock"])

    def _failed(self, reason: object) -> RecordedLock:
        """Return that the store did not answer; what it says is one line, without the token that it was given."""
        said = " ".join(printable(str(reason)).replace(self._login.token, "***").split())
        return RecordedLock(self._login.url, failure=said[:SHOWN])
