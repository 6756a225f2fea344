"""A page that shows the environment of a share link, without JupyterLab and without a login."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.template import Template

from jupyter_envstore.server.tokens_page import send_page


@cache
def template() -> Template:
    """Return the page; everything that is put into it is escaped."""
    return Template((Path(__file__).parent / "shared.html").read_text(encoding="utf-8"))


class SharedPageHandler(JupyterHandler):
    """``envstore/shared/``: the page holds nothing; it asks the server with the token that stands behind ``#``."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Show the page."""
        self.set_header("Referrer-Policy", "no-referrer")
        send_page(self, template(), api=url_path_join(self.base_url, "envstore/api/v1/"), host=self.request.host)
