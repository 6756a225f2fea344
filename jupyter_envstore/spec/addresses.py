"""Addresses in specifications: of a kind that is read, and without a password."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

SECRET_QUERY = re.compile(r"(^|&)[\w-]*(token|key|passw|auth|sig|credential|secret)[\w-]*=", re.IGNORECASE)

USUAL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[A-Za-z0-9_+!~=,-][A-Za-z0-9_.+!~=,-]*)+")
"""What has nothing that an address must not have, but for a token in a folder ``t``."""
USUAL_FRAGMENT = re.compile(r"(?:[a-z0-9]+=[A-Za-z0-9_./-]+)?")


def is_usual(url: str) -> bool:
    """Whether an address has nothing that an address must not have, as is seen at once; others are to be checked."""
    address, _, fragment = url.partition("#")
    return bool(USUAL.fullmatch(address) and "/t/" not in address and USUAL_FRAGMENT.fullmatch(fragment))


def check_url(url: str, what: str, allow_local_files: bool = False) -> None:
    """Refuse an address with a password in it, or of a kind that is not read.

    Raises
    ------
    ValueError
        With the reason; a password is never repeated in it.
    """
    if is_usual(url):
        return
    if re.search(r"[\x00-\x1f\x7f]", url):
        msg = f"{what} {shown(url)!r}: an address must hold no line break or control character"
        raise ValueError(msg)
    try:
        parts = urlsplit(url)
        if "[" in parts.netloc:
            ipaddress.IPv6Address((parts.hostname or "").partition("%")[0])  # before Python 3.11.4, nobody looks
    except ValueError:
        msg = f"{what} {shown(url)} is no address: what stands in brackets is none of IPv6"
        raise ValueError(msg) from None
    if parts.username or parts.password:
        msg = (
            f"{what}: an address must hold no password, since specifications are shown to others; "
            f"store it for {parts.hostname} in the keyring, netrc or auth.json of the account that builds"
        )
        raise ValueError(msg)
    if re.search(r"/t/[^/]+(/|$)", parts.path) and parts.scheme != "file":
        msg = f"{what}: an address must hold no token; store it in auth.json or .condarc of the account that builds"
        raise ValueError(msg)
    if re.search(r"(^|/|%2f)(\.|%2e){1,2}(/|%2f|$)|\\|%5c", parts.path, re.IGNORECASE):
        msg = f"{what} {shown(url)}: an address must not step out of its folder ('..', '\\')"
        raise ValueError(msg)
    if re.search(r"%2f[^/]*$", parts.path, re.IGNORECASE):
        msg = f"{what} {shown(url)}: the name of a file must hold no slash ('%2f')"
        raise ValueError(msg)
    if SECRET_QUERY.search(parts.query):
        key = parts.query.split("=")[0]
        msg = f"{what}: an address must hold no key or token (?{key}=), since specifications are shown to others"
        raise ValueError(msg)
    if parts.scheme == "file" and not allow_local_files:
        msg = f"{what} {url}: local files are not allowed on this server (allow_local_files)"
        raise ValueError(msg)
    if parts.scheme not in ("http", "https", "file") or (parts.scheme != "file" and not parts.hostname):
        msg = f"{what} {shown(url)} is not an http or https address"
        raise ValueError(msg)


PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|\$[A-Za-z_]\w+")


def check_filled_in(text: str) -> None:
    """Refuse a text with a place that another program fills in: a template, or a variable of the environment.

    Raises
    ------
    ValueError
        It has one.
    """
    if "{" not in text and "$" not in text:
        return
    found = PLACEHOLDER.search(text)
    if found:
        msg = f"{shown(text)!r} has a place that nothing fills in here ({found[0]}…); write what stands for it"
        raise ValueError(msg)


def file_of(url: str) -> str:
    """Return the name of the file that an address ends in; empty where it ends in none."""
    if USUAL.fullmatch(url):
        return url.rpartition("/")[2]
    try:
        path = urlsplit(url).path
    except ValueError:  # brackets that hold no address of IPv6
        return ""
    return unquote(path.rpartition("/")[2])


SECRET_IN_URL = re.compile(
    r"(?P<before>/t/)[^/\s]+(?=[/\s]|$)|(?P<scheme>://)[^/\s]*@|"
    r"(?P<query>[?&][\w-]*(?:token|key|passw|auth|sig|credential|secret)[\w-]*=)[^&\s]+",
    re.IGNORECASE,
)
CUT_LOGIN = re.compile(r"(://)[^/@\s:\"']+:(?!\d{1,5}(?![^/\s?#\"',;)]))[^/@\s\"']+(?=[\"'\s]|$)")
"""What a login looks like where a text was cut within its password; a number is a port."""
LOGIN = re.compile(r"((?:git\+)?https?://)(?!git@)[^/\s]*@([^/\s?#\"']*)", re.IGNORECASE)
"""A login for a host; ``git@`` is a habit from ssh, and says nothing over https."""
TOKEN = re.compile(r"(https?://([^/\s]+))/t/[^/\s]+(?=/)", re.IGNORECASE)
"""The token of a channel in its address."""


def masked(text: str) -> str:
    """Return a text without the passwords and tokens of addresses in it, as it may be shown.

    >>> masked("x @ git+https://me:secret@host.example/x"), masked("'https://me:sec'"), masked("http://host:8080/")
    ('x @ git+https://***@host.example/x', "'https://***'", 'http://host:8080/')
    """
    return CUT_LOGIN.sub(r"\1***", SECRET_IN_URL.sub(strike_out, text)) if "://" in text else text


def strike_out(match: re.Match[str]) -> str:
    """Return what stands in place of what :data:`SECRET_IN_URL` finds."""
    return "://***@" if match["scheme"] else f"{match['before'] or match['query']}***"


def without_login(text: str) -> tuple[str, list[str]]:
    """Return a text without the logins and tokens of addresses over http, and the hosts that they are for.

    >>> without_login("--index-url https://me:secret@host.example/simple")
    ('--index-url https://host.example/simple', ['host.example'])
    """
    hosts = [found[2] for found in LOGIN.finditer(text)]
    bare = LOGIN.sub(r"\1\2", text)
    hosts += [found[2] for found in TOKEN.finditer(bare)]
    return TOKEN.sub(r"\1", bare), list(dict.fromkeys(hosts))


def shown(text: str) -> str:
    """Return a text for a message: without a login in an address, and not too long."""
    text = masked(text)
    return text if len(text) <= 120 else f"{text[:117]}..."
