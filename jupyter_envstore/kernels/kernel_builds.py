"""Where kernelspecs come from: which builds have kernels, and how a kernel begins that is not on the disk yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jupyter_envstore.database.active_build import ActiveBuild


class KernelBuilds(Protocol):
    """The builds that a server offers as kernels."""

    @property
    def why_none(self) -> str:
        """Why a build that is not on the disk has no kernel."""

    @property
    def brings_others(self) -> bool:
        """Whether a build that is neither active nor on the disk can have kernels, too."""

    def find(self, others: Sequence[int]) -> tuple[list[ActiveBuild], list[ActiveBuild]]:
        """Return the active builds of all environments, and those of ``others`` (ids) that are there, not active."""

    def kind(self, build: ActiveBuild) -> str:
        """Return what else the kernelspecs of a build depend on; they are written anew where it changes."""

    def late(self, build: ActiveBuild) -> Mapping[str, dict[str, Any]]:
        """Return the kernelspecs of a build that is not on the disk, by the names that packages give to them."""
