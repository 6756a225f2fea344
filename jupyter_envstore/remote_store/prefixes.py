"""Environments of a store elsewhere as folders: there, and brought to this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jupyter_envstore.errors import ConflictError, InvalidInputError
from jupyter_envstore.remote.brought import DIGEST
from jupyter_envstore.remote.kernel_build import mounted_prefix
from jupyter_envstore.remote_store.builds import Builds
from jupyter_envstore.remote_store.connection import StoreConnection, path_of

if TYPE_CHECKING:
    from jupyter_envstore.remote.kernel_build import KernelBuild
    from jupyter_envstore.services.values import BuildRef, RestoreSources

Bring = Callable[[str, "BuildRef"], Path]
"""Returns the prefix of the build with a record (SHA-256) on this machine; it is brought first, unless it is there."""


class Prefixes:
    """The environments on disks, one for each build.

    Parameters
    ----------
    connection : StoreConnection
        The store.
    builds : Builds
        Its builds.
    bring : callable
        What brings an environment to this machine.
    """

    def __init__(self, connection: StoreConnection, builds: Builds, bring: Bring) -> None:
        self._connection = connection
        self._builds = builds
        self._bring = bring

    def path(self, build_id: int) -> Path:
        """Return the prefix of a build on this machine: mounted, or brought to it.

        Raises
        ------
        ConflictError
            It never completed.
        BuildFailedError
            It cannot be brought.
        """
        told = self._connection.get(path_of("build", build_id))
        for row in self._kernel_builds(told["environment_id"]):
            prefix = mounted_prefix(row)
            if row["build_id"] == build_id and prefix is not None:
                return prefix
        digest = str(self._connection.get(path_of("build", build_id, "bond"))["record"]).removeprefix("sha256:")
        if not DIGEST.fullmatch(digest):
            msg = f"the store tells no record of build {build_id}"
            raise ConflictError(msg)
        return self._bring(digest, self._builds.reference(build_id))

    def _kernel_builds(self, environment_id: int) -> list[KernelBuild]:
        return cast("list[KernelBuild]", self._connection.get("kernel/", environment_id=environment_id))

    def check_packed_away(self, build_id: int) -> None:
        """Make sure that a build can be restored: it was completed once, and its prefix was removed.

        Raises
        ------
        ConflictError
            It never completed, or its prefix is there.
        """
        told = self._connection.get(path_of("build", build_id))
        if not told["packed_away"]:
            name = f"{told['namespace']}/{told['environment']}:{told['number']}"
            done = told["status"] == "COMPLETED"
            msg = f"build {name} is not packed away: it is there" if done else f"build {name} is {told['status']}"
            raise ConflictError(msg)

    def restore_sources(self, build_id: int) -> RestoreSources:
        """Return where each package would come from, and the files that are to be had nowhere."""
        told = self._connection.get(path_of("build", build_id, "restore"))
        return cast("RestoreSources", {"not_looked_for": [], **told})  # stores of an older version do not tell

    def restore(self, build_id: int, who: str = "") -> None:
        """Bring the prefix of an old build back from its record, in the store.

        Raises
        ------
        ConflictError
            As :meth:`check_packed_away`.
        """
        del who
        self._connection.send("POST", path_of("build", build_id, "restore"))

    def offer_kernels(self, build_id: int) -> None:
        """Refuse it: a server that is a client of a store offers them once it runs and is asked.

        Raises
        ------
        InvalidInputError
            Always.
        """
        told = self._connection.get(path_of("build", build_id))
        place = f"{told['namespace']}/{told['environment']}"
        msg = (
            f"{place}:{told['number']} is not the active build; of a store elsewhere, a JupyterLab that runs already "
            "offers its kernel: start one that shows this folder first, or use run-notebook"
        )
        raise InvalidInputError(msg)

    def pin(self, build_id: int, pinned: bool, who: str = "") -> None:
        """Keep the prefix of a build for good, or let the retention settings decide again.

        Raises
        ------
        ConflictError
            It never completed, so there is nothing to keep.
        """
        del who
        self._connection.send("PUT", path_of("build", build_id, "pin"), {"pinned": pinned})
