"""The token that a server asks a store elsewhere with: its user's own, never one that several people share."""

from __future__ import annotations

import json
import os
import time
from hashlib import sha256
from pathlib import Path

from jupyter_envstore.errors import InvalidInputError, NotFoundError, RemoteStoreUnavailableError, StorageError
from jupyter_envstore.remote.logins import TOKEN, Logins

TOKEN_VARIABLE = "ENVSTORE_REMOTE_TOKEN"  # noqa: S105 - the name of a variable
KERNEL_VARIABLE = "ENVSTORE_TOKEN"
"""What kernels are given."""
HUB_VARIABLE = "JUPYTERHUB_API_TOKEN"
AGAIN_SECONDS = 10.0
"""How long a token is used before it is looked for again: whoever logs in meanwhile need not restart the server."""
LARGEST = 8192
"""Bytes of a file with a token."""


FIRST, LAST = "first", "last"
_given: list[str] = []


def given_token() -> str:
    """Return the token of the variable; what this process starts does not get it: kernels have tokens of their own."""
    if not _given or TOKEN_VARIABLE in os.environ:
        _given[:] = [os.environ.pop(TOKEN_VARIABLE, "")]
    return _given[0]


class Credential:
    """Finds the token of a store elsewhere.

    It is looked for in this order: the file that the configuration names, ``ENVSTORE_REMOTE_TOKEN``, the logins of the
    account, the token of the JupyterHub.

    Parameters
    ----------
    url : str
        Address of the store.
    file : str
        File with the token; empty for none.
    logins : Logins
        The logins of the account.
    with_hub_token : bool
        Whether the token that a JupyterHub gave to this server may be sent to the store.
    variable : str
        What the token of the variable is for this store: ``first``, before the logins; ``last``, behind them; or empty
        where it is that of another store.
    """

    def __init__(self, url: str, file: str, logins: Logins, with_hub_token: bool, variable: str = FIRST) -> None:
        self._url = url
        self._file = file
        self._logins = logins
        given = given_token()
        self._given = given if variable == FIRST else ""
        self._given_last = given if variable == LAST else ""
        self._with_hub_token = with_hub_token
        self._found = ""
        self._found_at = 0.0

    @property
    def mark(self) -> str:
        """What tells one login from another: each has kernelspecs of its own, since it may read other environments."""
        names = (self._file, self._given, os.environ.get("JUPYTERHUB_USER", ""))
        return sha256(json.dumps([*names, self._with_hub_token]).encode()).hexdigest()[:8]

    def token(self) -> str:
        """Return the token; it may read files.

        Raises
        ------
        RemoteStoreUnavailableError
            There is none, or it cannot be read.
        """
        if not self._found or time.monotonic() - self._found_at > AGAIN_SECONDS:
            self._found = self._find()
            self._found_at = time.monotonic()
        return self._found

    @property
    def is_at_hand(self) -> bool:
        """Whether :meth:`token` has nothing to read now."""
        return bool(self._found) and time.monotonic() - self._found_at <= AGAIN_SECONDS

    def forget(self) -> None:
        """Look for the token again: the store did not take it."""
        self._found = ""

    def refused(self) -> str:
        """Return what the store refused, and the way out: in words that follow those of who refused it."""
        if self._file:
            return f"the token in {self._file} (c.EnvStoreApp.remote_token_file); put another one there"
        if self._given:
            return f"the token in the variable {TOKEN_VARIABLE}; set another one, or unset it to use your login"
        return f"your login: jupyter envstore login {self._url}"

    def _find(self) -> str:
        found = self._of_file() if self._file else self._given or self._of_login() or self._given_last or self._of_hub()
        if not found:
            msg = f"there is no login to the store at {self._url}: jupyter envstore login {self._url}"
            raise RemoteStoreUnavailableError(msg)
        if not TOKEN.fullmatch(found):
            msg = f"the token for the store at {self._url} has blanks or characters that no token has"
            raise RemoteStoreUnavailableError(msg)
        return found

    def _of_file(self) -> str:
        try:
            with Path(self._file).expanduser().open("rb") as file:
                return file.read(LARGEST).decode("ascii").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            msg = f"the token in {self._file} (c.EnvStoreApp.remote_token_file) cannot be read: {reason}"
            raise RemoteStoreUnavailableError(msg) from None

    def _of_login(self) -> str:
        try:
            return self._logins.find(self._url).token
        except (NotFoundError, InvalidInputError):
            return ""
        except StorageError as error:
            raise RemoteStoreUnavailableError(str(error)) from None

    def _of_hub(self) -> str:
        return os.environ.get(HUB_VARIABLE, "") if self._with_hub_token else ""
