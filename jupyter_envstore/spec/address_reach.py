"""From where an address can be reached: anywhere, within one network, or on this machine alone."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

Reach = Literal["anywhere", "private", "here"]
ORDER: tuple[Reach, ...] = ("anywhere", "private", "here")
PRIVATE_ENDINGS = (
    ".corp", ".home", ".home.arpa", ".internal", ".intranet", ".lan", ".local", ".localdomain", ".private"
)  # fmt: skip
"""What names of hosts that no public server of names knows end in (RFC 6762, appendix G; RFC 8375; ICANN on
``.internal``)."""
STORAGE = ("s3", "gcs", "gs", "azblob", "abfs")
"""Schemes whose host is the name of a bucket."""


def reach_of(address: str) -> Reach:
    """Return from where the address of a channel, an index or a file can be reached.

    >>> reach_of("https://conda.anaconda.org/conda-forge"), reach_of("file:///srv/channel"), reach_of("http://mirror/c")
    ('anywhere', 'here', 'private')
    """
    scheme, separator, _ = address.removeprefix("git+").partition("://")
    if not separator:
        return "anywhere" if re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", address) else "here"  # a channel's name, or a path
    if scheme.lower() == "file":
        return "here"
    if scheme.lower() in STORAGE:
        return "anywhere"
    try:
        host = (urlsplit(address.removeprefix("git+")).hostname or "").rstrip(".").lower()
    except ValueError:
        return "anywhere"
    return _reach_of_host(host)


def worst_reach(addresses: Iterable[str]) -> Reach:
    """Return from where all addresses can be reached."""
    return max((reach_of(address) for address in addresses), key=ORDER.index, default="anywhere")


def _reach_of_host(host: str) -> Reach:
    if host == "localhost" or host.endswith(".localhost"):
        return "here"
    number = _number_of(host)
    if number is not None:
        if number.is_loopback or number.is_unspecified:
            return "here"
        return "anywhere" if number.is_global else "private"
    return "private" if "." not in host or host.endswith(PRIVATE_ENDINGS) else "anywhere"


def _number_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a host is given by, in any of the forms that are taken (``127.1``, ``0x7f000001``)."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not re.fullmatch(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", host):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
