"""The first page of a store that runs alone."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_envstore.server.pages import PageHandler, send_page


class StartPageHandler(PageHandler):
    """``envstore/``: what this is, and the way to use it. It tells nothing of what is in the store."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Show the page."""
        send_page(self, "start.html")
