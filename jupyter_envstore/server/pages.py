"""Pages of the server's own, for people without JupyterLab."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.template import Template


@cache
def _template(name: str) -> Template:
    """Return a page; everything that is put into it is escaped."""
    return Template((Path(__file__).parent / name).read_text(encoding="utf-8"))


def send_page(handler: JupyterHandler, name: str) -> None:
    """Send a page of this package, whose only scripts and styles are its own."""
    nonce = secrets.token_urlsafe(16)
    handler.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    )
    handler.set_header("Cache-Control", "no-store")
    api = url_path_join(handler.base_url, "envstore/api/v1/")
    host, base_url = handler.request.host, handler.base_url
    handler.finish(_template(name).generate(api=api, nonce=nonce, host=host, base_url=base_url))
