"""Packages that contain a module which a notebook lacks: the keys of the answer's JSON."""

from __future__ import annotations

from typing import Literal, TypedDict


class ModuleProvider(TypedDict):
    """A package that has a module.

    ``manager`` is ``conda`` or ``pip``. ``source`` tells how that is known: from the ``contents`` of a package in this
    store; from a list of ``known`` names; or by the ``convention`` that conda-forge's packages of R begin with ``r-``.
    ``places`` are environments that have it, as ``namespace/name``.
    """

    package: str
    manager: Literal["conda", "pip"]
    source: Literal["contents", "known", "convention"]
    places: list[str]
