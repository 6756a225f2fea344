"""Requests of commands to a store elsewhere."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.errors import AuthenticationError, RemoteStoreUnavailableError
from jupyter_envstore.remote.answers import check_answer, check_encoding, heeds_proxies, strange, why_silent
from jupyter_envstore.remote.connection import KEPT_SECONDS
from jupyter_envstore.remote.headers import VERSION, own_version
from jupyter_envstore.remote.trust import trusted
from jupyter_envstore.remote_store.refusals import refusal

if TYPE_CHECKING:
    import httpx

    from jupyter_envstore.remote.credentials import Credential

API = "/api/v1/"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 660.0
"""How long a store may say nothing: it solves for up to ten minutes before it answers."""
LARGEST = 256 << 20
"""Bytes of an answer in JSON; listings of a hundred thousand environments are smaller."""
LARGEST_REFUSAL = 1 << 20
MOST_PAGES = 10_000
MOST_ROWS = 100
"""Rows of a page of a listing."""


class Answer(dict[str, Any]):
    """An object in an answer; a key that it lacks is told as a fault of the store."""

    def __missing__(self, key: str) -> Any:
        """Refuse it.

        Raises
        ------
        RemoteStoreUnavailableError
            Always.
        """
        msg = f"the store does not tell {key!r}; it may have an older version of jupyter-envstore"
        raise RemoteStoreUnavailableError(msg)


class StoreConnection:
    """Asks a store elsewhere.

    Parameters
    ----------
    url : str
        Address of the store, which ends with ``/envstore``.
    credential : Credential
        The login there.
    ca_file : str
        Certificates (PEM) that count beside those of the system; empty for none.

    Raises
    ------
    InvalidInputError
        The certificates cannot be read.
    """

    def __init__(self, url: str, credential: Credential, ca_file: str) -> None:
        import httpx

        self.url = url
        self._credential = credential
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.Client(
            verify=trusted(ca_file),
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
            follow_redirects=False,
            trust_env=heeds_proxies(url),
        )

    def get(self, path: str, **query: object) -> Any:
        """Return the data of an address below ``api/v1/``.

        Raises
        ------
        EnvStoreError
            As the store refuses; :class:`RemoteStoreUnavailableError` where it does not answer.
        """
        return self._ask("GET", path, query=query)["data"]

    def send(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Have something done, and return the data of the answer; None where it has none.

        Raises
        ------
        EnvStoreError
            As in :meth:`get`.
        """
        return self._ask(method, path, {} if body is None and method in ("POST", "PUT") else body, query).get("data")

    def count(self, path: str, **query: object) -> int:
        """Return how many rows a listing has.

        Raises
        ------
        EnvStoreError
            As in :meth:`get`.
        """
        return int(self._ask("GET", path, query={**query, "page": 1, "size": 1})["count"])

    def rows(self, path: str, **query: object) -> Iterator[Any]:
        """Yield the rows of a listing, all of its pages.

        Raises
        ------
        EnvStoreError
            As in :meth:`get`.
        """
        seen: set[object] = set()
        for page in range(1, MOST_PAGES):
            found = self._ask("GET", path, query={**query, "page": page, "size": MOST_ROWS})
            fresh = {row["id"] for row in found["data"]} - seen
            yield from found["data"]
            seen |= fresh
            if not fresh or len(seen) >= found["count"]:
                return

    def data(self, path: str, **query: object) -> bytes:
        """Return a small file.

        Raises
        ------
        EnvStoreError
            As in :meth:`get`.
        """
        data = bytearray()
        for piece in self.pieces(path, **query):
            data += piece
            if len(data) > LARGEST:
                raise strange(self.url)
        return bytes(data)

    def pieces(self, path: str, **query: object) -> Iterator[bytes]:
        """Yield the bytes of a file as they come; all of them, or an error.

        Raises
        ------
        EnvStoreError
            As in :meth:`get`; :class:`RemoteStoreUnavailableError` where the connection is cut.
        """
        import httpx

        with self._sent("GET", path, None, query, is_packed=False) as answer:
            try:
                yield from answer.iter_bytes()
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise why_silent(self.url, error) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, body: object = None, query: dict[str, object] | None = None) -> Answer:
        with self._sent(method, path, body, query or {}) as answer:
            return self._read(answer, LARGEST)

    @contextlib.contextmanager
    def _sent(
        self, method: str, path: str, body: object, query: dict[str, object], is_packed: bool = True
    ) -> Iterator[httpx.Response]:
        import httpx

        headers = {
            "Authorization": f"Bearer {self._credential.token()}",
            "Accept-Encoding": "gzip" if is_packed else "identity",
            VERSION: own_version(),
        }
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        params: Any = {key: value for key, value in query.items() if value not in ("", None, ())}
        request = self._client.build_request(
            method, self.url + API + path, params=params, content=content, headers=headers
        )
        try:
            answer = self._answer_to(request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise why_silent(self.url, error) from None
        try:
            if answer.status_code == 401:
                msg = f"{self.url} does not take {self._credential.refused()}"
                raise AuthenticationError(msg)
            check_answer(self.url, answer)
            check_encoding(self.url, answer, ("gzip",) if is_packed else ())
            if answer.status_code >= 400:
                raise refusal(self.url, answer.status_code, self._read(answer, LARGEST_REFUSAL))
            yield answer
        finally:
            answer.close()

    def _answer_to(self, request: httpx.Request) -> httpx.Response:
        """Send a request; once more where a connection that was kept had just been closed."""
        import httpx

        try:
            return self._client.send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if request.method != "GET":
                raise
            return self._client.send(request, stream=True)

    def _read(self, answer: httpx.Response, largest: int) -> Answer:
        import httpx

        data = bytearray()
        try:
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > largest:
                    raise strange(self.url)
            found = json.loads(data, object_hook=Answer)
            found = found if is_clean(data) else cleaned(found)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise why_silent(self.url, error) from None
        except (ValueError, RecursionError):
            raise strange(self.url) from None
        if not isinstance(found, Answer):
            raise strange(self.url)
        return found


def is_clean(data: bytes | bytearray) -> bool:
    """Whether no text in an answer can have what a terminal does not show: that stands in JSON as ``\\u…`` or not."""
    return data.isascii() and b"\\u" not in data and b"\x7f" not in data


def cleaned(value: Any) -> Any:
    """Return an answer whose texts every terminal shows."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return Answer({printable(key): cleaned(each) for key, each in value.items()})
    return [cleaned(each) for each in value] if isinstance(value, list) else value


def path_of(*parts: str | int) -> str:
    """Return a path below ``api/v1/`` of parts, which may have any characters.

    >>> path_of("environment", "team", "a b")
    'environment/team/a%20b/'
    """
    return "".join(f"{quote(str(part), safe='')}/" for part in parts)
