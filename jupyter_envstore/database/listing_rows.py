"""Rows of listings as plain values."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Column

from jupyter_envstore.database.models import Artifact, Build, Environment


class Listed:
    """A model's columns as rows of plain values: an object of the model for each would take most of a listing's time.

    Parameters
    ----------
    left_out : sequence of str
        Columns that listings do not show.
    more : dict of str
        Further columns by their names.
    """

    def __init__(self, model: Any, left_out: Sequence[str] = (), **more: Any) -> None:
        found = sorted(
            model.__mapper__.column_attrs, key=lambda attribute: not isinstance(attribute.columns[0], Column)
        )
        known = [attribute.key for attribute in found if attribute.key not in left_out]  # the table's own come first
        self.keys = (*known, *more)
        self.columns = [*(getattr(model, key) for key in known), *more.values()]
        self._make: Callable[[Iterable[Any]], Any] = namedtuple(model.__name__, self.keys)._make  # type: ignore[attr-defined]

    def of(self, row: Sequence[Any], start: int = 0) -> Any:
        """Return the model's part of a row, by names; ``start`` is where it begins."""
        return self._make(row[start : start + len(self.keys)])


ENVIRONMENT, BUILD, ARTIFACT = Listed(Environment), Listed(Build, ["options", "text"]), Listed(Artifact, ["tools"])
