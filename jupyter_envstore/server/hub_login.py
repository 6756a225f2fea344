"""People of a JupyterHub: they log in there, and it knows their groups. Needs the package jupyterhub."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyterhub.services.auth import HubOAuth
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from tornado.web import HTTPError
from traitlets import Integer, default

from jupyter_envstore.errors import AuthenticationError, StoreUnavailableError
from jupyter_envstore.policy.directory import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_server.auth import User

ANSWER_SECONDS = 10.0
HUB_AWAY = "the JupyterHub does not answer, so it is not known who asks; try again in a minute"
NOT_TOLD = (
    "the JupyterHub does not let this service ask about people, so tokens of the store cannot be used: give the "
    "service a role with the scope read:users"
)


class HubLogin(JupyterHubIdentityProvider):
    """Who logs in at the hub, in a browser or with one of its tokens, and may use this service.

    Parameters
    ----------
    seconds : int
        How long what the hub said of a token counts.
    """

    seconds = Integer(60)

    @default("hub_auth")
    def _default_hub_auth(self) -> HubOAuth:
        return HubOAuth(parent=self, cache_max_age=self.seconds)

    async def get_user(self, handler: Any) -> User | None:
        """Return the hub's user; of who brings a token of the store, the hub is not asked.

        Raises
        ------
        StoreUnavailableError
            The hub does not answer.
        """
        if getattr(handler, "is_by_own_token", False):
            return None
        try:
            found: User | None = await super().get_user(handler)
        except HTTPError as error:
            if error.status_code >= 500:
                raise StoreUnavailableError(HUB_AWAY) from None
            raise
        return found


def person_of(admins: bool) -> Callable[[Any], Person]:
    """Return the function that makes a person of the hub's user; ``admins``: whether those of the hub are ours."""
    return lambda user: _person(user.hub_user, admins)


def _person(model: Mapping[str, Any], admins: bool) -> Person:
    groups = tuple(str(group) for group in model.get("groups") or ())
    return Person(str(model["name"]), groups, admins and bool(model.get("admin")))


class HubDirectory:
    """Asks the hub about people whose tokens of the store are used.

    Parameters
    ----------
    api_url : str
        Address of the hub's REST API.
    token : str
        The service's own token, which needs the scope ``read:users``.
    admins : bool
        Whether admins of the hub may do everything here.
    seconds : float
        How long what the hub said counts.
    """

    def __init__(self, api_url: str, token: str, admins: bool, seconds: float) -> None:
        self._seconds = seconds
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._admins = admins
        self._known: dict[str, tuple[float, Person | None]] = {}
        self._lock = threading.Lock()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def find(self, name: str) -> Person | None:
        """Return a person as the hub knew them some seconds ago; None where it knows none.

        Raises
        ------
        StoreUnavailableError
            It does not answer.
        AuthenticationError
            It does not tell.
        """
        now = time.monotonic()
        with self._lock:
            self._known = {key: entry for key, entry in self._known.items() if entry[0] > now}
            if name in self._known:
                return self._known[name][1]
        found = self._ask(name)
        with self._lock:
            self._known[name] = (now + self._seconds, found)
        return found

    def _ask(self, name: str) -> Person | None:
        address = f"{self._api_url}/users/{quote(name, safe='')}"
        request = urllib.request.Request(address, headers={"Authorization": f"token {self._token}"})  # noqa: S310
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                model = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code in (401, 403):
                raise AuthenticationError(NOT_TOLD) from None
            raise StoreUnavailableError(HUB_AWAY) from None
        except (OSError, ValueError):
            raise StoreUnavailableError(HUB_AWAY) from None
        if "groups" not in model:
            raise AuthenticationError(NOT_TOLD)
        return _person(model, self._admins)
