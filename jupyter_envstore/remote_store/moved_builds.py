"""Builds that are sent to a store elsewhere, by their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_envstore.remote_store.builds import Builds
from jupyter_envstore.remote_store.connection import StoreConnection, path_of

if TYPE_CHECKING:
    from jupyter_envstore.services.values import BuildRef, MovedBuild


class MovedBuilds:
    """Builds of other stores."""

    def __init__(self, connection: StoreConnection, builds: Builds) -> None:
        self._connection = connection
        self._builds = builds

    def add(
        self, metadata: object, target: tuple[str, str], who: str, accepted: Sequence[str], moved: MovedBuild
    ) -> BuildRef:
        """Add a build of another store to an environment, behind those that it has; one that is there stays alone.

        Raises
        ------
        EnvStoreError
            As :meth:`jupyter_envstore.services.moved_builds.MovedBuilds.add`.
        """
        del who
        body = {
            "envstore": metadata,
            "accept": list(accepted),
            "built_on": moved.built_on,
            "later": moved.later,
            "active": moved.is_active,
            "specification": moved.text,
        }
        told = self._connection.send("POST", path_of("environment", *target, "record"), body)
        return replace(self._builds.reference(told["build_id"]), is_new=bool(told["is_new"]))
