"""Environments for servers elsewhere that make kernels of them."""

from __future__ import annotations

from collections.abc import Collection

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_builds import RecordedEnvironment, recorded_builds, recorded_environments
from jupyter_envstore.database.connection import Database
from jupyter_envstore.engine.kernel_packages import KERNELS, known_kernels
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.remote.kernel_build import KernelBuild


class KernelBuilds:
    """The active builds, with what a server elsewhere needs to offer and to bring them."""

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self._config = config
        self._database = database

    def active(self, identity: Identity, environments: Collection[int] | None = None) -> list[KernelBuild]:
        """Return the active build of each environment that ``identity`` may read.

        Parameters
        ----------
        environments : collection of int or None
            Ids of the environments; None for all.
        """
        with self._database.read() as session:
            found = recorded_environments(session, KERNELS, environments)
        return [self._view(row) for row in found if identity.may("environment::read", row.namespace, row.name)]

    def named(self, identity: Identity, builds: Collection[int]) -> list[KernelBuild]:
        """Return builds by their ids, active or not, of those that ``identity`` may read."""
        with self._database.read() as session:
            found = recorded_builds(session, KERNELS, builds)
        return [self._view(row) for row in found if identity.may("environment::read", row.namespace, row.name)]

    def _view(self, row: RecordedEnvironment) -> KernelBuild:
        is_shared = self._config.share_prefixes and row.present
        return {
            "environment_id": row.environment_id,
            "namespace": row.namespace,
            "environment": row.name,
            "build_id": row.build_id,
            "number": row.number,
            "active": row.active,
            "record": f"sha256:{row.record_digest}",
            "prefix": str(self._config.builds / row.directory) if is_shared else None,
            "kernels": [
                {"name": kernel.name, "label": kernel.label, "language": kernel.language}
                for kernel in known_kernels(row.packages)
            ],
        }
