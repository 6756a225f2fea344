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
from tornado.template import Template
from tornado.web import HTTPError

from jupyter_envstore.errors import EnvStoreError

NO_LOGIN = "nobody logs in here: programs send a token, which an admin of the store gives"


@cache
def _template(name: str) -> Template:
    """Return a page; everything that is put into it is escaped."""
    return Template((Path(__file__).parent / name).read_text(encoding="utf-8"))


class PageHandler(JupyterHandler):
    """Base of the pages: in a Jupyter server its errors look like Jupyter's, elsewhere they are plain."""

    def get_login_url(self) -> str:
        """Return the page to log in at.

        Raises
        ------
        HTTPError
            There is none.
        """
        if "login_url" not in self.settings:
            raise HTTPError(403, NO_LOGIN)
        return super().get_login_url()

    def _request_summary(self) -> str:
        """Return what logs say of a request: without its query, which may hold a token."""
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """Log what was unforeseen."""
        if not isinstance(value, EnvStoreError):
            super().log_exception(kind, value, trace)

    def write_error(self, status_code: int, **keywords: Any) -> None:
        """Render an error."""
        if "jinja2_env" in self.settings:
            super().write_error(status_code, **keywords)
            return
        error = keywords.get("exc_info", (None, None))[1]
        if isinstance(error, EnvStoreError):
            status_code, reason = error.status, str(error)
            self.set_status(status_code)
        else:
            reason = getattr(error, "log_message", None) or responses.get(status_code, "error")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        found = _template("error.html").generate(status=status_code, reason=str(reason), base_url=self.base_url)
        self.finish(found)


class MissingPageHandler(PageHandler):
    """Answers what no route does."""

    @allow_unauthenticated
    async def prepare(self) -> None:  # type: ignore[override]
        """Say so, whoever asks."""
        self.set_status(404)
        self.write_error(404)


def send_page(handler: JupyterHandler, name: str) -> None:
    """Send a page of this package, whose only scripts and styles are its own."""
    nonce = secrets.token_urlsafe(16)
    handler.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    )
    handler.set_header("Cache-Control", "no-store")
    api = url_path_join(handler.base_url, "envstore/api/v1/")
    host, base_url = handler.request.host, handler.base_url
    values = {
        "api": api,
        "base_url": base_url,
        "host": host,
        "login_available": handler.identity_provider.login_available,
        "nonce": nonce,
        "scheme": handler.request.protocol,
    }
    handler.finish(_template(name).generate(**values))
