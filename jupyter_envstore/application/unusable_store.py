"""In the place of a store that cannot be served, because of the configuration."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.errors import StoreUnavailableError
from jupyter_envstore.server.unusable import unusable_routes


class UnusableStore:
    """Says why there is no store; the server does everything else that it does.

    Parameters
    ----------
    reason : str
        What is wrong with the configuration.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    @property
    def routes(self) -> list[tuple[Any, ...]]:
        """What is served, below the server's base URL."""
        return unusable_routes(self._reason)

    def begin(self) -> None:
        """Begin nothing."""

    async def ready(self) -> None:
        """Say that it never is.

        Raises
        ------
        StoreUnavailableError
            Always.
        """
        raise StoreUnavailableError(self._reason)

    async def stop(self) -> None:
        """End nothing."""
