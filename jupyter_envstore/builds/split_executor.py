"""Two executors: one for what is made anywhere, one for what is done in the folder of the store's servers."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_envstore.builds.executor import (
    CountsWorkers,
    EndsWithProcess,
    Executor,
    ends_with_process,
    questions_of,
)
from jupyter_envstore.builds.local_executor import LOCAL, LocalExecutor
from jupyter_envstore.builds.seen import Seen
from jupyter_envstore.database.jobs import AT_HOME, Claim, Handle
from jupyter_envstore.engine.question_process import RunQuestion


class SplitExecutor:
    """Starts what is done to prefixes as processes of this machine, and all else by another executor.

    Parameters
    ----------
    elsewhere : Executor
        Has workers with folders of their own.
    """

    def __init__(self, elsewhere: Executor, here: LocalExecutor) -> None:
        self.elsewhere = elsewhere
        self.here = here

    @property
    def questions(self) -> RunQuestion | None:
        """As the other executor has it."""
        return questions_of(self.elsewhere)

    @property
    def ends_with_process(self) -> bool:
        """As the other executor has it."""
        return ends_with_process(self.elsewhere)

    def worker_count(self) -> int | None:
        """As the other executor has it."""
        return self.elsewhere.worker_count() if isinstance(self.elsewhere, CountsWorkers) else None

    @property
    def kinds_of_this_machine(self) -> tuple[str, ...]:
        """What needs no other machine."""
        return AT_HOME

    def ready(self) -> str:
        """Return why the other executor cannot start a worker now."""
        return self.elsewhere.ready()

    def start(self, claim: Claim) -> Handle:
        """Start a worker where its job belongs."""
        return (self.here if claim.kind in AT_HOME else self.elsewhere).start(claim)

    def alive(self, handle: Handle) -> Seen:
        """Ask the one that started it."""
        return (self.here if handle.kind == LOCAL else self.elsewhere).alive(handle)

    def stop(self, handle: Handle) -> bool:
        """Have the one that started it end it."""
        return (self.here if handle.kind == LOCAL else self.elsewhere).stop(handle)

    def reap(self) -> None:
        """Forget workers that ended."""
        self.here.reap()
        self.elsewhere.reap()

    def ending(self) -> Sequence[Handle]:
        """As the other executor has it: processes of this machine go on."""
        return self.elsewhere.ending() if isinstance(self.elsewhere, EndsWithProcess) else ()

    def close(self) -> None:
        """Let go of workers."""
        self.here.close()
        self.elsewhere.close()
