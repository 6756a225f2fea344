"""Commands that log in to stores elsewhere."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import replace
from urllib.parse import urlsplit

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.cli.common import tell
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.client import EnvStoreClientError
from jupyter_envstore.errors import AuthenticationError, NotFoundError, OtherStoreError
from jupyter_envstore.images.registry_client import is_local
from jupyter_envstore.remote.logins import Login, Logins, default_file, store_address

LONGEST = 4_096
SECONDS = 15.0
EXAMPLE = (
    "https://envs.example.org, or of a JupyterHub https://hub.example.org/services/NAME of a service and "
    "https://hub.example.org/user/NAME of a person"
)
ANOTHER = "make one on {url}/tokens, or ask an admin of the store for one, where nobody logs in there"
SHOWN = 300
"""Characters of what another server says."""


def login(options: argparse.Namespace) -> None:
    """Keep the token of a store elsewhere, or list those that are kept."""
    logins = Logins(default_file())
    if options.url is None:
        known = logins.all()
        told = [{"store": login.url, "user": login.user or None} for login in known]
        lines = [login.url + (f"  as {login.user}" if login.user else "") for login in known]
        tell(options, told, "\n".join(lines) or "you are logged in to no other store: jupyter envstore login URL")
        return
    url = store_address(options.url)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_local(parts.netloc):
        print(f"warning: {url} is not encrypted: others in the network can read the token", file=sys.stderr)
    found = Login(url, _read_token(url, options.token_stdin))
    user = "" if options.no_check else _user(found)
    logins.note(replace(found, user=user))
    tell(options, {"store": url, "user": user or None}, f"logged in to {url}" + (f" as {user}" if user else ""))


def logout(options: argparse.Namespace) -> None:
    """Forget the token of a store elsewhere."""
    url = store_address(options.url)
    Logins(default_file()).forget(url)
    words = f"logged out of {url}; its token works until it is revoked: {url}/tokens"
    tell(options, {"store": url}, words)


def _read_token(url: str, from_input: bool) -> str:
    """Return the token that the person at the keyboard gives; it is not shown, and in no list of processes."""
    if from_input or not sys.stdin.isatty():
        return sys.stdin.read(LONGEST + 1).strip()
    print(f"Make a token on {url}/tokens", file=sys.stderr)
    return getpass.getpass("Token: ").strip()


def _user(login: Login) -> str:
    """Return who one is in a store.

    Raises
    ------
    AuthenticationError
        The store refuses the token.
    OtherStoreError
        It does not answer.
    NotFoundError
        There is no store.
    """
    url = login.url
    try:
        found: object = Client(url, login.token, SECONDS).permissions()
    except EnvStoreClientError as error:
        said = printable(str(error))[:SHOWN]
        if error.status in (401, 403):
            msg = f"{url} refuses the token: {said}; {ANOTHER.format(url=url)}"
            raise AuthenticationError(msg) from None
        if not error.status:
            raise OtherStoreError(said) from None
        msg = f"there is no store at {url} ({said}); give the address of its server, as {EXAMPLE}"
        raise NotFoundError(msg) from None
    if not isinstance(found, dict) or not found.get("authenticated"):
        msg = f"{url} does not know the token; {ANOTHER.format(url=url)}"
        raise AuthenticationError(msg)
    return printable(str(found.get("username") or ""))[:SHOWN]
