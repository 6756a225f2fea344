"""The connection to a Dask scheduler. Imports Dask: only imported when a connection is made."""

from __future__ import annotations

import asyncio
from typing import Any

from distributed import Client

CONNECT_SECONDS = 5.0
HANDSHAKE_SECONDS = 5.0
"""How long what accepted a connection may take to answer like a scheduler, behind the time to connect."""


class PatientClient(Client):  # type: ignore[misc] # Dask tells no types
    """A client that does not wait for ever for a scheduler that accepts connections and does not answer."""

    async def _ensure_connected(self, timeout: float | None = None) -> None:
        limit = None if timeout is None else timeout + HANDSHAKE_SECONDS
        try:
            await asyncio.wait_for(super()._ensure_connected(timeout=timeout), limit)
        except (TimeoutError, asyncio.TimeoutError) as error:  # two classes before Python 3.11
            msg = "what listens there does not answer"
            raise OSError(msg) from error


def connect(where: Any, security: Any) -> Client:
    """Return a client of a scheduler, by its address or its cluster.

    Raises
    ------
    OSError
        It cannot be reached, or does not answer.
    """
    return PatientClient(
        where, timeout=CONNECT_SECONDS, set_as_default=False, name="jupyter-envstore", security=security
    )
