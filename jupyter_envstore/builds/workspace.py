"""A worker's hold on its job: log, steps, progress, heartbeat, and the folder for what is not finished."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from jupyter_envstore.blobs import LONG_PATIENCE, blob_store
from jupyter_envstore.builds.blob_collection import confirmed
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import warnings
from jupyter_envstore.database.blob_references import Confirmed
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.job_endings import finish
from jupyter_envstore.database.jobs import Claim
from jupyter_envstore.database.models import Build, Job, LogChunk, Step
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.sandbox import sandbox_for
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays
from jupyter_envstore.errors import LimitError, StaleClaimError, StorageError

FLUSH_SECONDS = 0.3
PATIENCE = LONG_PATIENCE
"""How long a worker waits for a database or a bucket that does not answer, in seconds."""
NOT_SHOWN = re.compile(r"\0|\x1b\[[0-9;]*m")
"""What is left out of texts: NUL, and colours of terminals."""
COMMANDS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal would heed, or what would show a text in another order than it stands."""


class Workspace:
    """What a worker needs to do one job.

    A thread writes log lines, progress and the heartbeat a few times a second, all in one transaction. When that is
    refused (canceled, or another attempt has the job) it ends the whole process group: whoever took the job away
    cleans up after it.
    """

    def __init__(self, config: StoreConfig, database: Database, claim: Claim) -> None:
        self.config = config
        self.database = database
        self.claim = claim
        self.staging = config.staging_of(claim.job_id, claim.attempt)
        self.blobs = blob_store(config, self.staging / "blobs", PATIENCE)
        self.sandbox = sandbox_for(config)
        self.deadline = time.monotonic() + config.build_time_limit
        self._lock = threading.Lock()
        self._lines: list[tuple[str, str]] = []
        self._step: Step | None = None
        self._progress: dict[str, int | str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Workspace:
        self.staging.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.staging)  # what tools leave behind goes with the job
        os.environ[JOB_MARK] = str(self.staging)  # and so do processes
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.end_strays()

    def end_strays(self) -> None:
        """End processes of this job that still run; whoever is started from here on is none."""
        if os.environ.pop(JOB_MARK, None) is not None:
            end_strays(JOB_MARK, str(self.staging))

    def disown(self) -> None:
        """Leave the job alone: another process of this machine may do it, whose programs have the same mark."""
        os.environ.pop(JOB_MARK, None)

    def stop(self) -> None:
        """End the heartbeat."""
        self._stop.set()
        self._thread.join()

    def log(self, text: str) -> None:
        """Add lines for people to the build's log."""
        with self._lock:
            name = self._step.name if self._step else ""
            self._lines += [(name, line) for line in _stamped(text)]

    def log_with(self, session: Session, text: str) -> None:
        """Add lines to the log in the transaction that they tell of: there are both, or neither, and never twice."""
        session.add(log_chunk(self.claim.build_id, text))

    def warn(self, kind: str, message: str, package: str = "", path: str = "") -> None:
        """Tell people something of the build that they should know, in the log and beside it; once, however often said.

        Parameters
        ----------
        kind : str
            One of :mod:`jupyter_envstore.database.warnings`.
        message : str
            What it is, and what to do.
        package, path : str
            What it is about: a package's name, a path within the environment.

        Raises
        ------
        StaleClaimError
            The job is not ours any more.
        """
        text, shown = redact(printable(message)), redact(printable(path))
        with self.claim.write(self.database) as session:
            warnings.add_warning(session, self.claim.build_id, kind, text, package, shown)
        self.log(f"warning: {text}")

    def clear_warnings(self, *kinds: str) -> None:
        """Forget the build's warnings of these kinds, before what finds them looks again."""
        with self.claim.write(self.database) as session:
            warnings.clear_warnings(session, self.claim.build_id, kinds)

    def advance(self, done: int, total: int, unit: str, message: str = "") -> None:
        """Note the progress of the step that runs."""
        with self._lock:
            self._progress = {"done": done, "total": total, "unit": unit, "message": message}

    @contextlib.contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Run a step: its row, its first and last line in the log, and its end whatever happens."""
        self.check_time()
        step = Step(
            build_id=self.claim.build_id,
            job_id=self.claim.job_id,
            attempt=self.claim.attempt,
            name=name,
            state="running",
            started_on=now(),
        )
        with self._lock:
            self._step, self._progress = step, {}
        self.log(title)
        try:
            self.flush(begins=step)  # so that the log tells how far it came, whatever happens next
        except BaseException:
            with self._lock:
                self._step = None
            raise
        started = time.monotonic()
        state = "failed"
        try:
            yield
            state = "done"
            self.log(f"{title}: done in {time.monotonic() - started:.1f} s")
        finally:
            with self._lock:
                self._step = None
            self._end_step(step, state)

    def _end_step(self, step: Step, state: str) -> None:
        with (
            contextlib.suppress(StaleClaimError, StorageError),
            self.claim.write(self.database, alone=False) as session,
        ):
            row = session.get_one(Step, step.id)
            row.state, row.ended_on = state, now()
            for key, value in self._progress.items():
                setattr(row, key, value)
            if state == "done" and row.total:
                row.done = row.total

    def check_time(self) -> None:
        """Stop when the time limit has passed.

        Raises
        ------
        LimitError
            It has.
        """
        if time.monotonic() > self.deadline:
            raise LimitError(self._too_long())

    def time_left(self) -> float:
        """Return the seconds until the time limit, at least one."""
        return max(1.0, self.deadline - time.monotonic())

    def _too_long(self) -> str:
        return f"the build took longer than {self.config.build_time_limit:g} s (build_time_limit)"

    def read_record(self, build: Build) -> BuildRecord:
        """Return the record of a build."""
        return BuildRecord.from_bytes(self.blobs.read(build.record_digest or ""))

    def temporary(self, name: str) -> Path:
        """Return a path for something unfinished; all of it goes when the job ends."""
        return self.staging / name

    def confirmed(self, *digests: str) -> Confirmed:
        """Return that blobs are there that were stored or found, before the transaction that refers to them.

        Raises
        ------
        BlobRemovedError
            One was removed meanwhile: the job has to be done again.
        """
        return confirmed(self.database, self.blobs, digests, PATIENCE)

    def flush(self, begins: Step | None = None) -> None:
        """Write what has gathered, the heartbeat, and the step that begins.

        Raises
        ------
        StaleClaimError
            The job is not ours any more.
        """
        with self._lock:
            lines, self._lines = self._lines, []
            step, progress = self._step, dict(self._progress)
        try:
            # lines are numbered, and read, in the order in which they are committed: so who has some takes turns
            with self.claim.write(self.database, alone=bool(lines)) as session:
                session.get_one(Job, self.claim.job_id).heartbeat_on = now()
                if begins is not None:
                    session.add(begins)
                for name, group in itertools.groupby(lines, key=lambda line: line[0]):
                    text = "".join(line for _, line in group)
                    session.add(LogChunk(build_id=self.claim.build_id, step=name, text=text, created_on=now()))
                if step is not None and progress:
                    row = session.get_one(Step, step.id)
                    for key, value in progress.items():
                        setattr(row, key, value)
        except StaleClaimError:
            raise
        except Exception:
            with self._lock:  # a full disk or a busy database: keep the lines for the next try
                self._lines = lines + self._lines
            raise

    def _run(self) -> None:
        grace = min(60.0, self.config.build_time_limit * 0.05 + 5)
        while not self._stop.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except StaleClaimError:
                self._end_now()
            except Exception as error:  # the beat must go on
                print(f"heartbeat: {error}", file=sys.stderr)
            if time.monotonic() > self.deadline + grace:  # a step that does not look at the clock
                with contextlib.suppress(Exception), self.claim.write(self.database) as session:
                    finish(session, self.claim, self._too_long())
                self._end_now()

    def _end_now(self) -> None:
        with contextlib.suppress(Exception):
            end_strays(JOB_MARK, str(self.staging))
        os.killpg(0, signal.SIGKILL)


def keep_errors(config: StoreConfig, job_id: int, staging: Path) -> None:
    """Keep what a failing worker wrote to its standard error, for the admin: ``logs/worker-<job>.err``."""
    sys.stderr.flush()
    source = staging / "worker.err"
    if source.exists() and source.stat().st_size:
        folder = config.root / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        text = redact(source.read_text(encoding="utf-8", errors="replace"))
        (folder / f"worker-{job_id}.err").write_text(text, encoding="utf-8")


def _stamped(text: str) -> list[str]:
    """Return the lines of a text for the log, each with the time of day."""
    stamp = datetime.now(timezone.utc).strftime("%H:%M:%S")
    return [f"{stamp} {line}\n" for line in redact(printable(text)).splitlines()]


def log_chunk(build_id: int, text: str) -> LogChunk:
    """Return lines for people, to be added to the log of a build."""
    return LogChunk(build_id=build_id, step="", text="".join(_stamped(text)), created_on=now())


def printable(text: str) -> str:
    """Return ``text`` as every database takes it and every terminal shows it.

    It has no NUL and no halves of characters; what would tell a terminal something is written as Python writes it.
    """
    text = NOT_SHOWN.sub("", text).encode("utf-8", "replace").decode()
    return COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
