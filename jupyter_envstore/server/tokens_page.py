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
        nonce = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
        )
        self.set_header("Cache-Control", "no-store")
        self.xsrf_token  # noqa: B018 - sets the cookie that the page sends back
        api = url_path_join(self.base_url, "envstore/api/v1/")
        self.finish(template().generate(api=api, nonce=nonce, host=self.request.host, base_url=self.base_url))
