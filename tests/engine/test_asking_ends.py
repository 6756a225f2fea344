"""A question to a process ends when nobody waits for the answer any more, whenever the process ends."""

from __future__ import annotations

import os
import threading

import pytest

from jupyter_envstore.engine import question_process as asking
from jupyter_envstore.errors import ClientGoneError

QUESTION = {"do": "edit", "text": "dependencies: [python]\n", "add": ["numpy"], "remove": []}


def test_a_question_that_nobody_waits_for_ends_though_its_process_did_a_moment_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill = os.killpg

    def too_late(group: int, number: int) -> None:
        kill(group, number)
        raise ProcessLookupError

    monkeypatch.setattr(os, "killpg", too_late)
    gone = threading.Event()
    gone.set()
    with pytest.raises(ClientGoneError):
        asking.ask(QUESTION, 30.0, gone)


def test_a_question_is_answered() -> None:
    assert asking.ask(QUESTION, 30.0, threading.Event())["text"] == "dependencies: [python, numpy]\n"
