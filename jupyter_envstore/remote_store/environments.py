"""Environments of a store elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.remote_store.connection import StoreConnection, path_of
from jupyter_envstore.remote_store.views import environment_view
from jupyter_envstore.services.values import BuildRef

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.remote_store.builds import Builds
    from jupyter_envstore.representation.conda_store_types import EnvironmentJson
    from jupyter_envstore.representation.environments import EnvironmentView


class Environments:
    """Environments of all namespaces that one may see."""

    def __init__(self, connection: StoreConnection, builds: Builds) -> None:
        self._connection = connection
        self._builds = builds

    def list_all(self, namespace: str | None = None) -> list[EnvironmentView]:
        """Return all environments, or those of a namespace."""
        return [environment_view(row) for row in self._connection.get("environment/", namespace=namespace)]

    def get(self, identity: Identity, namespace: str, name: str) -> EnvironmentJson:
        """Return one environment as listings show it; the login says who asks.

        Raises
        ------
        NotFoundError
            It is not there, or one may not read it.
        """
        del identity
        return cast("EnvironmentJson", self._connection.get(path_of("environment", namespace, name)))

    def newest_specification(self, namespace: str, name: str) -> tuple[str | None, int | None]:
        """Return the hash of what the newest build was made of, and the build's id while it is queued or runs.

        The hash is None where there is no build, or where it did not work.
        """
        try:
            told: EnvironmentJson = self._connection.get(path_of("environment", namespace, name))
        except NotFoundError:
            return None, None
        newest, status = told["newest_build_id"], told["newest_build_status"]
        if newest is None or status not in (COMPLETED, *UNSETTLED):
            return None, None
        digest = self._connection.get(path_of("build", newest))["specification"]["sha256"]
        return digest, newest if status in UNSETTLED else None

    def activate(self, namespace: str, name: str, build: str, who: str = "") -> BuildRef:
        """Make a completed build of this environment its active one.

        Raises
        ------
        ConflictError
            The build is not completed, or its prefix was dropped.
        """
        del who
        found = self._builds.find(namespace, name, build)
        self._connection.send("PUT", path_of("environment", namespace, name), {"build_id": found.id})
        return found

    def delete(self, namespace: str, name: str, who: str = "", at_once: bool = False) -> int:
        """Delete an environment with all its builds; what runs is stopped. Return how many builds it had."""
        del who
        told: EnvironmentJson = self._connection.get(path_of("environment", namespace, name))
        count = self._connection.count("build/", environment_id=told["id"])
        self._connection.send("DELETE", path_of("environment", namespace, name), now="true" if at_once else None)
        return count

    def can_come_back(self, namespace: str, name: str) -> bool:
        """Say no: the store does not tell of what was deleted; :meth:`undelete` tries it."""
        del namespace, name
        return False

    def undelete(self, namespace: str, name: str, who: str = "") -> int:
        """Bring back the environment of this name that was deleted last, with its builds. Return how many there are.

        Raises
        ------
        NotFoundError
            None was deleted, or it was cleared already.
        ConflictError
            There is another one of this name now.
        """
        del who
        return int(self._connection.send("POST", path_of("environment", namespace, name, "undelete"))["builds"])
