"""Questions to the process that solves, searches and reads large texts, and its answers: the keys of their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from jupyter_envstore.spec.converting.draft import OfferValues
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.repaired import RepairedValues
from jupyter_envstore.spec.specification import SpecificationValues


class ChannelsOptional(TypedDict, total=False):
    """Private addresses that may be asked, where no others may; without the key, all may."""

    allowed_addresses: list[str]


class ChannelsQuestion(ChannelsOptional):
    """What every question to channels has.

    ``channels`` are named as in a specification; ``alias``, ``defaults`` and ``default_channels`` say what that means
    (:class:`~jupyter_envstore.engine.channels.ChannelPolicy`). Without ``platforms`` it is about this machine's own.
    ``cache`` is the folder of the indexes.
    """

    channels: list[str]
    platforms: list[str]
    alias: str
    defaults: str
    default_channels: list[str]
    cache: str


class SolveQuestion(ChannelsQuestion):
    """Which packages satisfy ``specs`` (:class:`~jupyter_envstore.engine.solve.SolveOptions` has the rest)."""

    do: Literal["solve"]
    specs: list[str]
    timeout: float
    kept_only: bool
    exclude_newer: str
    system_requirements: dict[str, str]
    any_channel: bool


class SearchQuestion(ChannelsQuestion):
    """Which versions a package has, or which names a pattern matches; of the first ``versions_of`` names, versions."""

    do: Literal["search"]
    package: str
    versions_of: int


class NewestQuestion(ChannelsQuestion):
    """Which package of each name is the newest."""

    do: Literal["newest"]
    names: list[str]


class ReadQuestion(TypedDict):
    """What a specification says; ``named`` where the environment has another name than the one in the text."""

    do: Literal["read"]
    text: str
    allow_local_files: bool
    named: bool


class EditQuestion(TypedDict):
    """What a text is with packages added and removed."""

    do: Literal["edit"]
    text: str
    add: list[str]
    remove: list[str]


class PickValues(TypedDict):
    """What is taken of a file (:class:`~jupyter_envstore.spec.converting.draft.Pick`)."""

    environment: str
    categories: Sequence[str]


class RepairQuestion(TypedDict):
    """What a file of any kind becomes (:func:`~jupyter_envstore.spec.repair.repair`), and what that says."""

    do: Literal["repair"]
    text: str
    file_name: str
    defaults: str
    keep: list[str]
    pick: PickValues
    allow_local_files: bool


TextQuestion = ReadQuestion | EditQuestion | RepairQuestion
Question = SolveQuestion | SearchQuestion | NewestQuestion | TextQuestion


class SearchAnswer(TypedDict):
    """Packages that were found, and how many seconds it took; where names were asked for, all else is empty."""

    packages: list[CondaEntry]
    seconds: float


class SolveAnswer(TypedDict):
    """Packages of a solution, for which platform, and since when the indexes are kept where no channel was asked."""

    packages: list[CondaEntry]
    seconds: float
    platform: str
    index_from: str | None


class FaultValues(TypedDict):
    """A :class:`~jupyter_envstore.errors.Fault`."""

    message: str
    line: int | None
    field: str


class TextAnswer(TypedDict, total=False):
    """What came of a text.

    ``text`` is the edited one; ``repaired`` what a repair made of it. There is either ``specification`` with ``notes``,
    or ``faults``; with ``offer`` the fault is in the choice of what is taken of the file.
    """

    text: str
    repaired: RepairedValues
    specification: SpecificationValues
    notes: list[str]
    faults: list[FaultValues]
    offer: OfferValues


class Failure(TypedDict):
    """An error; ``kind`` is the name of its class in :mod:`jupyter_envstore.errors`."""

    error: str
    kind: str
    suggestions: Mapping[str, Sequence[str]]
    last_index: str | None


Answer = SolveAnswer | SearchAnswer | TextAnswer
