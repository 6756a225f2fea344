"""Types of columns that mean the same in each database."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.types import TypeEngine


def short(length: int) -> TypeEngine[str]:
    """Return the type of a short text: compared and sorted by its code points, whatever its length turns out to be.

    SQLite takes longer texts than the type says, and compares bytes. PostgreSQL would refuse them, and sort as the
    language of the database does.
    """
    return String(length).with_variant(Text(collation="C"), "postgresql")
