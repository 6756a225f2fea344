"""What a server answers whose configuration of the store cannot be used: the reason, to whoever is logged in."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.errors import AuthenticationError, StoreUnavailableError
from jupyter_envstore.server.json_handler import JsonHandler
from jupyter_envstore.server.routes import PREFIXES


class UnusableHandler(JsonHandler):
    """Answers every request with the reason."""

    def initialize(self, reason: str) -> None:  # type: ignore[override]
        """Begin with the reason."""
        super().initialize()
        self.reason = reason

    async def get(self, _path: str = "") -> None:
        """Say it."""
        if self.current_user is None:
            msg = "log in, or send a token"
            raise AuthenticationError(msg)
        raise StoreUnavailableError(self.reason)

    head = post = put = delete = get


def unusable_routes(reason: str) -> list[tuple[Any, ...]]:
    """Return the routes, below the server's base URL."""
    return [(rf"/{prefix}(/.*)?", UnusableHandler, {"reason": reason}) for prefix in PREFIXES]
