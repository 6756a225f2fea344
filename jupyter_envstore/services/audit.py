"""The audit: who did what."""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_envstore.database import people as rows
from jupyter_envstore.database.connection import Database
from jupyter_envstore.representation import moments
from jupyter_envstore.services.values import AuditEntry


class Audit:
    """What was done, by whom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, who: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Note who did what."""
        with self._database.write() as session:
            rows.audit(session, who, verb, subject, detail)

    def entries(self, after: int = 0, size: int = 100, who: str = "", verb: str = "") -> list[AuditEntry]:
        """Return what was done, in order, behind entry ``after``."""
        with self._database.read() as session:
            return [
                {
                    "id": row.id,
                    "at": moments.time_json(row.at),
                    "who": row.who,
                    "verb": row.verb,
                    "subject": row.subject,
                    "detail": row.detail,
                }
                for row in rows.list_audit(session, after, size, who, verb)
            ]
