"""Questions to channels, answered by a process that ends right after: solves and searches.

The server itself runs no solver: a solve takes memory and the only processor that Python has, and can be canceled by
ending its process alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, overload

from jupyter_envstore import errors
from jupyter_envstore.engine.checked_network import guard_network, with_refusals
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.errors import ClientGoneError, EnvStoreError, Fault, LimitError

if TYPE_CHECKING:
    from jupyter_envstore.engine.questions import (
        Answer,
        Failure,
        FaultValues,
        NewestQuestion,
        Question,
        SearchAnswer,
        SearchQuestion,
        SolveAnswer,
        SolveQuestion,
        TextAnswer,
        TextQuestion,
    )
    from jupyter_envstore.spec.lock_entries import CondaEntry

PAUSE = 0.02
GRACE = 10.0
"""Seconds beyond its own time limit after which the process is ended."""


class RunQuestion(Protocol):
    """Has the process run that answers a question, on this machine or on another one."""

    def __call__(self, text: str, timeout: float, *stops: threading.Event) -> str:
        """Return what the process wrote: an answer as JSON.

        Parameters
        ----------
        text : str
            The question as JSON.

        Raises
        ------
        LimitError, ClientGoneError
            As :func:`ask`.
        """


@overload
def ask(
    question: SolveQuestion, timeout: float, *stops: threading.Event, run: RunQuestion | None = None
) -> SolveAnswer: ...


@overload
def ask(
    question: SearchQuestion | NewestQuestion, timeout: float, *stops: threading.Event, run: RunQuestion | None = None
) -> SearchAnswer: ...


@overload
def ask(
    question: TextQuestion, timeout: float, *stops: threading.Event, run: RunQuestion | None = None
) -> TextAnswer: ...


def ask(question: Question, timeout: float, *stops: threading.Event, run: RunQuestion | None = None) -> Answer:
    """Return the answer to a question.

    Parameters
    ----------
    question : Question
        One of :mod:`~jupyter_envstore.engine.questions`.
    timeout : float
        Seconds.
    stops : Event
        One is set when nobody waits any more: the process is ended then.
    run : RunQuestion, optional
        Where the process runs; by default here.

    Raises
    ------
    EnvStoreError
        As the solve or search does.
    LimitError
        The time limit passed.
    ClientGoneError
        One of ``stops`` was set.
    """
    try:
        answer: Answer | Failure = json.loads((run or run_here)(json.dumps(question), timeout, *stops))
    except ValueError:
        msg = "the process that looks at channels ended without an answer; try again"
        raise EnvStoreError(msg) from None
    if "error" in answer:
        raise _error(cast("Failure", answer))
    return answer


def run_here(text: str, timeout: float, *stops: threading.Event) -> str:
    """Run the process of a question on this machine; it is a :class:`RunQuestion`.

    Raises
    ------
    LimitError
        The time limit passed.
    ClientGoneError
        One of ``stops`` was set.
    """
    command = [sys.executable, "-m", "jupyter_envstore.engine.question_process"]
    deadline = time.monotonic() + timeout + GRACE
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=scrubbed_environment(),
    ) as process:
        answers: list[bytes] = []
        talk = threading.Thread(target=lambda: answers.append(process.communicate(text.encode())[0]))
        talk.start()
        try:
            while talk.is_alive():
                check_waited_for(stops, deadline, timeout)
                talk.join(PAUSE)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):  # it ended a moment ago: the other thread waits for it
                    os.killpg(process.pid, signal.SIGKILL)
            talk.join()
    return answers[0].decode() if answers else ""


def check_waited_for(stops: Iterable[threading.Event], deadline: float, timeout: float) -> None:
    """Make sure that somebody waits for an answer, and that there is time for it.

    Parameters
    ----------
    deadline : float
        When the time is over, as :func:`time.monotonic` counts.
    timeout : float
        Seconds, as they were asked for.

    Raises
    ------
    LimitError
        The time limit passed.
    ClientGoneError
        One of ``stops`` was set.
    """
    if any(stop.is_set() for stop in stops):
        msg = "nobody waits for the answer any more"
        raise ClientGoneError(msg)
    if time.monotonic() > deadline:
        msg = f"no answer within {timeout:g} s"
        raise LimitError(msg)


def _error(failure: Failure) -> EnvStoreError:
    """Return the error that a process told of."""
    kind = getattr(errors, failure["kind"], EnvStoreError)
    error: EnvStoreError = kind(failure["error"])
    error.suggestions = dict(failure["suggestions"])
    if isinstance(error, errors.ChannelUnreachableError):
        error.last_index = failure["last_index"]
    return error


def answer_about_text(question: TextQuestion) -> TextAnswer:
    """Read a large text, as it is, or edited or repaired first; return what came of it, and its faults."""
    from jupyter_envstore.spec import read_specification
    from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
    from jupyter_envstore.spec.package_editing import edit_packages
    from jupyter_envstore.spec.repair import repair

    text = question["text"]
    told: TextAnswer = {}
    held = None
    try:
        if question["do"] == "edit":
            return {"text": edit_packages(text, question["add"], question["remove"])}
        if question["do"] == "repair":
            pick = Pick(question["pick"]["environment"], tuple(question["pick"]["categories"]))
            repaired = repair(text, question["file_name"], question["defaults"], keep=question["keep"], pick=pick)
            told, text, held = {"repaired": repaired.to_json()}, repaired.text, repaired.held
        named = question["do"] == "read" and question["named"]
        local = question["allow_local_files"]
        found = read_specification(text, "the specification", local, held=held, named=named)
        return {**told, "specification": found.to_json(), "notes": list(found.notes)}
    except errors.SpecificationError as error:
        if isinstance(error, ChoiceError):
            told["offer"] = error.offer.to_json()
        return {**told, "faults": [_fault_values(fault) for fault in error.faults]}


def _fault_values(fault: Fault) -> FaultValues:
    return {"message": fault.message, "line": fault.line, "field": fault.field}


def main(question: Question) -> Answer:
    """Answer a question."""
    if question["do"] == "read" or question["do"] == "edit" or question["do"] == "repair":
        return answer_about_text(question)
    return answer_about_channels(question)


def answer_about_channels(question: SolveQuestion | SearchQuestion | NewestQuestion) -> SolveAnswer | SearchAnswer:
    """Solve or search."""
    from jupyter_envstore.engine.channels import ChannelPolicy
    from jupyter_envstore.engine.search import search_names, search_versions
    from jupyter_envstore.engine.solve import SolveOptions, current_platform, solve
    from jupyter_envstore.spec import Specification

    started = time.monotonic()
    guard_network("allowed_addresses" in question, question.get("allowed_addresses", []))
    policy = ChannelPolicy(question["alias"], question["defaults"], tuple(question["default_channels"]))
    urls = policy.resolve(question["channels"])
    cache = Path(question["cache"])
    platforms = question["platforms"] or [current_platform()]
    packages: list[CondaEntry] = []
    wanted: list[str] = []
    if question["do"] == "solve":
        asked = Specification(system_requirements=question["system_requirements"])
        virtual = asked.virtual_packages(platforms[0])
        moment = datetime.fromisoformat(question["exclude_newer"]) if question["exclude_newer"] else None
        options = SolveOptions(
            question["timeout"], moment, virtual, question["kept_only"], any_channel=question["any_channel"]
        )
        solution = solve(question["specs"], urls, platforms[0], cache, policy, options)
        return {
            "packages": list(solution.records),
            "seconds": round(time.monotonic() - started, 3),
            "platform": platforms[0],
            "index_from": solution.index_from,
        }
    if question["do"] == "newest":
        packages += search_versions(question["names"], urls, platforms[0], cache, most=1)
    elif "*" in question["package"] or "?" in question["package"]:
        names = {name for platform in platforms for name in search_names(question["package"], urls, platform, cache)}
        wanted = sorted(names)[: question["versions_of"]]
        packages = [] if wanted else [_name_alone(name) for name in sorted(names)]
    else:
        wanted = [question["package"]]
    for platform in platforms if wanted else ():
        packages += search_versions(wanted, urls, platform, cache)
    return {"packages": packages, "seconds": round(time.monotonic() - started, 3)}


def _name_alone(name: str) -> CondaEntry:
    return {"name": name, "version": "", "build": "", "subdir": "", "fn": "", "url": "", "channel": ""}


if __name__ == "__main__":
    reply: Answer | Failure
    try:
        reply = main(json.load(sys.stdin))
    except EnvStoreError as error:
        reply = {
            "error": with_refusals(str(error)),
            "kind": type(error).__name__,
            "suggestions": dict(error.suggestions),
            "last_index": getattr(error, "last_index", None),
        }
    except ValueError as error:
        reply = {"error": str(error), "kind": "InvalidInputError", "suggestions": {}, "last_index": None}
    sys.stdout.write(json.dumps(reply))
    sys.stdout.flush()
    os._exit(0)  # rattler's threads now and then crash a Python that takes itself apart
