"""Specifications' texts, read, edited and repaired for the server: small ones in a thread, large ones in a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_envstore.engine.question_process import ask
from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import ChoiceError, Offer, Pick
from jupyter_envstore.spec.package_editing import edit_packages
from jupyter_envstore.spec.repaired import Repaired

if TYPE_CHECKING:
    import threading

    from jupyter_envstore.engine.questions import EditQuestion, ReadQuestion, RepairQuestion, TextAnswer, TextQuestion
    from jupyter_envstore.server.store_access import StoreAccess
    from jupyter_envstore.server.threads import Threads

LARGE_TEXT = 50_000
"""Characters of a specification above which it is read in a process of its own."""
READ_SECONDS = 60.0


class SpecificationReader:
    """Reads, edits and repairs texts that people send.

    Parameters
    ----------
    ending : threading.Event
        Set when the server ends.
    """

    def __init__(self, access: StoreAccess, threads: Threads, ending: threading.Event) -> None:
        self._access = access
        self._threads = threads
        self._ending = ending

    async def read(self, text: str, named: bool = False) -> Specification:
        """Read a specification that somebody sent; a large one in a process of its own, since reading holds the loop.

        Where the environment is ``named`` otherwise, the name in the text may be any.

        Raises
        ------
        SpecificationError
            It has faults.
        """
        local = self._access.configuration.allow_local_files
        if len(text) < LARGE_TEXT:
            read = text, "the specification", local
            found: Specification = await self._threads.run(read_specification, *read, named=named)
            return found
        question: ReadQuestion = {"do": "read", "text": text, "allow_local_files": local, "named": named}
        return _specification(await self._ask_apart(question), text)

    async def _ask_apart(self, question: TextQuestion) -> TextAnswer:
        """Have a large text read, edited or repaired by a process of its own; return what it says, faults included."""
        return await self._threads.run_slowly(lambda: ask(question, READ_SECONDS, self._ending))

    async def edit(self, text: str, add: list[str], remove: list[str]) -> str:
        """Add packages to a text and remove some."""
        if len(text) < LARGE_TEXT:
            return str(await self._threads.run(edit_packages, text, add, remove))
        question: EditQuestion = {"do": "edit", "text": text, "add": add, "remove": remove}
        return str(_checked(await self._ask_apart(question))["text"])

    async def repair(
        self, text: str, file_name: str, settings: SettingValues, keep: Sequence[str] = (), pick: Pick | None = None
    ) -> tuple[Repaired, Specification | SpecificationError]:
        """Repair what somebody sent, as the settings of a place say, and read it; what they want kept stays.

        Raises
        ------
        SpecificationError
            It cannot be repaired.
        """
        defaults, local = settings["defaults_channel"], self._access.configuration.allow_local_files
        if len(text) < LARGE_TEXT:
            repaired: Repaired = await self._threads.run(_repair, text, file_name, defaults, keep, pick)
            try:
                read = "the specification", local, None, repaired.held
                found: Specification = await self._threads.run(read_specification, repaired.text, *read)
            except SpecificationError as error:
                return repaired, error
            return repaired, found
        wanted = pick or Pick()
        question: RepairQuestion = {
            "do": "repair",
            "text": text,
            "file_name": file_name,
            "defaults": defaults,
            "keep": list(keep),
            "pick": {"environment": wanted.environment, "categories": wanted.categories},
            "allow_local_files": local,
        }
        answer = await self._ask_apart(question)
        if "repaired" not in answer:
            _checked(answer)
        repaired = Repaired.from_json(answer["repaired"])
        try:
            return repaired, _specification(answer, repaired.text)
        except SpecificationError as error:
            return repaired, error


def _repair(text: str, file_name: str, defaults: str, keep: Sequence[str], pick: Pick | None) -> Repaired:
    """Repair a text. What reads files of other tools is loaded for the first one, not when the server starts."""
    from jupyter_envstore.spec.repair import repair

    return repair(text, file_name, defaults, keep=keep, pick=pick)


def _checked(answer: TextAnswer) -> TextAnswer:
    """Return what a process says of a text.

    Raises
    ------
    SpecificationError
        The text has faults.
    """
    if "faults" in answer:
        if "offer" in answer:
            raise ChoiceError(answer["faults"][0]["message"], Offer.from_json(answer["offer"]))
        raise SpecificationError([Fault(**fault) for fault in answer["faults"]])
    return answer


def _specification(answer: TextAnswer, text: str) -> Specification:
    """Return the specification that a process read.

    Raises
    ------
    SpecificationError
        The text has faults.
    """
    _checked(answer)
    return replace(Specification.from_json(answer["specification"], text), notes=tuple(answer["notes"]))
