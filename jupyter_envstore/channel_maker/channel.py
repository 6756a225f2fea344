"""Make a conda channel on the spot: Python installations and PyPI wheels, packed and indexed."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.channel_maker.load_check import Unloadable, find_unloadable
from jupyter_envstore.channel_maker.python_package import describe_python, package_python
from jupyter_envstore.channel_maker.wheel_requirements import WheelTarget, metadata_of, tell_of_requirements
from jupyter_envstore.channel_maker.wheels import BINARY_BUILD, package_wheel
from jupyter_envstore.errors import InvalidInputError, PipError

DEMO_REQUIREMENTS = ("pip", "ipykernel", "numpy", "pandas", "flask")
MADE = "made.jsonl"
"""File in a channel's folder that lists what it was made of: the same once more is no work."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class ChannelResult:
    """What was made: folder, number of packages written now, Python versions, and what of them cannot be loaded.

    ``notes`` tell what of the requirements a channel has no place for.
    """

    path: Path
    added: int
    pythons: tuple[str, ...]
    unloadable: tuple[Unloadable, ...] = ()
    notes: tuple[str, ...] = ()


def make_channel(
    directory: Path,
    requirements: Sequence[str] = DEMO_REQUIREMENTS,
    pythons: Sequence[Path] = (),
    report: Report = lambda _: None,
) -> ChannelResult:
    """Make or extend a conda channel in ``directory``.

    Parameters
    ----------
    directory : Path
        Folder of the channel; made if it is missing. Packages that it has are kept. What was put in once is not
        looked for again; remove ``made.jsonl`` to bring newer versions in.
    requirements : sequence of str
        PEP 508 requirements; they and all that they need are taken from PyPI as wheels. Those of their extras are
        taken, too; the result tells which packages they are, since conda's have no extras.
    pythons : sequence of Path
        Prefixes of CPython installations; by default the one that runs this program.

    Each shared object is loaded at the end; what cannot be is told in the result, and stays in the channel.

    Raises
    ------
    InvalidInputError
        A prefix holds no Python.
    PipError
        A requirement has no wheels.
    """
    subdir = platform_subdir()
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    found = [describe_python(prefix) for prefix in pythons or [Path(sys.base_prefix)]]
    versions = [version for _, version in found]
    request = [sorted(requirements), sorted(versions), BINARY_BUILD]
    known = _made(directory, request)
    if known is not None:
        return ChannelResult(directory, 0, tuple(versions), *known)
    packed = [_pack(directory, requirements, base, version, report) for base, version in found]
    notes = tuple(dict.fromkeys(note for one in packed for note in one.notes))
    for folder_name in (subdir, "noarch"):
        (directory / folder_name).mkdir(exist_ok=True)
    report("writing the index")
    index_channel(directory)
    report("loading each shared object")
    unloadable = tuple(lost for one in packed for lost in find_unloadable(directory, subdir, one.packages))
    with (directory / MADE).open("a", encoding="utf-8") as file:
        lost = [[one.package, one.path, one.reason] for one in unloadable]
        file.write(json.dumps({"request": request, "unloadable": lost, "notes": list(notes)}) + "\n")
    return ChannelResult(directory, sum(one.added for one in packed), tuple(versions), unloadable, notes)


@dataclass(frozen=True)
class _Packed:
    """What was packed for one Python: all packages, how many of them are new, and what was not understood."""

    packages: list[Path]
    added: int
    notes: list[str]


def _pack(directory: Path, requirements: Sequence[str], base: Path, version: str, report: Report) -> _Packed:
    """Pack a Python, and what the requirements need for it."""
    subdir = platform_subdir()
    python = directory / subdir / f"python-{version}-0_cpython.conda"
    is_new = not python.exists()
    if is_new:
        report(f"packing Python {version}")
        package_python(base, directory, subdir)
    with tempfile.TemporaryDirectory(prefix="envstore-channel-") as folder:
        report(f"downloading wheels for Python {version}: {', '.join(requirements) or 'none'}")
        wheels = download_wheels(requirements, version, Path(folder))
        target = WheelTarget(version, subdir)
        report(f"packing {len(wheels)} wheels")
        beside = metadata_of(wheels)
        notes = tell_of_requirements(requirements, target, beside)
        packed = [package_wheel(wheel, directory, target, beside) for wheel in wheels]
    return _Packed([python, *(path for path, _ in packed)], is_new + sum(new for _, new in packed), list(notes))


def _made(directory: Path, request: list[object]) -> tuple[tuple[Unloadable, ...], tuple[str, ...]] | None:
    """Return what an earlier run that was asked for the same told; None where there was none."""
    path = directory / MADE
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        if isinstance(entry, dict) and entry["request"] == request:
            return tuple(Unloadable(*lost) for lost in entry["unloadable"]), tuple(entry.get("notes", ()))
    return None


def download_wheels(requirements: Sequence[str], python: str, folder: Path) -> list[Path]:
    """Download wheels of ``requirements`` and all that they need, for Python version ``python``.

    Raises
    ------
    InvalidInputError
        This Python has no pip.
    PipError
        A wheel cannot be had.
    """
    if not requirements:
        return []
    major_minor = ".".join(python.split(".")[:2])
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--only-binary", ":all:", "--python-version", major_minor, "--implementation", "cp"]
    command += ["--dest", str(folder), "--", *requirements]
    if shutil.which("pip") is None and subprocess.run(command[:4], capture_output=True, check=False).returncode:
        msg = "making a channel needs pip beside this Python: python -m ensurepip"
        raise InvalidInputError(msg)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
        msg = f"cannot download wheels of {', '.join(requirements)}: {reasons[-1].removeprefix('ERROR: ')}"
        raise PipError(msg)
    return sorted(folder.glob("*.whl"))


def index_channel(directory: Path) -> None:
    """Write ``repodata.json``, its compressed form and shards for every platform folder."""
    from rattler.index import index_fs

    asyncio.run(index_fs(directory))


def platform_subdir() -> str:
    """Name of the platform that runs this, as conda spells it."""
    from rattler import Subdir

    return str(Subdir.current())
