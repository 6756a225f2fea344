"""A conda-store server, read by its REST API (version 1): environments, specifications, lockfiles of builds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.errors import AuthenticationError, InvalidInputError, NotFoundError, OtherStoreError
from jupyter_envstore.remote.answers import check_encoding, heeds_proxies
from jupyter_envstore.remote.trust import trusted

if TYPE_CHECKING:
    import httpx

API = "/api/v1/"
SECONDS = 60.0
LARGEST = 64 << 20
"""Bytes of an answer; a lockfile of 5,000 packages has some 5 MB."""
ROWS = 100
MOST_PAGES = 10_000
LOCKFILE = "LOCKFILE"
"""What conda-store calls the artifact."""
SHOWN = 300
"""Characters of what the server says."""


@dataclass(frozen=True)
class CondaStoreEnvironment:
    """An environment of a conda-store server.

    Parameters
    ----------
    namespace, name, description : str
        As they are there.
    build_id : int or None
        Its current build; None where it has none.
    """

    namespace: str
    name: str
    description: str
    build_id: int | None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class CondaStoreBuild:
    """A build of a conda-store server.

    Parameters
    ----------
    id : int
        Its id there.
    specification : dict
        What was asked for, as an ``environment.yml`` has it; or with ``lockfile``.
    has_lockfile : bool
        Whether a lockfile was made of it.
    """

    id: int
    specification: dict[str, Any]
    has_lockfile: bool


class CondaStore:
    """A conda-store server.

    Parameters
    ----------
    url : str
        Its address, such as ``https://hub.example.org/conda-store``.
    token : str
        What it is asked with; empty for nothing.
    ca_file : str
        Certificates (PEM) that count beside those of the system; empty for none.

    Raises
    ------
    InvalidInputError
        It is no address, or the certificates cannot be read.
    """

    def __init__(self, url: str, token: str, ca_file: str) -> None:
        import httpx

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            shown = re.sub(r"//[^/@]*@", "//***@", url[:120])
            msg = f"{shown!r} is no address of conda-store; one looks like https://hub.example.org/conda-store"
            raise InvalidInputError(msg)
        self.url = url.partition("#")[0].partition("?")[0].rstrip("/").removesuffix("/api/v1")
        self._client = httpx.Client(
            verify=trusted(ca_file),
            timeout=SECONDS,
            follow_redirects=True,  # lockfiles are in another storage; httpx sends the token to the first host alone
            trust_env=heeds_proxies(url),
            headers={"Accept-Encoding": "gzip", **({"Authorization": f"Bearer {token}"} if token else {})},
        )

    def environments(self) -> Iterator[CondaStoreEnvironment]:
        """Yield the environments that one may see.

        Raises
        ------
        EnvStoreError
            As in :meth:`_read`.
        """
        seen: set[tuple[str, str]] = set()
        for page in range(1, MOST_PAGES):
            told = self._json(f"environment/?page={page}&size={ROWS}&sort_by=namespace&sort_by=name")
            found, count = self._checked(lambda told=told: ([_environment(row) for row in told["data"]], told["count"]))
            fresh = [each for each in found if (each.namespace, each.name) not in seen]
            yield from fresh
            seen |= {(each.namespace, each.name) for each in fresh}
            if not fresh or (isinstance(count, int) and len(seen) >= count):
                return

    def build(self, build_id: int) -> CondaStoreBuild:
        """Return a build.

        Raises
        ------
        EnvStoreError
            As in :meth:`_read`.
        """
        told = self._json(f"build/{build_id}/")["data"]
        found: CondaStoreBuild = self._checked(lambda: _build(build_id, told))
        return found

    def lockfile(self, build: CondaStoreBuild) -> str | None:
        """Return the lockfile of a build: of conda-lock, or of old versions an ``@EXPLICIT`` list; None without one.

        Raises
        ------
        EnvStoreError
            As in :meth:`_read`.
        """
        if not build.has_lockfile:
            return None
        try:
            text = self._read(f"build/{build.id}/conda-lock.yml").decode()
        except (NotFoundError, AuthenticationError) as error:  # it may lie in a storage that says so
            msg = f"its lockfile cannot be had ({error}); --specifications writes what it was asked for"
            raise OtherStoreError(msg) from None
        except UnicodeDecodeError:
            raise self._strange() from None
        return text if text.strip() else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _json(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self._read(path))
        except (ValueError, RecursionError):
            raise self._strange() from None
        if not isinstance(found, dict) or "data" not in found:
            raise self._strange()
        return found

    def _read(self, path: str) -> bytes:
        """Return what an address below ``api/v1/`` has.

        Raises
        ------
        AuthenticationError
            The token is not taken, or does not let one read it.
        NotFoundError
            There is nothing.
        OtherStoreError
            The server does not answer, or answers with something else.
        """
        import httpx

        try:
            with self._client.stream("GET", f"{self.url}{API}{path}") as answer:
                data = bytearray()
                check_encoding(self.url, answer)
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > LARGEST:
                        raise self._strange()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            msg = f"{self.url} does not answer: {str(error)[:SHOWN] or type(error).__name__}"
            raise OtherStoreError(msg) from None
        self._check(answer, bytes(data))
        return bytes(data)

    def _check(self, answer: httpx.Response, data: bytes) -> None:
        status = answer.status_code
        if status < 300:
            return
        if status in (401, 403):
            msg = f"{self.url} does not take the token ({status}); make one on its page and set CONDA_STORE_TOKEN"
            raise AuthenticationError(msg)
        said = printable(data[:SHOWN].decode(errors="replace")).strip()
        if status == 404:
            said = f": {said}" if said and not said.startswith(("<", "{")) else ""
            msg = f"there is nothing that a conda-store server has at {self.url} (404{said}); give its own address"
            raise NotFoundError(msg)
        msg = f"{self.url} says {status}: {said}"
        raise OtherStoreError(msg)

    def _checked(self, read: Any) -> Any:
        """Return what is read of an answer.

        Raises
        ------
        OtherStoreError
            It is not there.
        """
        try:
            return read()
        except (LookupError, TypeError, ValueError, AttributeError):
            raise self._strange() from None

    def _strange(self) -> OtherStoreError:
        return OtherStoreError(f"{self.url} does not answer like a conda-store server; check the address")


def _build(build_id: int, told: dict[str, Any]) -> CondaStoreBuild:
    """Return a build.

    Raises
    ------
    LookupError, TypeError, ValueError
        It is none.
    """
    spec = told["specification"]["spec"]
    kinds = [artifact["artifact_type"] for artifact in told["build_artifacts"]]
    if not isinstance(spec, dict):
        msg = "it has no specification"
        raise TypeError(msg)
    return CondaStoreBuild(build_id, spec, LOCKFILE in kinds)


def _environment(row: dict[str, Any]) -> CondaStoreEnvironment:
    """Return a row of a listing.

    Raises
    ------
    LookupError, TypeError, ValueError
        It is none.
    """
    build = row["current_build_id"]
    texts = [row["namespace"]["name"], row["name"], row.get("description") or ""]
    if not all(isinstance(text, str) for text in texts) or not (build is None or type(build) is int):
        msg = "it is no environment"
        raise TypeError(msg)
    namespace, name, description = map(printable, texts)
    return CondaStoreEnvironment(namespace, name, description, build)
