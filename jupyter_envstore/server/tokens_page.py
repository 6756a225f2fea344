"""A page on which people make, copy and revoke their tokens, without JupyterLab."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.template import Template


@cache
def template() -> Template:
    """Return the page; everything that is put into it is escaped."""
    return Template((Path(__file__).parent / "tokens.html").read_text(encoding="utf-8"))


class TokensPageHandler(JupyterHandler):
    """``envstore/tokens``"""

    auth_resource = "envstore"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show the page."""
        self.xsrf_token  # noqa: B018 - sets the cookie that the page sends back
        api = url_path_join(self.base_url, "envstore/api/v1/")
        send_page(self, template(), api=api, host=self.request.host, base_url=self.base_url)


def send_page(handler: JupyterHandler, page: Template, **values: str) -> None:
    """Send a page whose only scripts and styles are its own."""
    nonce = secrets.token_urlsafe(16)
    handler.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    )
    handler.set_header("Cache-Control", "no-store")
    handler.finish(page.generate(nonce=nonce, **values))
