"""The store's disk: what is free, and what can be freed."""

from __future__ import annotations

import shutil

from jupyter_envstore.builds.active_links import sync_missing_links
from jupyter_envstore.builds.deletion import UNDO, clear_deleted
from jupyter_envstore.builds.own_place import settle_place
from jupyter_envstore.builds.retention import Plan, Retention
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import people
from jupyter_envstore.database.connection import Database, now
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import DiskSpace

LEAST_FREE = 100_000_000
"""Bytes without which hardly anything can be built, whatever the settings say."""


class StoreRetention:
    """What the store may forget."""

    def __init__(self, config: StoreConfig, database: Database, settings: Settings, packing: Retention) -> None:
        self._config = config
        self._database = database
        self._settings = settings
        self._packing = packing

    def space(self) -> DiskSpace:
        """Return bytes of the store's disk: free, in all, and whether there is too little to build anything."""
        usage = shutil.disk_usage(self._config.root)
        low = usage.free < max(self._settings.effective()["storage_threshold"], LEAST_FREE)
        return {"free": usage.free, "total": usage.total, "low": low}

    def free(self, who: str) -> Plan:
        """Free what the settings do not want kept, and note who had it done."""
        plan = self.collect()
        with self._database.write() as session:
            people.audit(session, who, "store.free", "*", {"bytes": plan.size})
        return plan

    def collect(self, dry_run: bool = False, gone: bool = False) -> Plan:
        """Free what the settings do not want kept, or say what that would be.

        With ``gone``, prefixes that are not in the folder are known to be gone for good.
        """
        return self._packing.plan(gone) if dry_run else self._packing.collect(gone)

    def mend_links(self) -> int:
        """Make the links to active builds that are missing or wrong; return how many there were."""
        return sync_missing_links(self._config, self._database)

    def clear_deleted(self) -> int:
        """Remove the files of environments that can not be brought back any more; return how many there were.

        Called now and then while a server runs, so it also notices that this folder was forgotten meanwhile.
        """
        settle_place(self._config, self._database)
        if self._config.database_url:  # servers of other folders may have made other builds active
            self.mend_links()
        return len(clear_deleted(self._config, self._database, now() - UNDO))
