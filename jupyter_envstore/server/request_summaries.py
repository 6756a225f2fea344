"""What logs say of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tornado.web import RequestHandler


def request_summary(handler: RequestHandler) -> str:
    """Return method, path and sender of a request: without its query, which may hold a token."""
    request = handler.request
    return f"{request.method} {request.path} ({request.remote_ip})"
