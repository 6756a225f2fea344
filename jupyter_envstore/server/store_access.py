"""The store as handlers reach it: it opens while the server runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.policy.access import AccessRules
    from jupyter_envstore.services.interfaces import Store


class KernelState(Protocol):
    """The kernels of an environment."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that they speak."""

    @property
    def reason(self) -> str:
        """Why there are none."""

    @property
    def built(self) -> bool:
        """Whether a build has completed."""


class Kernels(Protocol):
    """The kernels that this server offers."""

    def state(self, environment_id: int) -> KernelState:
        """Return the kernels of an environment."""

    def offer(self, build_id: int) -> tuple[str, ...]:
        """Let a build that is not active have kernels of its own; return their ids."""


class StoreAccess(Protocol):
    """The store. It opens while the server runs already: wait for :meth:`ready` before anything else is used."""

    async def ready(self) -> None:
        """Wait until the store is open.

        Raises
        ------
        StoreUnavailableError
            It cannot be opened.
        """

    @property
    def store(self) -> Store:
        """The open store."""

    @property
    def rules(self) -> AccessRules:
        """What the configuration says about people and tokens."""

    @property
    def kernels(self) -> Kernels:
        """The kernels that this server offers."""

    @property
    def configuration(self) -> StoreConfig:
        """The configuration that the store was opened with."""
