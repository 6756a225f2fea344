"""What handlers need: one typed object in the settings of the web application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_envstore.server.artifact_waits import ArtifactWaits
    from jupyter_envstore.server.change_feed import ChangeFeed
    from jupyter_envstore.server.download_notes import DownloadNotes
    from jupyter_envstore.server.identities import Identities
    from jupyter_envstore.server.image_waits import ImageWaits
    from jupyter_envstore.server.log_feeds import LogFeeds
    from jupyter_envstore.server.registry_address import RegistryAddress
    from jupyter_envstore.server.retention_plan import RetentionPlan
    from jupyter_envstore.server.solver_service import SolverService
    from jupyter_envstore.server.specification_reader import SpecificationReader
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

SETTING = "envstore_context"
"""The key of the context in the settings of the web application."""


@dataclass(frozen=True)
class ServerContext:
    """What handlers need of the application.

    Parameters
    ----------
    api_url : str
        Path of the REST API on this server, with a slash at its end.
    artifact_wait_seconds : float
        How long a download waits for an artifact that is being made, in seconds.
    has_terminals : bool
        Whether people have terminals on this machine, in which they can work with the store's folder.
    """

    access: StoreAccess
    threads: Threads
    identities: Identities
    solver: SolverService
    specifications: SpecificationReader
    artifact_waits: ArtifactWaits
    image_waits: ImageWaits
    log_feeds: LogFeeds
    change_feed: ChangeFeed
    registry: RegistryAddress
    retention_plan: RetentionPlan
    download_notes: DownloadNotes
    api_url: str
    artifact_wait_seconds: float
    has_terminals: bool


def context_of(settings: Mapping[str, Any]) -> ServerContext:
    """Return the context that the settings of a web application hold."""
    found: ServerContext = settings[SETTING]
    return found
