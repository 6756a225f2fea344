"""What notebooks remember of their environments."""

from __future__ import annotations

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.notebooks.bond import Bond, bond_of
from jupyter_envstore.services.records import BuildRecords


class Bonds:
    """The bonds of notebooks with builds."""

    def __init__(self, config: StoreConfig, database: Database, records: BuildRecords) -> None:
        self._config = config
        self._database = database
        self._records = records

    def of_build(self, build_id: int, lock: bool = False) -> Bond:
        """Return what a notebook that runs in a build remembers; with ``lock``, the whole record is in it.

        Raises
        ------
        ConflictError
            The build has no record yet.
        NotFoundError
            There is no such build.
        """
        record = self._records.read(build_id)
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
        return bond_of(
            record,
            row.build.record_digest or record.sha256,
            row.namespace.name,
            row.environment.name,
            row.build.number,
            self._config.public_url,
            lock,
        )
