"""A process that asks one store elsewhere for a build: ``python -m jupyter_envstore.remote.asking``.

The question comes at its input as JSON (``url``, ``token``, ``record``), the answer goes to its output: ``found`` or
``failure``. A process of its own can be ended whatever the other side does, and its memory is bounded.
"""

from __future__ import annotations

import json
import resource
import sys

from jupyter_envstore.client import EnvStore, EnvStoreClientError

SECONDS = 10.0
"""How long a store is waited for: somebody looks at a notebook meanwhile."""
MEMORY = 512 << 20
"""Bytes of memory that the process may have."""


def answer(url: str, token: str, record: str) -> dict[str, object]:
    """Return what a store says about a build record; ``failure`` is empty where it just does not have it."""
    try:
        found = EnvStore(url, token, SECONDS).recorded(record, lock=True)
        build = found["builds"][0]
        names = {key: build[key] for key in ("namespace", "environment", "number")}
        return {"found": {**names, "lock": found["lock"]}}
    except EnvStoreClientError as error:
        return {"failure": _reason(error, url)}
    except (LookupError, TypeError, ValueError):
        return {"failure": "it does not answer like a store of environments"}


def _reason(error: EnvStoreClientError, url: str) -> str:
    if error.status == 404 and error.code:
        return ""
    if error.status == 401:
        return f"the login has ended: jupyter envstore login {url}"
    if error.status == 404:
        return "there is no store any more, or one of an older version"
    return str(error).removeprefix(f"{url} ") or "it says nothing"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    asked = json.load(sys.stdin)
    json.dump(answer(asked["url"], asked["token"], asked["record"]), sys.stdout)
