"""Links that share an environment: the address of a server's page, and a token behind ``#``.

What stands behind ``#`` is not sent to a server (RFC 3986, 3.5), so the token is in no log of servers and proxies.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jupyter_envstore.errors import InvalidInputError

PAGE = "envstore/shared/"
TOKEN = re.compile(r"[A-Za-z0-9_.~-]{8,256}")


def share_link(root: str, token: str) -> str:
    """Return the link of a token, for a server at ``root``.

    >>> share_link("https://envs.example.org", "a-token-of-ours")
    'https://envs.example.org/envstore/shared/#a-token-of-ours'
    """
    return f"{root.rstrip('/')}/{PAGE}#{token}"


def is_share_link(text: str) -> bool:
    """Whether a text is an address of such a page, and no file."""
    return text.startswith(("http://", "https://")) and f"/{PAGE.rstrip('/')}" in text and len(text.split()) == 1


def read_share_link(text: str) -> tuple[str, str]:
    """Return the address of the store that a link leads to, which ends in ``/envstore``, and its token.

    Raises
    ------
    InvalidInputError
        It is no share link.
    """
    address, _, token = text.strip().partition("#")
    address = address.partition("?")[0]  # what mail programs and chats add
    root, page, rest = address.rstrip("/").rpartition(f"/{PAGE.rstrip('/')}")
    try:
        parts = urlsplit(root)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_address = False
    if not page or rest or not is_address or parts.query or not TOKEN.fullmatch(token):
        example = "https://envs.example.org/envstore/shared/#TOKEN"
        msg = f"this is no share link: one looks like {example}; write it in quotes in a shell"
        raise InvalidInputError(msg)
    return f"{root}/envstore", token
