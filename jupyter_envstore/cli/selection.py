"""Environments that people name on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from jupyter_envstore.errors import NotFoundError

T = TypeVar("T")


def chosen(found: Mapping[str, T], names: Sequence[str]) -> list[T]:
    """Return the environments that are named by ``NAMESPACE`` or ``NAMESPACE/NAME``; all where nothing is.

    Parameters
    ----------
    found : mapping
        Environments by ``NAMESPACE/NAME``.

    Raises
    ------
    NotFoundError
        A name is that of none.
    """
    if not names:
        return list(found.values())
    kept: dict[str, T] = {}
    for name in names:
        key = name.strip("/").lower()
        fitting = {
            place: each
            for place, each in found.items()
            if place.lower() == key or ("/" not in key and place.lower().startswith(f"{key}/"))
        }
        if not fitting:
            msg = f"there is no environment {name}" if "/" in key else f"there is no environment in namespace {name}"
            raise NotFoundError(msg)
        kept |= fitting
    return list(kept.values())
