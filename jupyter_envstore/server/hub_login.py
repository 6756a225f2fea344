"""People of a JupyterHub: they log in there, and it knows their groups. Needs the package jupyterhub."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyterhub.services.auth import HubOAuth
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.web import HTTPError
from traitlets import Integer, Set, Unicode, default

from jupyter_envstore.errors import AuthenticationError, LoginUnavailableError
from jupyter_envstore.policy.directory import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jupyter_server.auth import User

ANSWER_SECONDS = 10.0
"""How long the hub may take, with all of its answer."""
AWAY_SECONDS = 3.0
"""How long a hub that did not answer is left alone: who asks meanwhile is told at once."""
AT_ONCE = 20
"""How many questions the hub is asked at once about those who log in."""
MOST_GROUPS = 200
"""How many groups of a person count, in the order of their names."""
LARGEST = 1 << 20
HUB_AWAY = "the JupyterHub does not answer, so it is not known who asks; try again in a minute"
HUB_ODD = "the JupyterHub answers in a way that cannot be read, so it is not known who asks"
NOT_ALLOWED = "this store is for people of the JupyterHub that its admin lets in (hub_groups), not for services"
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
    groups : set of str
        Groups whose members may use the store; empty for everybody who may use the service.
    """

    seconds = Integer(60)
    groups = Set(Unicode())

    @default("hub_auth")
    def _default_hub_auth(self) -> HubOAuth:
        return HubOAuth(parent=self, cache_max_age=self.seconds)

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._away_until = 0.0

    async def get_user(self, handler: Any) -> User | None:
        """Return the hub's user; of who brings a token of the store, the hub is not asked.

        Raises
        ------
        HTTPError
            They may not use the store.
        LoginUnavailableError
            The hub does not answer, or not in its own way.
        """
        if getattr(handler, "is_by_own_token", False):
            return None
        if time.monotonic() < self._away_until:
            raise LoginUnavailableError(HUB_AWAY)
        try:
            found: User | None = await asyncio.wait_for(self._ask(handler), ANSWER_SECONDS)
        except (asyncio.TimeoutError, HTTPError) as error:
            if isinstance(error, HTTPError) and error.status_code < 500:
                raise
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise LoginUnavailableError(HUB_AWAY) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise LoginUnavailableError(HUB_ODD) from None
        if found is None:
            return None
        person = person_of(found.hub_user, False)  # type: ignore[attr-defined]
        if person is None or not may_use(person, self.groups):
            raise HTTPError(403, NOT_ALLOWED)
        return found

    async def _ask(self, handler: Any) -> User | None:
        async with self._slots:
            found: User | None = await super().get_user(handler)
            return found


def mapper_of(admins: bool) -> Callable[[Any], Person]:
    """Return the function that makes a person of the hub's user; ``admins``: whether those of the hub are ours."""

    def mapped(user: Any) -> Person:
        person = person_of(user.hub_user, admins)
        assert person is not None  # noqa: S101 - who is none is not logged in
        return person

    return mapped


def person_of(model: Any, admins: bool) -> Person | None:
    """Return the person that the hub describes; None for one of its services, which is nobody.

    Parameters
    ----------
    admins : bool
        Whether admins of the hub may do everything here.

    Raises
    ------
    LoginUnavailableError
        It is no description of a person.
    """
    fields = model if isinstance(model, dict) else {}
    name, groups, admin = fields.get("name"), fields.get("groups", []), fields.get("admin", False)
    is_right = isinstance(name, str) and bool(name) and isinstance(groups, list) and isinstance(admin, bool)
    if not is_right or not all(isinstance(group, str) for group in groups):
        raise LoginUnavailableError(HUB_ODD)
    if fields.get("kind", "user") != "user":
        return None
    return Person(str(name), tuple(sorted(groups)[:MOST_GROUPS]), admins and admin, _moment(fields.get("created")))


def may_use(person: Person, groups: Collection[str]) -> bool:
    """Whether a person is in one of the groups that may use the store, if there are any."""
    return not groups or bool(set(groups).intersection(person.groups))


def _moment(text: object) -> datetime | None:
    """Return a moment as the hub writes it, in UTC without a zone."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(timezone.utc).replace(tzinfo=None) if found.tzinfo else found


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
    groups : collection of str
        Groups whose members may use the store; empty for everybody.
    seconds : float
        How long what the hub said counts.
    """

    def __init__(self, api_url: str, token: str, admins: bool, groups: Collection[str], seconds: float) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._admins = admins
        self._groups = frozenset(groups)
        self._seconds = seconds
        self._known: dict[str, tuple[float, Person | None]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._away_until = 0.0

    async def look(self, name: str) -> None:
        """Ask about a person, unless what was told a moment ago still counts; all who ask at once share one question.

        Raises
        ------
        LoginUnavailableError
            The hub does not answer, or not in its own way.
        AuthenticationError
            It does not tell.
        """
        now = time.monotonic()
        if name in self._known and self._known[name][0] + self._seconds > now:
            return
        if now < self._away_until:
            raise LoginUnavailableError(HUB_AWAY)
        if name not in self._asking:
            task = asyncio.ensure_future(self._learn(name))
            self._asking[name] = task
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        await asyncio.shield(self._asking[name])

    def known(self, name: str) -> Person | None:
        """Return a person as they were when the hub was asked; None where it knows none who may use the store.

        Raises
        ------
        LoginUnavailableError
            Nobody has asked lately.
        """
        asked, person = self._known.get(name, (0.0, None))
        if asked + self._seconds + ANSWER_SECONDS < time.monotonic():
            raise LoginUnavailableError(HUB_AWAY)
        return person

    async def _learn(self, name: str) -> None:
        try:
            person = await self._ask(name)
        except LoginUnavailableError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise
        now = time.monotonic()
        kept = {key: entry for key, entry in self._known.items() if entry[0] + 2 * self._seconds > now}
        self._known = {**kept, name: (now, person)}

    async def _ask(self, name: str) -> Person | None:
        address = f"{self._api_url}/users/{quote(name, safe='')}"
        client = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST)
        try:
            answer = await client.fetch(
                address,
                headers={"Authorization": f"token {self._token}"},
                connect_timeout=ANSWER_SECONDS,
                request_timeout=ANSWER_SECONDS,
                follow_redirects=False,
            )
            model = json.loads(answer.body)
        except HTTPClientError as error:
            if error.code == 404:
                return None
            if error.code in (401, 403):
                raise AuthenticationError(NOT_TOLD) from None
            raise LoginUnavailableError(HUB_AWAY) from None
        except (OSError, ValueError):
            raise LoginUnavailableError(HUB_AWAY) from None
        finally:
            client.close()
        if isinstance(model, dict) and "groups" not in model:
            raise AuthenticationError(NOT_TOLD)
        person = person_of(model, self._admins)
        if person is not None and person.name != name:
            raise LoginUnavailableError(HUB_ODD)
        return person if person is not None and may_use(person, self._groups) else None
