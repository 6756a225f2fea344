"""How workers of a cluster are reached, and what they have of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError

DASK = "dask"
"""Name of the executor, and kind of its handles."""
NODE_FIELDS = ("blob_cache_gigabytes", "constructor", "docker_base_image", "sandbox", "sandbox_reads")
"""What a machine of the cluster may have otherwise than the server."""


@dataclass(frozen=True)
class ClusterOptions:
    """What ``executor_options`` says of a Dask cluster.

    Parameters
    ----------
    address : str
        Where its scheduler is, such as ``tcp://scheduler:8786``.
    cluster_class : str
        In place of an address: a class that makes a cluster, such as ``dask_jobqueue.SLURMCluster``.
    cluster_arguments : dict
        What it is made with.
    minimum, maximum : int
        Bounds between which the cluster is scaled; a ``maximum`` of 0 leaves it as it is made.
    place_seconds : float
        How long such a cluster waits for a worker that it asked for, before it asks for another; 0 for as long as it
        takes. A worker that still waits in a queue of the site loses its turn then.
    worker_root_dir : str
        Folder of each worker for caches and unfinished things; ``~`` and ``$VARIABLES`` are those of the worker. Empty
        if the workers have the server's ``root_dir``, by a shared file system.
    worker_cache_gigabytes : float
        How much the package caches in such a folder may hold; 0 for no limit.
    worker_settings : dict
        What workers have otherwise than the server: :data:`NODE_FIELDS`.
    previews : bool
        Whether previews and searches are answered by workers, too, where one is free.
    resources : dict
        Dask's resources that each job takes.
    security : dict
        What Dask's ``Security`` is made with, for TLS.
    send_credentials : bool
        Whether ``database_url`` and ``blob_options`` are sent to the workers. Otherwise they have them in their
        variables ``ENVSTORE_DATABASE_URL`` and ``ENVSTORE_BLOB_OPTIONS`` (JSON).
    """

    address: str = ""
    cluster_class: str = ""
    cluster_arguments: dict[str, Any] = field(default_factory=dict)
    minimum: int = 0
    maximum: int = 0
    place_seconds: float = 1800.0
    worker_root_dir: str = ""
    worker_cache_gigabytes: float = 20.0
    worker_settings: dict[str, Any] = field(default_factory=dict)
    previews: bool = False
    resources: dict[str, float] = field(default_factory=dict)
    security: dict[str, Any] = field(default_factory=dict, repr=False)
    send_credentials: bool = True

    @classmethod
    def of(cls, config: StoreConfig) -> ClusterOptions:
        """Return the options of a configuration.

        Raises
        ------
        InvalidInputError
            One is not known or missing; or workers with folders of their own could not reach the store.
        """
        given = config.executor_options
        _check_keys(given, [known.name for known in fields(cls)], "executor_options")
        found = cls(**given)
        _check_keys(found.worker_settings, NODE_FIELDS, "executor_options['worker_settings']")
        if bool(found.address) == bool(found.cluster_class):
            msg = "executor_options must name either the address of a Dask scheduler or a cluster_class"
            raise InvalidInputError(msg)
        if found.cluster_class and found.security:
            msg = (
                "executor_options['security'] is for a scheduler at an address; a cluster_class takes it in "
                "cluster_arguments, for example {'security': True}"
            )
            raise InvalidInputError(msg)
        if found.worker_root_dir and not (config.database_url.startswith("postgres") and config.blob_url):
            msg = (
                "workers with a folder of their own (worker_root_dir) need database_url with PostgreSQL, and blob_url: "
                "how else should they reach the store?"
            )
            raise InvalidInputError(msg)
        return found

    def for_workers(self, config: StoreConfig) -> StoreConfig:
        """Return the configuration that is sent to workers."""
        values: dict[str, Any] = {"hand_on": False, "executor_options": {}, **self.worker_settings}
        if not self.send_credentials:
            values |= {"database_url": "", "blob_options": {}}
        if self.worker_root_dir:
            own = {"root_dir": self.worker_root_dir, "package_cache_gigabytes": self.worker_cache_gigabytes}
            values |= {**own, "at_home": False}
        return replace(config, **values)


def _check_keys(given: Mapping[str, Any], known: tuple[str, ...] | list[str], what: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        msg = f"{what} has {', '.join(unknown)}, which is not known; known: {', '.join(known)}"
        raise InvalidInputError(msg)
