"""Scripts that packages want run when they are linked (``bin/.<name>-post-link.sh``), as conda runs them.

Variables and order are those of conda's ``core/link.py``: topological, in the activated environment, in ``bin``, with
``PREFIX``, ``PKG_NAME``, ``PKG_VERSION``, ``PKG_BUILDNUM`` and ``ROOT_PREFIX``. ``pre-link`` scripts could change the
package cache and are not run (conda has deprecated them); ``pre-unlink`` scripts neither, since prefixes go as a whole.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.engine.conda_meta import META
from jupyter_envstore.engine.environment_variables import activation_script
from jupyter_envstore.engine.lock import sort_topologically
from jupyter_envstore.engine.process_environment import package_environment
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.sandbox import Reach, Sandbox
from jupyter_envstore.engine.stray_processes import end_strays
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.wording import counted

POST_LINK, PRE_LINK = "post-link", "pre-link"
SECONDS = 600.0
"""How long one script may take."""
MOST_LINES = 200
LAST_LINES = 8
MOST_BYTES = 256 << 10
MESSAGES = ".messages.txt"
"""What a script has to say to people, in the prefix; shown and removed."""
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
MARK = "ENVSTORE_LINK_SCRIPT"


@dataclass(frozen=True)
class LinkScript:
    """A script of a package.

    Parameters
    ----------
    kind : str
        ``post-link`` or ``pre-link``.
    path : str
        Where it lies in the prefix.
    """

    package: str
    version: str
    build_number: int
    kind: str
    path: str

    def __str__(self) -> str:
        return f"the {self.kind} script of {self.package} {self.version} ({self.path})"


def find_link_scripts(prefix: Path, lock: PlatformLock) -> list[LinkScript]:
    """Return the scripts that the packages of a linked prefix have for their installation, in conda's order."""
    lying = [
        (record, kind, path)
        for record in lock.conda
        for kind in (PRE_LINK, POST_LINK)
        if os.path.lexists(prefix / (path := f"bin/.{record['name']}-{kind}.sh"))
    ]
    if not lying:  # as in most environments: their packages' records need not be read
        return []
    brought: set[str] = set()  # a PyPI package may have put it there, which conda would not run
    for meta in (prefix / META).glob("*.json"):
        brought.update(name for name in json.loads(meta.read_bytes())["files"] if name.startswith("bin/."))
    place = {record["name"]: number for number, record in enumerate(sort_topologically(lock.conda))}
    found = [
        LinkScript(record["name"], record["version"], int(record.get("build_number") or 0), kind, path)
        for record, kind, path in lying
        if path in brought
    ]
    found.sort(key=lambda script: place[script.package])
    return found


def run_link_scripts(
    scripts: Sequence[LinkScript], prefix: Path, scratch: Path, sandbox: Sandbox, progress: Progress, seconds: float
) -> None:
    """Run the post-link scripts among ``scripts`` in a prefix that lies at its place.

    Parameters
    ----------
    scratch : Path
        A folder for what they leave in their home folder and among temporary files; it is made.
    sandbox : Sandbox
        Where they run: they write into the prefix and those folders.
    seconds : float
        How long all of them may take.

    Raises
    ------
    PackageError
        One fails, or does not end; with its last words.
    """
    deadline = time.monotonic() + seconds
    for script in scripts:
        if script.kind != POST_LINK:
            continue
        progress.log(f"running {script}")
        started = time.monotonic()
        limit = min(SECONDS, max(1.0, deadline - started))
        code, said = _run(script, prefix, scratch, sandbox, limit)
        messages = _messages(prefix)
        for line in said[-MOST_LINES:]:
            progress.log(f"{script.package}: {line}")
        for line in messages:
            progress.log(f"{script.package} says: {line}")
        if code != 0:
            words = "\n".join([*messages[-LAST_LINES:], *said[-LAST_LINES:]]) or "it said nothing"
            how = f"does not end within {limit:.0f} s" if code is None else f"fails with exit code {code}"
            msg = (
                f"{script} {how}: {words}\n"
                "leave the package out, or take another version; with the setting link_scripts at report it is not run"
            )
            raise PackageError(msg)
        progress.log(f"done in {time.monotonic() - started:.1f} s")


def refusal(scripts: Sequence[LinkScript]) -> str:
    """Return why a build is refused that has scripts."""
    names = ", ".join(f"{script.package} {script.version} ({script.kind})" for script in scripts)
    has = counted(len(scripts), "package script")
    return f"{has} would have to run when packages are linked, which link_scripts refuses here: {names}"


def _run(
    script: LinkScript, prefix: Path, scratch: Path, sandbox: Sandbox, limit: float
) -> tuple[int | None, list[str]]:
    """Return the exit code of a script (None where it did not end), and what it said."""
    home, temporary = scratch / "home", scratch / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    environment = package_environment() | {
        "PATH": PATH,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PREFIX": str(prefix),
        "ROOT_PREFIX": str(prefix),
        "PKG_NAME": script.package,
        "PKG_VERSION": script.version,
        "PKG_BUILDNUM": str(script.build_number),
        "PYTHONDONTWRITEBYTECODE": "1",  # byte code has the time in it, and is made later, without
        "PYTHONNOUSERSITE": "1",
        MARK: mark,
    }
    text = f"{activation_script(prefix)}. {shlex.quote(str(prefix / script.path))}\n"
    caller = scratch / "run.sh"  # a file: an argument would have a limit
    caller.write_text(text, encoding="utf-8")
    output = scratch / "output"
    words = [shutil.which("bash", path=PATH) or "/bin/sh", str(caller)]
    reach = Reach((caller,), (prefix, home, temporary))
    with output.open("wb") as file:  # not a pipe, which a process that stays behind would hold open
        process = subprocess.Popen(
            sandbox.command(words, reach, prefix / "bin"),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=prefix / "bin",
            umask=0o022,
        )
        try:
            code: int | None = sandbox.ended(process.wait(limit))
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            end_strays(MARK, mark)
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - MOST_BYTES))
        return code, [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]


def _messages(prefix: Path) -> list[str]:
    path = prefix / MESSAGES
    if path.is_symlink() or not path.is_file():
        path.unlink(missing_ok=True) if path.is_symlink() else None
        return []
    with path.open("rb") as file:
        text = file.read(MOST_BYTES).decode("utf-8", "replace")
    path.unlink()
    return [line for line in text.splitlines() if line.strip()][:MOST_LINES]
