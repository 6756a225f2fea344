"""What starts workers must offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from jupyter_envstore.builds.seen import Seen
from jupyter_envstore.database.jobs import Claim, Handle
from jupyter_envstore.engine.question_process import RunQuestion


class Executor(Protocol):
    """Starts workers. Where they run is its own business: it promises nothing about processes of this host."""

    def ready(self) -> str:
        """Return why no worker can be started now, in words for people; empty if one can."""

    def start(self, claim: Claim) -> Handle:
        """Start a worker for a claimed job, or have it started as soon as there is a place; return how it is called."""

    def alive(self, handle: Handle) -> Seen:
        """Return whether a worker that did not report yet is still to be expected.

        Several servers may ask: of one that another server started, and that is not known here, say ``UNKNOWN``
        (:mod:`jupyter_envstore.builds.seen`).
        """

    def stop(self, handle: Handle) -> bool:
        """End a worker, and what it started, where it can be reached; whether it was still there."""

    def reap(self) -> None:
        """Forget workers that ended."""

    def close(self) -> None:
        """Let go of workers."""


@runtime_checkable
class AnswersQuestions(Protocol):
    """An executor whose workers can answer questions to channels, too."""

    @property
    def questions(self) -> RunQuestion | None:
        """What has them answered; None if the server's machine shall."""


@runtime_checkable
class CountsWorkers(Protocol):
    """An executor whose workers have to be there before a job can begin."""

    def worker_count(self) -> int | None:
        """Return how many there are now; None where nobody counts them."""


@runtime_checkable
class EndsWithProcess(Protocol):
    """An executor whose workers may end with this process."""

    @property
    def ends_with_process(self) -> bool:
        """Whether they do."""

    def ending(self) -> Sequence[Handle]:
        """Return the workers that end with it; asked right before it is closed."""


def ends_with_process(executor: Executor) -> bool:
    """Whether the workers of an executor end with this process."""
    return bool(getattr(executor, "ends_with_process", False))  # also of one that does not say which


def kinds_of_this_machine(executor: Executor) -> Sequence[str]:
    """Return the kinds of jobs that an executor starts even when it is not ready (``kinds_of_this_machine``)."""
    found: Sequence[str] = getattr(executor, "kinds_of_this_machine", ())
    return found


def questions_of(executor: Executor) -> RunQuestion | None:
    """Return what has questions to channels answered by the workers of an executor; None if they do not."""
    return executor.questions if isinstance(executor, AnswersQuestions) else None
