"""Settings of scopes: the store's, a namespace's, an environment's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.builds import get_namespace
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import Environment, Setting


def scope_ids(session: Session, namespace: str, name: str) -> tuple[int | None, int | None]:
    """Return the ids of a namespace and an environment in it, None for what is not there."""
    space = get_namespace(session, namespace)
    if space is None:
        return None, None
    query = select(Environment.id).where(Environment.namespace_id == space.id, Environment.name_key == name.lower())
    return space.id, session.scalars(query).first()


def scope_settings(session: Session, namespace_id: int | None, environment_id: int | None) -> list[dict[str, Any]]:
    """Return the settings of the scopes that matter, from the widest to the narrowest."""
    scopes = ["global", f"namespace:{namespace_id}", f"environment:{environment_id}"]
    found: dict[str, dict[str, Any]] = {scope: {} for scope in scopes}
    for row in session.scalars(select(Setting).where(Setting.scope.in_(scopes))):
        found[row.scope][row.key] = row.value
    return list(found.values())


def set_setting(session: Session, scope: str, key: str, value: Any, who: str) -> None:
    """Set one setting of a scope: ``global``, ``namespace:<id>`` or ``environment:<id>``; None takes it back."""
    row = session.scalars(select(Setting).where(Setting.scope == scope, Setting.key == key)).first()
    if value is None:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = Setting(scope=scope, key=key)
        session.add(row)
    row.value, row.changed_on, row.changed_by = value, now(), who


def delete_settings(session: Session, scope: str) -> None:
    """Forget the settings of a scope."""
    session.execute(delete(Setting).where(Setting.scope == scope))
