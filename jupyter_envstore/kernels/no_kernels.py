"""The kernels of a server that starts none."""

from __future__ import annotations

from jupyter_envstore.errors import ConflictError
from jupyter_envstore.kernels.kernel_specs import KernelState

REASON = "this server starts no kernels"


class NoKernels:
    """Offers nothing, and writes no kernelspecs."""

    def state(self, environment_id: int) -> KernelState:
        """Return that an environment has none here."""
        del environment_id
        return KernelState((), REASON)

    def offer(self, build_id: int) -> tuple[str, ...]:
        """Refuse.

        Raises
        ------
        ConflictError
            Always.
        """
        del build_id
        raise ConflictError(REASON)

    def sync(self) -> None:
        """Leave everything as it is."""
