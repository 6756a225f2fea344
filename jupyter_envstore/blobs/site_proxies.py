"""The proxies of the site, for requests to the bucket: the environment of workers names the checked network instead."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

_kept: Mapping[str, str] | None = None


def keep_proxies() -> None:
    """Keep the proxies that the environment names now: the bucket is the admin's word, and no address of a user."""
    global _kept
    _kept = getproxies()


def proxies_for(endpoint: str) -> dict[str, str] | None:
    """Return the proxies for an endpoint as they were kept; None where nobody kept any: then the environment holds."""
    if _kept is None:
        return None
    host = urlsplit(endpoint).hostname or ""
    if host and proxy_bypass_environment(host, {"no": _kept.get("no", "")}):
        return {}
    return {kind: url for kind, url in _kept.items() if kind in ("http", "https")}
