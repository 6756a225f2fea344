"""What changed, as those are told who follow the store. Needs no database: servers import it when they start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.database.changes import ChangedRow
    from jupyter_envstore.services.values import ChangedThings


def changed_things(revision: int, rows: Sequence[ChangedRow], reset: bool = False) -> ChangedThings:
    """Return what changed, each environment and build once.

    Parameters
    ----------
    revision : int
        The revision up to which it changed.
    """
    return {
        "revision": revision,
        "reset": reset,
        "environments": [
            {"id": row.environment_id, "namespace": row.namespace, "name": row.name, "deleted": row.deleted}
            for row in {row.environment_id: row for row in rows}.values()
        ],
        "builds": [
            {"id": build_id, "environment_id": row.environment_id, "status": row.status}
            for build_id, row in {row.build_id: row for row in rows if row.build_id is not None}.items()
        ],
    }
