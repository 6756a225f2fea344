"""All rows of a store copied from one database into another, of whatever kind; and a database that was moved away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from jupyter_envstore.database.models import Base, Environment, Place, StoreIdentity
from jupyter_envstore.database.schema import MOVED
from jupyter_envstore.database.sqlite import WAS_MOVED
from jupyter_envstore.errors import ConflictError, StorageError

ROWS = 1000
"""Rows that are held in memory at once."""
ENVIRONMENTS = Base.metadata.tables[Environment.__tablename__]
OPENED = (StoreIdentity.__tablename__, Place.__tablename__)
"""Tables that get a row when a store is opened, before there is anything in it."""
LATER = ENVIRONMENTS.c.current_build_id
"""The column that refers to a table which comes later."""


def copy_rows(source: Session, target: Session) -> dict[str, int]:
    """Copy all rows into empty tables of the same revision; return how many there are, by table.

    Raises
    ------
    StorageError
        Not all of them arrived.
    """
    counts = {}
    for table in Base.metadata.sorted_tables:
        for rows in _batches(source, table):
            target.execute(insert(table), rows)
    for number, build in source.execute(select(ENVIRONMENTS.c.id, LATER).where(LATER.is_not(None))):
        target.execute(update(ENVIRONMENTS).where(ENVIRONMENTS.c.id == number).values({LATER: build}))
    for table in Base.metadata.sorted_tables:
        counts[table.name] = _count(source, table)
        if _count(target, table) != counts[table.name]:
            msg = f"not all rows of the table {table.name} were copied; nothing is changed"
            raise StorageError(msg)
    _go_on_counting(target)
    return counts


def check_empty(session: Session, place: str) -> None:
    """Refuse a database that has rows; what every process writes that opens a store does not count.

    Raises
    ------
    ConflictError
        It has some.
    """
    for table in Base.metadata.sorted_tables:
        if table.name not in OPENED and _count(session, table):
            msg = f"the database {place} has a store already; name an empty one"
            raise ConflictError(msg)


def empty_opened(session: Session) -> None:
    """Remove what was written when an empty store was opened."""
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in OPENED:
            session.execute(delete(table))


def close_moved(session: Session) -> None:
    """Let nobody write into a database of SQLite that was copied elsewhere, however long it has been open."""
    for table in Base.metadata.sorted_tables:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            name = f"moved_{verb.lower()}_{table.name}"
            told = f"BEGIN SELECT RAISE(ABORT, '{WAS_MOVED}'); END"
            session.execute(text(f'CREATE TRIGGER "{name}" BEFORE {verb} ON "{table.name}" {told}'))
    session.execute(text("UPDATE alembic_version SET version_num = :moved || version_num"), {"moved": MOVED})


def open_moved(session: Session) -> None:
    """Let a database of SQLite be used again that was closed."""
    names = session.execute(
        text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'moved\\_%' ESCAPE '\\'")
    )
    for (name,) in names.all():
        session.execute(text(f'DROP TRIGGER "{name}"'))
    session.execute(text("UPDATE alembic_version SET version_num = replace(version_num, :moved, '')"), {"moved": MOVED})


def _batches(source: Session, table: Table) -> Iterator[list[dict[str, Any]]]:
    result = source.execute(select(table).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS))
    for rows in result.partitions():
        values = [{name: _kept_by_all(value) for name, value in row._mapping.items()} for row in rows]
        yield [{**row, LATER.name: None} for row in values] if table is ENVIRONMENTS else values


def _kept_by_all(value: Any) -> Any:
    """Return a value without the characters that PostgreSQL does not keep, and no text of people has on purpose."""
    return value.replace("\0", "") if isinstance(value, str) else value


def _count(session: Session, table: Table) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _go_on_counting(session: Session) -> None:
    """Have PostgreSQL number what comes behind what was copied; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        keys = [column for column in table.primary_key.columns if column.autoincrement is True or column.name == "id"]
        for key in keys:
            highest = session.scalar(select(func.max(key)))
            if highest is not None:
                sequence = func.pg_get_serial_sequence(f'"{table.name}"', key.name)
                session.execute(select(func.setval(sequence, highest)))
