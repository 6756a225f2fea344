"""What uv leaves out where packages cannot be resolved: all that cannot be had, and which wheel of which index."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from jupyter_envstore.engine.channels import local_path, redact, strip_login
from jupyter_envstore.engine.uv import Bounds, run_uv
from jupyter_envstore.engine.wheel_contents import check_wheel
from jupyter_envstore.errors import LimitError, PipError
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.specification import PipOptions

SECONDS = 20.0
"""How long is looked for further faults after the first one."""
FAULTY = re.compile(
    r"invalid package format|invalid metadata|wrong package|does not match|Failed to (?:download|extract)"
)
NAMES = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==|given name `([^`]+)`|metadata for ([A-Za-z0-9._-]+), got")


def with_all_faults(
    error: PipError, what: str, command: Sequence[str], wanted: Sequence[str], folder: Path, bounds: Bounds | None
) -> PipError:
    """Return an error that names each of ``wanted`` which cannot be had even by itself.

    Parameters
    ----------
    error : PipError
        What uv says about all of them. It is returned where fewer than two fail by themselves: then it says everything.
    what : str
        What its message begins with.
    command : sequence of str
        uv's command that failed.
    wanted : sequence of str
        The requirements.
    folder : Path
        Where temporary files may be written.
    bounds : Bounds or None
        Those that the command ran in.
    """
    if len(wanted) < 2:
        return error
    with tempfile.TemporaryDirectory(prefix="envstore-alone-") as fresh:  # where no build has put anything
        alone = Path(fresh) / "alone.in"
        values = {"compile": str(alone), "--output-file": str(folder / "pylock.alone.toml")}
        words = list(command)
        for name, value in values.items():
            words[words.index(name) + 1] = value
        if bounds is not None:
            reads = (*bounds.reach.reads, Path(fresh))
            bounds = replace(bounds, reach=replace(bounds.reach, reads=reads))
        faults = _faults(words, what, wanted, alone, bounds)
    if len(faults) < 2:
        return error
    explained = str(error).partition("\n")[2]
    return PipError(f"{what}: {'; '.join(faults)}\n{explained}")


def _faults(words: Sequence[str], what: str, wanted: Sequence[str], alone: Path, bounds: Bounds | None) -> list[str]:
    """Return why each requirement cannot be had even by itself."""
    faults = []
    deadline = time.monotonic() + SECONDS
    for line in wanted:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        alone.write_text(line + "\n", encoding="utf-8")
        try:
            run_uv([*words, "--no-deps"], left, what, bounds=bounds)
        except PipError as fault:
            faults.append(str(fault).split("\n", 1)[0].removeprefix(f"{what}: "))
        except LimitError:
            break
    return faults


def with_wheel_faults(error: PipError, options: PipOptions) -> PipError:
    """Return an error that tells which indexes a faulty wheel may be of; or, where it lies here, what is wrong with it.

    Parameters
    ----------
    error : PipError
        What uv says. It is returned where it tells of no faulty wheel.
    options : PipOptions
        The indexes that were asked.
    """
    text = str(error)
    if not FAULTY.search(text):
        return error
    names = {canonicalize_name(name) for found in NAMES.findall(text) for name in found if name}
    for wheel in _local_wheels(options):
        if canonicalize_name(wheel["name"]) in names:
            try:
                check_wheel(wheel, local_path(wheel["url"]) or Path(), thorough=True)
            except PipError as fault:
                return fault
            except OSError:  # uv says so
                continue
    asked = [options.index_url or "PyPI", *options.extra_index_urls, *options.find_links]
    first, newline, rest = text.partition("\n")
    listed = ", ".join(redact(strip_login(place)) for place in asked)
    return PipError(f"{first} (asked were {listed}){newline}{rest}")


def _local_wheels(options: PipOptions) -> Iterator[PypiEntry]:
    """Yield the wheels of the folders that packages are taken from, as a lock would have them."""
    for place in options.find_links:
        folder = local_path(place) or Path(place)
        for path in sorted(folder.resolve().glob("*.whl")) if folder.is_dir() else ():
            with contextlib.suppress(InvalidWheelFilename):
                name, version, _, _ = parse_wheel_filename(path.name)
                yield {
                    "name": str(name),
                    "version": str(version),
                    "url": path.as_uri(),
                    "filename": path.name,
                    "sha256": "",
                    "size": 0,
                    "index": "",
                    "dependencies": [],
                }
