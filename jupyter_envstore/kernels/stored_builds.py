"""Builds of a store of this machine, as kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.database.active_builds import active_builds, other_builds, packages_among
from jupyter_envstore.database.connection import Database
from jupyter_envstore.engine.kernel_packages import KERNELS
from jupyter_envstore.kernels.late_kernels import late_kernels, write_configuration


class StoredBuilds:
    """The builds of a store, for its kernels."""

    brings_others = False
    why_none = "its active build is packed away; restore it"

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self._config = config
        self._database = database

    def find(self, others: Sequence[int]) -> tuple[list[ActiveBuild], list[ActiveBuild]]:
        """Return the active builds of all environments, and those of ``others`` (ids) that are there, not active."""
        with self._database.read() as session:
            return active_builds(session), other_builds(session, others) if others else []

    def kind(self, build: ActiveBuild) -> str:
        """Return nothing: its kernelspecs depend on where its files are alone."""
        del build
        return ""

    def late(self, build: ActiveBuild) -> Mapping[str, dict[str, Any]]:
        """Return the kernelspecs of a build that is not on the disk."""
        with self._database.read() as session:
            packages = packages_among(session, build.build_id or 0, KERNELS)
        write_configuration(self._config)
        return late_kernels(self._config.root, build, packages)
