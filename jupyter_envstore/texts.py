"""Specifications' texts, read, edited and repaired for the server: small ones in a thread, large ones in a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from jupyter_envstore.engine.ask import ask
from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import Offer, Pick
from jupyter_envstore.spec.editing import edit_packages
from jupyter_envstore.spec.repair import Change, Repaired, repair

if TYPE_CHECKING:
    import threading

    from jupyter_envstore.config import StoreConfig

LARGE_TEXT = 50_000
"""Characters of a specification above which it is read in a process of its own."""
READ_SECONDS = 60.0


class Texts:
    """The part of the extension that reads texts."""

    store_configuration: StoreConfig
    ending: threading.Event

    run: Any
    run_slowly: Any

    async def read_specification(self, text: str) -> Specification:
        """Read a specification that somebody sent; a large one in a process of its own, since reading holds the loop.

        Raises
        ------
        SpecificationError
            It has faults.
        """
        local = self.store_configuration.allow_local_files
        if len(text) < LARGE_TEXT:
            found: Specification = await self.run(read_specification, text, "the specification", local)
            return found
        answer = await self.ask_apart({"do": "read", "text": text, "allow_local_files": local})
        return replace(Specification.from_json(answer["specification"], text), notes=tuple(answer["notes"]))

    async def ask_apart(self, question: dict[str, Any]) -> dict[str, Any]:
        """Have a large text read, edited or repaired by a process of its own.

        Raises
        ------
        SpecificationError
            It has faults.
        """
        answer: dict[str, Any] = await self.run_slowly(ask, question, READ_SECONDS, self.ending)
        if "faults" in answer:
            raise SpecificationError([Fault(**fault) for fault in answer["faults"]])
        return answer

    async def edit(self, text: str, add: list[str], remove: list[str]) -> str:
        """Add packages to a text and remove some."""
        if len(text) < LARGE_TEXT:
            return str(await self.run(edit_packages, text, add, remove))
        return str((await self.ask_apart({"do": "edit", "text": text, "add": add, "remove": remove}))["text"])

    async def repair(
        self, text: str, file_name: str, settings: dict[str, Any], keep: Sequence[str] = (), pick: Pick | None = None
    ) -> Repaired:
        """Repair what somebody sent, as the settings of a place say; what they want kept stays."""
        defaults = settings["defaults_channel"]
        if len(text) < LARGE_TEXT:
            repaired: Repaired = await self.run(repair, text, file_name, defaults, keep=keep, pick=pick)
            return repaired
        question = {"do": "repair", "text": text, "file_name": file_name, "defaults": defaults, "keep": list(keep)}
        question["pick"] = asdict(pick or Pick())
        found = (await self.ask_apart(question))["repaired"]
        changes = [Change(**change) for change in found["changes"]]
        said = found["offer"]
        taken = tuple(said["taken"])
        offer = Offer(tuple(said["environments"]), said["environment"], tuple(said["categories"]), taken)
        return Repaired(found["text"], found["kind"], changes, offer, found["exclude_newer"])
