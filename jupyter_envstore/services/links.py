"""Links that share an environment: made, listed, revoked; and what whoever has one is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds, images
from jupyter_envstore.database import people as rows
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.errors import InvalidInputError, NotFoundError, PolicyError
from jupyter_envstore.policy.access import Identity, SharedLink, new_token
from jupyter_envstore.representation import conda_store, moments
from jupyter_envstore.representation.conda_store_types import TokenJson
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.tokens import end_to_give, may_handle, refuse_kernel, revoke_row, token_values
from jupyter_envstore.services.values import SharedEnvironment, ShareLink
from jupyter_envstore.spec.address_reach import reach_of
from jupyter_envstore.spec.share_links import share_link

if TYPE_CHECKING:
    from jupyter_envstore.database.models import Token

USUAL_DAYS, MOST_DAYS = 7, 366
"""How long links last."""
NO_ADDRESS = (
    "others cannot reach this store: set c.EnvStoreApp.public_url to the address of the Jupyter server that serves it, "
    "or use a registry: jupyter envstore push"
)


class Links:
    """Links that share one environment with whoever has them.

    Parameters
    ----------
    config : StoreConfig
        Says at which address others reach the store.
    database : Database
        The store's database.
    settings : Settings
        Say whether links may be made in a place.
    """

    def __init__(self, config: StoreConfig, database: Database, settings: Settings) -> None:
        self._config = config
        self._database = database
        self._settings = settings

    def make(
        self, identity: Identity, namespace: str, name: str, days: int = USUAL_DAYS, ends: datetime | None = None
    ) -> tuple[str, TokenJson]:
        """Make the token of a link: whoever has it may look at an environment, and download what is made of it.

        The token belongs to this very environment, not to its name.

        Parameters
        ----------
        days : int
            For how many days it shall work, at most; it ends no later than the token that it is made with.
        ends : datetime or None
            When it ends (UTC, naive), in place of ``days``.

        Raises
        ------
        InvalidInputError
            It would last longer than a year, or than what it is made with; or it has ended already.
        NotFoundError
            There is no such environment.
        PolicyError
            The settings do not allow links here.
        AuthenticationError
            The token that it is made with was revoked meanwhile.
        PermissionDeniedError
            It would be made with the token of a kernel.
        """
        refuse_kernel(identity)
        if not self._settings.effective((namespace, name))["share_links"]:
            msg = f"links to {namespace}/{name} are turned off (setting share_links)"
            raise PolicyError(msg)
        if not 1 <= days <= MOST_DAYS:
            msg = f"a share link lasts from 1 to {MOST_DAYS} days, not {days}"
            raise InvalidInputError(msg)
        wanted = ends or min(now() + timedelta(days=days), identity.expires_on or datetime.max)
        ends = end_to_give(identity, wanted)
        if ends is None or ends > now() + timedelta(days=MOST_DAYS):
            msg = f"a share link lasts at most {MOST_DAYS} days"
            raise InvalidInputError(msg)
        token = new_token()
        with self._database.write() as session:
            space, environment = builds.find_environment(session, namespace, name)
            place = f"{space.name}/{environment.name}"
            values = token_values(identity, token, f"share link of {place}", {place: ["viewer"]}, ends)
            row = rows.add_token(session, {**values, "kind": rows.SHARE, "environment_id": environment.id})
            detail = {"environment": place, "expiration": moments.expiration_json(ends)}
            rows.audit(session, identity.name, "token.share", f"token:{row.id}", detail)
            return token, conda_store.token_json(row)

    def share(self, identity: Identity, namespace: str, name: str, days: int = USUAL_DAYS) -> ShareLink:
        """Make a link for the public address of the store.

        Raises
        ------
        InvalidInputError
            The store has none; or as :meth:`make`.
        NotFoundError, PolicyError, AuthenticationError, PermissionDeniedError
            As :meth:`make`.
        """
        address = self._config.public_url
        if not address:
            raise InvalidInputError(NO_ADDRESS)
        token, view = self.make(identity, namespace, name, days)
        link = share_link(address, token)
        return {"link": link, "reach": reach_of(link), **view}

    def of_environment(self, identity: Identity, namespace: str, name: str) -> list[TokenJson]:
        """Return the links to an environment that ``identity`` may revoke, newest first; those that ended are left out.

        Raises
        ------
        NotFoundError
            There is no such environment.
        """
        with self._database.read() as session:
            _, environment = builds.find_environment(session, namespace, name)
            found = rows.list_links(session, environment.id)
            return [conda_store.token_json(row) for row in found if _may_revoke(identity, row, namespace, name)]

    def revoke(self, identity: Identity, namespace: str, name: str, token_id: int) -> None:
        """End a link to an environment: one's own, or anybody's where one may delete the environment.

        Raises
        ------
        NotFoundError
            There is no such link to this environment, or it is somebody else's.
        PermissionDeniedError
            A kernel's token would do it.
        """
        refuse_kernel(identity)
        with self._database.write() as session:
            _, environment = builds.find_environment(session, namespace, name)
            row = rows.get_token(session, token_id)
            if row.environment_id != environment.id or not _may_revoke(identity, row, namespace, name):
                msg = f"there is no token {token_id}"
                raise NotFoundError(msg)
            revoke_row(session, identity, row)

    def shown(self, link: SharedLink) -> SharedEnvironment:
        """Return what whoever has a link is told of its environment.

        Raises
        ------
        NotFoundError
            The environment was deleted.
        """
        with self._database.read() as session:
            found = builds.environment_place(session, link.environment_id)
            if found is None:
                msg = "the environment of the link is gone"
                raise NotFoundError(msg)
            space, environment = found
            active = images.tagged_build(session, environment.id, None)
            build = None if active is None else builds.find_build(session, active).build
        return {
            "namespace": space.name,
            "name": environment.name,
            "description": environment.description,
            "shared_by": link.made_by,
            "build_id": active,
            "build_number": None if build is None else build.number,
            "built_on": None if build is None else moments.time_json(build.ended_on),
        }


def _may_revoke(identity: Identity, token: Token, namespace: str, name: str) -> bool:
    mine = token.username == identity.name and may_handle(identity, token)
    return mine or identity.may("environment::delete", namespace, name)
