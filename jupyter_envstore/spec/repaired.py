"""What a repair returns, and which changes one may refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from jupyter_envstore.spec.converting.draft import Offer, OfferValues
from jupyter_envstore.spec.text_editor import Change

if TYPE_CHECKING:
    from jupyter_envstore.spec.document import Document
    from jupyter_envstore.spec.fast_yaml import Plain
    from jupyter_envstore.spec.lock_entries import CondaLockfile

KEEPABLE = ("defaults", "builds", "foreign", "kernel", "sources")
"""Changes that one may want not to be made: the channel ``defaults`` stays, and build strings, and packages that only
another system has, and lines for pip that name sources without a commit; ``ipykernel`` is left out."""


class ChangeValues(TypedDict):
    """The values of a :class:`~jupyter_envstore.spec.text_editor.Change` in JSON."""

    what: str
    why: str
    choice: str


class RepairedValues(TypedDict):
    """The values of :class:`Repaired` in JSON, without what the text holds."""

    text: str
    kind: str
    changes: list[ChangeValues]
    offer: OfferValues
    exclude_newer: str


@dataclass
class Repaired:
    """The text after all changes.

    ``kind`` is ``environment`` or ``lockfile``. ``offer`` is what there was to choose from. ``exclude_newer`` is a
    choice for the build that the file asks for; a specification has no place for it. ``held`` is what the text holds,
    where it was read already: a lockfile's values, or the document of another text.
    """

    text: str
    kind: str = "environment"
    changes: list[Change] = field(default_factory=list)
    offer: Offer = field(default_factory=Offer)
    exclude_newer: str = ""
    held: dict[str, Plain] | CondaLockfile | Document | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> RepairedValues:
        """Return all but what the text holds, as JSON values."""
        return {
            "text": self.text,
            "kind": self.kind,
            "changes": [{"what": each.what, "why": each.why, "choice": each.choice} for each in self.changes],
            "offer": self.offer.to_json(),
            "exclude_newer": self.exclude_newer,
        }

    @classmethod
    def from_json(cls, data: RepairedValues) -> Repaired:
        """Return what :meth:`to_json` gave."""
        offer = Offer.from_json(data["offer"])
        changes = [Change(**change) for change in data["changes"]]
        return cls(data["text"], data["kind"], changes, offer, data["exclude_newer"])
