"""Whether the disk of a store has room for a build."""

from __future__ import annotations

import shutil

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import StorageError
from jupyter_envstore.services.settings import Settings


class FreeSpace:
    """What is free on the disk of a store, beside what has to be."""

    def __init__(self, config: StoreConfig, settings: Settings) -> None:
        self._config = config
        self._settings = settings

    def check(self, more: int = 0) -> None:
        """Refuse to build if the disk is too full, or would be with ``more`` bytes.

        Raises
        ------
        StorageError
            It is.
        """
        wanted = self._settings.effective()["storage_threshold"] + more
        free = shutil.disk_usage(self._config.root).free
        if free < wanted:
            msg = (
                f"{free / 1e9:.1f} GB are free on the store's disk; a build needs at least {wanted / 1e9:.1f} GB "
                "(setting storage_threshold); free some with: jupyter envstore gc"
            )
            raise StorageError(msg)
