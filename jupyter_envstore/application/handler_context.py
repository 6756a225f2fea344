"""What handlers are given, put together from the configuration: for the extension and the service alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.utils import url_path_join

from jupyter_envstore.server.artifact_waits import ArtifactWaits
from jupyter_envstore.server.change_feed import ChangeFeed
from jupyter_envstore.server.context import ServerContext
from jupyter_envstore.server.download_notes import DownloadNotes
from jupyter_envstore.server.identities import Identities
from jupyter_envstore.server.image_waits import ImageWaits
from jupyter_envstore.server.log_feeds import LogFeeds
from jupyter_envstore.server.registry_address import RegistryAddress
from jupyter_envstore.server.retention_plan import RetentionPlan
from jupyter_envstore.server.solver_service import SolverService
from jupyter_envstore.server.specification_reader import SpecificationReader

if TYPE_CHECKING:
    import logging
    import threading

    from jupyter_envstore.application.serving_configuration import ServingTraits
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads


def make_context(
    traits: ServingTraits,
    access: StoreAccess,
    threads: Threads,
    ending: threading.Event,
    base_url: str,
    log: logging.Logger,
    has_terminals: bool = True,
) -> ServerContext:
    """Return what handlers are given.

    Parameters
    ----------
    traits : ServingTraits
        The configuration.
    ending : threading.Event
        Set when the server ends.
    base_url : str
        Where the server stands on its host, with slashes around it.
    has_terminals : bool
        As in :class:`~jupyter_envstore.server.context.ServerContext`.
    """
    artifact_waits = ArtifactWaits(access, threads)
    return ServerContext(
        access=access,
        threads=threads,
        identities=Identities(access, threads, traits.identity_mapper),
        solver=SolverService(access, threads, ending),
        specifications=SpecificationReader(access, threads, ending),
        artifact_waits=artifact_waits,
        image_waits=ImageWaits(access, threads, artifact_waits),
        log_feeds=LogFeeds(access, threads, log),
        change_feed=ChangeFeed(),
        registry=RegistryAddress(traits.registry_options(), base_url),
        retention_plan=RetentionPlan(access, threads),
        download_notes=DownloadNotes(),
        api_url=url_path_join(base_url, "envstore/api/v1/"),
        artifact_wait_seconds=traits.artifact_wait_seconds,
        has_terminals=has_terminals,
    )
