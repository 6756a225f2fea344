"""Package indexes (PEP 503), and which files are theirs."""

from __future__ import annotations

from collections.abc import Iterable


def is_of_index(url: str, index: str) -> bool:
    """Whether an address is that of an index or lies below it, as its files do.

    Most indexes are a folder ``simple`` (devpi: ``+simple``) beside the folder of their files; so what lies beside it
    is theirs, too, unless it is the whole host. What an index lists elsewhere is not known without asking it.

    >>> is_of_index("https://host.example/team/packages/a-1.whl", "https://host.example/team/simple/")
    True
    >>> is_of_index("https://host.example/other/packages/a-1.whl", "https://host.example/team/simple")
    False
    >>> is_of_index("https://host.example/other/a-1.whl", "https://host.example/simple")
    False
    """
    base = index.rstrip("/")
    parent, _, last = base.rpartition("/")
    if last in ("simple", "+simple") and parent.count("/") >= 3:
        base = parent
    return url.rstrip("/") == base or url.startswith(f"{base}/")


def is_of_any(url: str, indexes: Iterable[str]) -> bool:
    """Whether an address belongs to one of some indexes."""
    return any(is_of_index(url, index) for index in indexes)
