"""A text with what was read of it: read once, however many look at it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from jupyter_envstore.spec.document import Document, Table, read_yaml, table_of


@dataclass(frozen=True)
class Sheet:
    """A YAML text.

    Parameters
    ----------
    text : str
        The text.
    """

    text: str

    @cached_property
    def document(self) -> Document:
        """What it holds.

        Raises
        ------
        SpecificationError
            As :func:`~jupyter_envstore.spec.document.read_yaml` has it.
        """
        return read_yaml(self.text)

    @property
    def root(self) -> Table:
        """The mapping that it is.

        Raises
        ------
        SpecificationError
            It is none.
        """
        return table_of(self.document)

    def written(self, text: str) -> Sheet:
        """Return a sheet with another text; itself where it is the same."""
        return self if text == self.text else Sheet(text)
