"""Where constructor is: named, on ``PATH``, or linked here from a channel, once for the whole store."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import SolveOptions, current_platform, solve
from jupyter_envstore.errors import ArtifactError, EnvStoreError

OLDEST = (3, 11)
"""The first that writes down which packages are in an installer (constructor's changelog, 3.11.0)."""
SPECS = ("constructor >=3.11", "conda-standalone")
STANDALONE = "standalone_conda/conda.exe"
TRIED_AGAIN = 3600.0
"""Seconds until a channel without constructor is asked again."""
SOLVE_SECONDS = 60.0
WAY_OUT = (
    "install constructor (conda-forge has it) and put it on PATH, name it in c.EnvStoreApp.constructor, or use a "
    "default channel that has it and conda-standalone; the setting installer_maker = self-extracting needs neither"
)


class ConstructorMissingError(ArtifactError):
    """constructor cannot be had; the message tells why, and the ways out."""


@dataclass(frozen=True)
class Constructor:
    """A constructor that runs here.

    Parameters
    ----------
    program : Path
        What is run.
    version : str
        Its version.
    native : Path
        The conda-standalone of this machine.
    standalone : Path
        The one that goes into the installer, of the installer's platform.
    """

    program: Path
    version: str
    native: Path
    standalone: Path


@dataclass(frozen=True)
class Toolbox:
    """Where tools are looked for, and put.

    Parameters
    ----------
    named : str
        constructor's program, where the configuration names it.
    folder : Path
        Of what is linked here.
    cache, repodata : Path
        Caches of packages and of indexes.
    channels : ChannelPolicy
        Whose default channels are asked.
    """

    named: str
    folder: Path
    cache: Path
    repodata: Path
    channels: ChannelPolicy

    def find(self, platform: str, progress: Progress) -> Constructor:
        """Return a constructor that makes installers for a platform; link what is needed for it.

        Raises
        ------
        ConstructorMissingError
            There is none.
        """
        here = current_platform()
        named = self.named or shutil.which("constructor", path=scrubbed_environment().get("PATH")) or ""
        prefix = None if named else self._linked("constructor", SPECS, here, progress)
        program = Path(named) if prefix is None else prefix / "bin" / "constructor"
        version = self._version(program)
        native = program.resolve().parent.parent / STANDALONE
        if not native.is_file():
            prefix = self._linked("conda-standalone", SPECS[1:], here, progress)
            native = prefix / STANDALONE
        if platform == here:
            return Constructor(program, version, native, native)
        prefix = self._linked("conda-standalone", SPECS[1:], platform, progress)
        return Constructor(program, version, native, prefix / STANDALONE)

    def _version(self, program: Path) -> str:
        """Return the version of a constructor, which takes a second to tell it; kept until its program changes."""
        note = self.folder / ".constructor-version.json"
        mark: list[Any] = []
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            info = program.stat()
            mark = [str(program), info.st_mtime_ns, info.st_size]
            known = json.loads(note.read_text(encoding="utf-8"))
            if known["program"] == mark:
                return str(known["version"])
        version = constructor_version(program)
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            note.write_text(json.dumps({"program": mark, "version": version}), encoding="utf-8")
        return version

    def _linked(self, name: str, specs: Sequence[str], platform: str, progress: Progress) -> Path:
        """Return a prefix with these packages, linked now if it was not before."""
        channels = self.channels.resolve(())
        target = self.folder / f"{name}-{platform}"
        if target.is_dir():
            return target
        with self._lock(name):
            if target.is_dir():  # another worker was faster
                return target
            refused = self._refusal(name, platform, channels)
            if refused:
                raise ConstructorMissingError(refused)
            progress.log(f"linking {name} for {platform} from {', '.join(channels)}")
            staging = self.folder / f".{target.name}.new"
            remove_tree(staging)
            try:
                options = SolveOptions(timeout=SOLVE_SECONDS)
                found = solve(specs, channels, platform, self.repodata, self.channels, options)
                link_conda(PlatformLock(found.records), platform, staging, target, self.cache, progress)
                staging.rename(target)
            except EnvStoreError as error:
                remove_tree(staging)
                msg = f"{name} cannot be had: {str(error).splitlines()[0]}; {WAY_OUT}"
                self._note_refusal(name, platform, channels, msg)
                raise ConstructorMissingError(msg) from None
        return target

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / f".{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _refusal(self, name: str, platform: str, channels: Sequence[str]) -> str:
        """Return why these channels gave nothing a while ago; asking one that is away takes long."""
        try:
            known = json.loads((self.folder / f".{name}-{platform}.json").read_text(encoding="utf-8"))
            fresh = 0 <= time.time() - known["at"] < TRIED_AGAIN and known["channels"] == list(channels)
            return str(known["reason"]) if fresh else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _note_refusal(self, name: str, platform: str, channels: Sequence[str], reason: str) -> None:
        value = {"at": time.time(), "channels": list(channels), "reason": reason}
        with contextlib.suppress(OSError):
            (self.folder / f".{name}-{platform}.json").write_text(json.dumps(value), encoding="utf-8")


def constructor_version(program: Path) -> str:
    """Return the version of a constructor.

    Raises
    ------
    ConstructorMissingError
        It does not run, or is too old.
    """
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=scrubbed_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it gives no answer"
        msg = f"constructor at {program} does not run: {reason}; {WAY_OUT}"
        raise ConstructorMissingError(msg) from None
    found = re.search(r"(\d+)\.(\d+)(?:\.\S+)?", done.stdout + done.stderr)
    if done.returncode or found is None:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        msg = f"constructor at {program} does not run: {last[:300]}; {WAY_OUT}"
        raise ConstructorMissingError(msg)
    if (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        msg = f"constructor at {program} is {found[0]}, too old: {wanted} or newer is needed; {WAY_OUT}"
        raise ConstructorMissingError(msg)
    return found[0]
