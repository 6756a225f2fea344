"""Lets constructor make an installer, and looks into it: what is inside must be what was locked."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tarfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.errors import ArtifactError, LimitError, StorageError
from jupyter_envstore.installers.construct_input import Job, package_hashes, write_folder
from jupyter_envstore.installers.constructor_finder import Constructor

PIECE = 1 << 20
LAST_LINES = 12
BOUNDARY = re.compile(rb"^boundary(\d)=\$\(\( ?boundary\d \+ (\d+) ?\)\)", re.MULTILINE)
"""Where the header of a ``.sh`` installer says how long its payloads are (constructor's ``header.sh``)."""
END = b"@@END_HEADER@@\n"
MAX_HEADER = 4 << 20


def run_constructor(
    tool: Constructor, job: Job, folder: Path, sink: BinaryIO, progress: Progress, seconds: float
) -> list[str]:
    """Make an installer; return the arguments that constructor was given.

    Parameters
    ----------
    folder : Path
        For all that is written on the way; it must not be there.
    seconds : float
        How long constructor may take.

    Raises
    ------
    ArtifactError
        It failed, with its last lines; or the installer holds other packages than it should.
    LimitError, StorageError
        It took too long; the disk is full.
    """
    write_folder(job, folder / "input", progress)
    output = folder / "output"
    output.mkdir()
    arguments = command(tool, job)
    shown = [_without(folder, tool, argument) for argument in arguments[1:]]
    progress.log(f"constructor {' '.join(shown)}")
    _run(arguments, folder, _environment(tool, folder), lambda line: _without(folder, tool, line), progress, seconds)
    made = output / job.file_name
    if not made.is_file():
        there = ", ".join(sorted(path.name for path in output.iterdir())) or "nothing"
        msg = f"constructor ended well and left no {job.file_name}, but {there}"
        raise ArtifactError(msg)
    verify(job, made, output)
    with made.open("rb") as file:
        while data := file.read(PIECE):
            sink.write(data)
    return shown


def _without(folder: Path, tool: Constructor, text: str) -> str:
    """Return a text without places of this server."""
    return text.replace(f"{folder}/", "").replace(str(tool.standalone), "conda.exe").replace(str(tool.native), "conda")


def command(tool: Constructor, job: Job) -> list[str]:
    """Return constructor's command line (its ``--help``); it stands in the history of what is installed."""
    return [
        str(tool.program),
        "--platform",
        job.about.platform,
        "--conda-exe",
        str(tool.standalone),
        "--cache-dir",
        "cache",
        "--output-dir",
        "output",
        "input",
    ]


def _environment(tool: Constructor, folder: Path) -> dict[str, str]:
    """Return variables that keep conda away from the network, and from what else is on this machine."""
    home = folder / "home"
    home.mkdir()
    kept = {name: value for name, value in scrubbed_environment().items() if name not in ("CONDARC", "NETRC")}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(folder),
        "CONDA_EXE": str(tool.native),
        "CONDA_PKGS_DIRS": str(folder / "packages"),
        "CONDA_OFFLINE": "true",
        "CONDA_REGISTER_ENVS": "false",
        "CONDA_REPORT_ERRORS": "false",
        "CONDA_NUMBER_CHANNEL_NOTICES": "0",
        "CONDA_QUIET": "true",
        "PYTHONUNBUFFERED": "1",
    }


def _run(
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    clean: Callable[[str], str],
    progress: Progress,
    seconds: float,
) -> None:
    """Run constructor, its words in the log. It stays in the worker's group, and ends with it."""
    deadline = time.monotonic() + seconds
    last: deque[str] = deque(maxlen=LAST_LINES)
    full = False
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            for line in map(clean, _lines(process, deadline)):
                last.append(line)
                full = full or "No space left on device" in line
                progress.log(line)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            msg = f"constructor took longer than {seconds:.0f} s"
            raise LimitError(msg) from None
        finally:
            if process.poll() is None:
                process.kill()
    if full:
        msg = "no space left on the store's disk; free some with: jupyter envstore gc"
        raise StorageError(msg)
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        text = redact("\n".join(last)) or "it said nothing"
        msg = f"constructor {how}:\n{text}"
        raise ArtifactError(msg)


def _lines(process: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """Yield what a process prints, line by line, until it ends or the time is up."""
    import selectors

    assert process.stdout is not None  # noqa: S101 - for the type checker
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, 0)
            if not selector.select(min(left, 5.0)):
                continue
            data = os.read(process.stdout.fileno(), 65_536)
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace").rstrip("\r") for line in whole if line.strip())
            if not data:
                break
    if rest.strip():
        yield rest.decode("utf-8", "replace")


def verify(job: Job, made: Path, output: Path) -> None:
    """Refuse an installer that does not hold exactly the packages of the lock and the extras.

    constructor's own list is read; of a ``.sh`` the packages themselves too, each with its hash.

    Raises
    ------
    ArtifactError
        With what is missing or too much.
    """
    expected = package_hashes(job.records)
    listed = output / "lockfile.base.txt"
    try:
        text = listed.read_text(encoding="utf-8")
    except OSError:
        msg = "constructor left no list of the packages in the installer, so it cannot be checked"
        raise ArtifactError(msg) from None
    addresses = [line.partition("#")[0] for line in text.splitlines() if "://" in line and not line.startswith("#")]
    _compare({address.rsplit("/", 1)[1] for address in addresses}, set(expected), "lists")
    if job.kind == "sh":
        found = packages_inside(made)
        _compare(set(found), set(expected), "holds")
        for name, digests in found.items():
            if expected[name] not in digests:
                msg = f"{name} in the installer is not the one that was locked: its hashes are {', '.join(digests)}"
                raise ArtifactError(msg)


def _compare(found: set[str], expected: set[str], verb: str) -> None:
    missing, more = sorted(expected - found), sorted(found - expected)
    if missing or more:
        parts = [f"without {', '.join(missing[:5])}"] if missing else []
        parts += [f"with {', '.join(more[:5])}, which nobody locked"] if more else []
        msg = f"the installer {verb} other packages than were locked: {'; '.join(parts)}"
        raise ArtifactError(msg)


def packages_inside(made: Path) -> dict[str, tuple[str, str]]:
    """Return the packages that lie in a ``.sh`` installer, each with its SHA-256 and MD5.

    Raises
    ------
    ArtifactError
        The file has another form.
    """
    try:
        with made.open("rb") as file:
            start = file.read(MAX_HEADER)
            sizes = dict(BOUNDARY.findall(start[: start.index(END)]))
            file.seek(made.stat().st_size - int(sizes[max(sizes)]))
            return dict(_packages_of_tar(file))
    except (ValueError, KeyError, tarfile.TarError) as error:
        msg = f"the installer has another form than known, so it cannot be checked: {error}"
        raise ArtifactError(msg) from None


def _packages_of_tar(file: IO[bytes]) -> Iterator[tuple[str, tuple[str, str]]]:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            if not re.fullmatch(r"pkgs/[^/]+\.(conda|tar\.bz2)", member.name):
                continue
            content = archive.extractfile(member)
            sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            while content is not None and (data := content.read(PIECE)):
                sha256.update(data)
                md5.update(data)
            yield member.name.removeprefix("pkgs/"), (sha256.hexdigest(), md5.hexdigest())
