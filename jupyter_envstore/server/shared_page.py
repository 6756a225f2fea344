"""A page that shows the environment of a share link, without JupyterLab and without a login."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_envstore.server.pages import PageHandler, send_page


class SharedPageHandler(PageHandler):
    """``envstore/shared/``: the page holds nothing; it asks the server with the token that stands behind ``#``."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Show the page."""
        self.set_header("Referrer-Policy", "no-referrer")
        send_page(self, "shared.html")
