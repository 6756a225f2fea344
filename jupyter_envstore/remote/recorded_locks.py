"""Builds of stores elsewhere, found by the hash of their build record."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.client import EnvStoreClientError
from jupyter_envstore.remote.logins import Login

SECONDS = 10.0
"""How long a store is waited for: somebody looks at a notebook meanwhile."""
MOST = 8
"""How many stores are asked at once."""
SHOWN = 300
"""Characters of what another server says."""


@dataclass(frozen=True)
class RecordedLock:
    """A build of a store elsewhere, or why it is not known.

    Parameters
    ----------
    store : str
        Address of the store.
    namespace, environment, number
        The build there.
    lock : mapping or None
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


def ask_stores(logins: Sequence[Login], record: str) -> list[RecordedLock]:
    """Ask stores for the build with a record, all at once; return their answers in the same order.

    Parameters
    ----------
    record : str
        ``sha256:`` and the hash of the record. Nothing else is told to them.
    """
    if not logins:
        return []
    with ThreadPoolExecutor(min(len(logins), MOST), "es-other-store") as pool:
        return list(pool.map(lambda login: ask_store(login, record), logins))


def ask_store(login: Login, record: str) -> RecordedLock:
    """Ask one store for the build with a record."""
    try:
        found = Client(login.url, login.token, SECONDS).recorded(record.removeprefix("sha256:"), lock=True)
        build: Any = found["builds"][0]
        return RecordedLock(
            login.url, str(build["namespace"]), str(build["environment"]), int(build["number"]), found["lock"]
        )
    except EnvStoreClientError as error:
        return RecordedLock(login.url, failure=_reason(error, login))
    except (LookupError, TypeError, ValueError):
        return RecordedLock(login.url, failure="it does not answer like a store of environments")


def _reason(error: EnvStoreClientError, login: Login) -> str:
    """Return why a store did not give a build; empty where it just does not have it."""
    if error.status == 404 and error.code:
        return ""
    if error.status == 401:
        return f"the login has ended: jupyter envstore login {login.url}"
    if error.status == 404:
        return "there is no store any more, or one of an older version"
    return printable(str(error).removeprefix(f"{login.url} "))[:SHOWN]
