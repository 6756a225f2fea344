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


def is_address(text: str) -> bool:
    """Whether a text begins as an address does, so that it is no file."""
    return _stripped(text).startswith(("http://", "https://"))


def _stripped(text: str) -> str:
    """Return a text without what surrounds an address that was copied: a byte order mark, blanks, ``<`` and ``>``."""
    return text.lstrip("\ufeff").strip(" \t\r\n<>")


def read_share_link(text: str) -> tuple[str, str]:
    """Return the address of the store that a link leads to, which ends in ``/envstore``, and its token.

    Raises
    ------
    InvalidInputError
        It is no share link.
    """
    address, _, rest = _stripped(text).partition("#")
    address = address.partition("?")[0]  # what mail programs and chats add, here and behind the token
    found = TOKEN.match(rest)
    token, behind = (found[0], rest[found.end() :]) if found else ("", "")
    root, page, below = address.rstrip("/").rpartition(f"/{PAGE.rstrip('/')}")
    try:
        parts = urlsplit(root)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_web = False
    if not page or below or not is_web or not token or behind[:1] not in ("", "?", "&", "%"):
        example = "https://envs.example.org/envstore/shared/#TOKEN"
        msg = f"this is no share link: one looks like {example}; write it in quotes in a shell"
        raise InvalidInputError(msg)
    return f"{root}/envstore", token
