"""A page on which people make, copy and revoke their tokens, without JupyterLab."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from jupyter_envstore.server.pages import PageHandler, send_page


class TokensPageHandler(PageHandler):
    """``envstore/tokens``"""

    auth_resource = "envstore"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show the page."""
        self.xsrf_token  # noqa: B018 - sets the cookie that the page sends back
        send_page(self, "tokens.html")
