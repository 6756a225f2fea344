"""Logins to stores elsewhere: which this account has, and the token of each.

They are in one file that their owner alone may read, ``envstore_logins.json`` in Jupyter's configuration directory::

    {"version": 1, "stores": {"https://envs.example.org/envstore": {"token": "…", "user": "jo"}}}
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from jupyter_envstore.errors import InvalidInputError, NotFoundError, StorageError
from jupyter_envstore.private_files import create_private, write_private

VERSION = 1
FILE = "envstore_logins.json"
PATH = "/envstore"
"""What the address of a store ends with, behind that of the server."""
PAGES = ("/tokens", "/shared", "/api/v1", "/api")
"""Pages of a store whose address people may give in place of the store's own."""
JUPYTER_PAGE = re.compile(r"/(?:lab|tree)$|/(?:lab/tree|lab/workspaces|tree|notebooks)/.*$")
"""Pages of a Jupyter server, which stand in the browser where one looks for its address."""
HUB_SERVICE = re.compile(r"/services/[^/]+$")
"""Where a JupyterHub shows a service, which may have the name of what the store's own address ends with."""
TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
"""What may stand in an HTTP header as a token (RFC 9110, 5.5: visible characters)."""


@dataclass(frozen=True)
class Login:
    """What a store elsewhere is asked with.

    Parameters
    ----------
    url : str
        Address of the store; it ends with ``/envstore``.
    token : str
        What it is asked with.
    user : str
        Who one is there.
    """

    url: str
    token: str = field(repr=False)
    user: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no token.

        Raises
        ------
        InvalidInputError
            It is empty, or cannot stand in a header.
        """
        if not isinstance(self.token, str) or not TOKEN.fullmatch(self.token):
            msg = "the token is empty, or has blanks or characters that no token has"
            raise InvalidInputError(msg)


def default_file() -> Path:
    """Return the file of the logins of this account."""
    from jupyter_core.paths import jupyter_config_dir

    return Path(jupyter_config_dir()) / FILE


def store_address(text: str) -> str:
    """Return the address of a store, which ends with ``/envstore``, from that of its server or of one of its pages.

    >>> store_address("https://hub.example.org/services/envs/")
    'https://hub.example.org/services/envs/envstore'
    >>> store_address("https://hub.example.org/services/envstore")
    'https://hub.example.org/services/envstore/envstore'

    Raises
    ------
    InvalidInputError
        It is no address of a server.
    """
    address = text.strip().partition("#")[0].partition("?")[0].rstrip("/")
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_web = is_web and address.isascii() and bool(parts.netloc.encode("idna"))
    except ValueError:
        is_web = False
    if not is_web or parts.username is not None or re.search(r"[\s\x00-\x1f\"'<>\\]", address):
        shown = re.sub(r"//[^/@]*@", "//***@", text[:120])
        msg = f"{shown!r} is no address of a store; one looks like https://envs.example.org, without user or password"
        raise InvalidInputError(msg)
    for page in PAGES:
        if address.endswith(f"{PATH}{page}"):
            address = address.removesuffix(page)
    address = JUPYTER_PAGE.sub("", address)
    netloc = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}[parts.scheme])
    root = f"{parts.scheme}://{netloc}{urlsplit(address).path}".rstrip("/")
    return root if root.endswith(PATH) and not HUB_SERVICE.search(root) else f"{root}{PATH}"


class Logins:
    """The logins of an account.

    Parameters
    ----------
    file : Path
        Where they are.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> list[Login]:
        """Return all logins, in the order in which they were made.

        Raises
        ------
        StorageError
            The file cannot be read, or is damaged.
        """
        reason = "it is damaged"
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
            if known["version"] == VERSION:
                return [_login(url, entry) for url, entry in known["stores"].items()]
            reason = "it is of another version of jupyter-envstore"
            raise ValueError
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidInputError) as error:
            reason = getattr(error, "strerror", None) or reason
            msg = f"the logins in {self._file} cannot be read: {reason}; mend or delete the file, and log in again"
            raise StorageError(msg) from None

    def find(self, url: str) -> Login:
        """Return the login to a store.

        Raises
        ------
        NotFoundError
            There is none.
        StorageError
            As in :meth:`all`.
        """
        for login in self.all():
            if login.url == url:
                return login
        msg = f"you are not logged in to {url}: jupyter envstore login {url}"
        raise NotFoundError(msg)

    def note(self, login: Login) -> None:
        """Keep a login, in place of one to the same store.

        Raises
        ------
        StorageError
            It cannot be written; or as in :meth:`all`.
        """
        with self._alone():
            self._write([*(known for known in self.all() if known.url != login.url), login])

    def forget(self, url: str) -> None:
        """Forget the login to a store; its token goes on working until it is revoked there.

        Raises
        ------
        NotFoundError
            There is none.
        StorageError
            As in :meth:`note`.
        """
        with self._alone():
            self.find(url)
            self._write([known for known in self.all() if known.url != url])

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else change the logins meanwhile.

        Raises
        ------
        StorageError
            They cannot be written.
        """
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._file.with_name(f".{self._file.name}.lock")
            with contextlib.suppress(FileExistsError):
                create_private(lock)
            file = lock.open("w", encoding="utf-8")
        except OSError as error:
            raise self._not_kept(error) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, logins: list[Login]) -> None:
        stores = {login.url: {"token": login.token, "user": login.user} for login in logins}
        text = json.dumps({"version": VERSION, "stores": stores}, indent=1)
        try:
            place = Path(os.path.realpath(self._file))  # it may be a link to where settings are kept
            write_private(place, f"{text}\n")
        except OSError as error:
            raise self._not_kept(error) from None

    def _not_kept(self, error: OSError) -> StorageError:
        return StorageError(f"the logins cannot be kept in {self._file}: {error.strerror}")


def _login(url: str, entry: Mapping[str, str]) -> Login:
    """Return a login as the file has it.

    Raises
    ------
    InvalidInputError
        Its address or token cannot be one.
    KeyError, TypeError
        It has another form.
    """
    if store_address(url) != url:
        msg = f"{url!r} is no address of a store"
        raise InvalidInputError(msg)
    return Login(url, entry["token"], str(entry.get("user", "")))
