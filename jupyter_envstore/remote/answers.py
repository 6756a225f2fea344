"""What a store elsewhere may answer, and in words why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_envstore.errors import RemoteStoreUnavailableError
from jupyter_envstore.images.registry_client import is_local

if TYPE_CHECKING:
    import httpx


def is_page(media_type: str) -> bool:
    """Whether an answer is a page for people; of several types, the last one counts for browsers."""
    types = [text.partition(";")[0].strip().lower() for text in media_type.split(",")]
    return any(text in ("text/html", "application/xhtml+xml") or text.startswith("multipart/") for text in types)


def check_answer(url: str, answer: httpx.Response) -> None:
    """Refuse what no store answers.

    Raises
    ------
    RemoteStoreUnavailableError
        Another place is named, or a page for people comes.
    """
    status = answer.status_code
    if not 200 <= status < 600:
        raise strange(url)
    if 300 <= status < 400 and status != 304:
        msg = f"{url} leads to another place; give the address of the store itself (c.EnvStoreApp.remote_url, --store)"
        raise RemoteStoreUnavailableError(msg)
    if is_page(answer.headers.get("Content-Type", "")):
        words = f"{status} {answer.reason_phrase}".strip()
        is_said = status >= 400 and status != 404
        raise silent(url, f"what stands in front of it says {words}" if is_said else "there is no store")


def check_encoding(url: str, answer: httpx.Response, known: Sequence[str] = ("gzip",)) -> None:
    """Refuse a body that is packed otherwise than it was asked for: others unpack to thousands of times their size.

    Raises
    ------
    RemoteStoreUnavailableError
        It is.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", *known):
        raise strange(url)


def why_silent(url: str, error: Exception) -> RemoteStoreUnavailableError:
    """Return what is told where an error of httpx comes in the place of an answer."""
    import httpx

    if isinstance(error, httpx.TimeoutException):
        reason = "it took too long"
    elif isinstance(error, httpx.ConnectError):
        is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
        reason = "its certificate is not known; c.EnvStoreApp.remote_ca_file names more" if is_certificate else ""
        reason = reason or "nothing listens there, or its name is not known"
    else:
        is_tls = urlsplit(url).scheme == "https"
        reason = "the connection was cut" + ("; perhaps it speaks http://, not https://" if is_tls else "")
    return silent(url, reason)


def silent(url: str, reason: str) -> RemoteStoreUnavailableError:
    """Return that a store does not answer, with the reason."""
    return RemoteStoreUnavailableError(f"the store at {url} does not answer: {reason}")


def strange(url: str) -> RemoteStoreUnavailableError:
    """Return that something else than a store answers."""
    return RemoteStoreUnavailableError(f"what is at {url} does not answer like a store of environments")


def heeds_proxies(url: str) -> bool:
    """Whether a store is asked through the proxies of the environment: not on this machine, as they see the token."""
    return not is_local(urlsplit(url).netloc)
