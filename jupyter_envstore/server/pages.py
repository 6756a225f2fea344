"""Pages of the server's own, for people without JupyterLab."""

from __future__ import annotations

import secrets
from functools import cache
from http.client import responses
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.template import Loader
from tornado.web import HTTPError

from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.server.request_summaries import request_summary

NO_LOGIN = "nobody logs in here: programs send a token, which an admin of the store gives"


@cache
def _templates() -> Loader:
    """Return the pages; everything that is put into them is escaped."""
    return Loader(str(Path(__file__).parent))


class PageHandler(JupyterHandler):
    """Base of the pages: in a Jupyter server its errors look like Jupyter's, elsewhere they are plain."""

    def get_login_url(self) -> str:
        """Return the page to log in at.

        Raises
        ------
        HTTPError
            There is none.
        """
        return login_url_of(self)

    def _request_summary(self) -> str:
        return request_summary(self)

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """Log what was unforeseen."""
        if not isinstance(value, EnvStoreError):
            super().log_exception(kind, value, trace)

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Render an error."""
        if "jinja2_env" in self.settings:
            super().write_error(status_code, **keywords)
            return
        self.finish(error_page_of(self, status_code, keywords.get("exc_info", (None, None))[1]))


class MissingPageHandler(PageHandler):
    """Answers what no route does."""

    @allow_unauthenticated
    async def prepare(self) -> None:  # type: ignore[override]
        """Say so, whoever asks."""
        self.write_error(404)


def login_url_of(handler: JupyterHandler) -> str:
    """Return the page to log in at.

    Raises
    ------
    HTTPError
        There is none.
    """
    if "login_url" not in handler.settings:
        raise HTTPError(403, NO_LOGIN)
    return str(handler.settings["login_url"])


def error_page_of(handler: JupyterHandler, status_code: int, error: object) -> bytes:
    """Set status and headers of a page that tells of an error; return the page."""
    if isinstance(error, EnvStoreError):
        status_code, reason = error.status, str(error)
    else:
        reason = str(getattr(error, "log_message", None) or responses.get(status_code, "error"))
    handler.set_status(status_code)
    return page_of(handler, "error.html", status=status_code, reason=reason)


def send_page(handler: JupyterHandler, name: str) -> None:
    """Send a page of this package."""
    handler.finish(page_of(handler, name))


def page_of(handler: JupyterHandler, template: str, **values: object) -> bytes:
    """Return a page of this package, whose only scripts and styles are its own, and set its headers."""
    nonce = secrets.token_urlsafe(16)
    handler.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    )
    handler.set_header("Cache-Control", "no-store")
    api = url_path_join(handler.base_url, "envstore/api/v1/")
    host, base_url = handler.request.host, handler.base_url
    common = {
        "api": api,
        "base_url": base_url,
        "host": host,
        "login_available": handler.identity_provider.login_available,
        "nonce": nonce,
        "scheme": handler.request.protocol,
    }
    return _templates().load(template).generate(**common, **values)
