"""Kernels of a prefix, put right where that is safe: which can start, which are left out, and why."""

from __future__ import annotations

import codecs
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.conda_meta import owners_of
from jupyter_envstore.engine.kernel_files import kernel_command, kernel_files
from jupyter_envstore.spec.wording import json_kind

MOST_BYTES = 1 << 20
"""Of a ``kernel.json``."""
MOST_RESOURCE = 8 << 20
"""Of a file beside it, such as a logo."""
TEXTS = ("display_name", "language", "mimetype", "name", "kernel_protocol_version")
INTERRUPTS = ("signal", "message")
"""What Jupyter takes as ``interrupt_mode``; another one makes it refuse the kernel."""


@dataclass(frozen=True)
class BroughtKernel:
    """A kernel that a package brought.

    Parameters
    ----------
    name : str
        Name of its folder.
    source : Path
        Its ``kernel.json``.
    spec : dict or None
        What stands in it, put right; None where it is left out.
    faults : tuple of str
        What is wrong with it.
    """

    name: str
    source: Path
    spec: dict[str, Any] | None
    faults: tuple[str, ...]


@dataclass(frozen=True)
class KernelFault:
    """What is wrong with a kernel, in words that name it, its package and its file (``path`` within the prefix)."""

    package: str
    path: str
    message: str


class _LeftOutError(Exception):
    """A kernel cannot start; why."""


def brought_kernels(prefix: Path, path: str) -> Iterator[BroughtKernel]:
    """Yield each kernel of a prefix, by name; ``path`` is where activation lets a shell look for programs."""
    inside = os.path.realpath(prefix)
    for source in kernel_files(prefix):
        faults: list[str] = []
        spec: dict[str, Any] | None = None
        try:
            spec = _repaired(_read(source, inside), faults)
            _check_program(spec, source.parent, prefix, path, faults)
            faults += _left_files(source.parent, inside)
        except _LeftOutError as error:
            spec, faults = None, [f"is left out: {error}"]
        yield BroughtKernel(source.parent.name, source, spec, tuple(faults))


def kernel_faults(prefix: Path, path: str) -> list[KernelFault]:
    """Return what is wrong with the kernels of a prefix."""
    found = [(kernel, kernel.source.relative_to(prefix).as_posix()) for kernel in brought_kernels(prefix, path)]
    owners = owners_of(prefix, {place for kernel, place in found if kernel.faults})
    faults = []
    for kernel, place in found:
        package = owners.get(place, "")
        whose = f" of {package}" if package else ""
        faults += [KernelFault(package, place, f"kernel {kernel.name}{whose} {fault}") for fault in kernel.faults]
    return faults


def is_taken(entry: os.DirEntry[str], inside: str) -> bool:
    """Whether a file beside a ``kernel.json`` is taken over: one of the prefix, no link that leads out, none too large.

    ``inside`` is the prefix without links in its path.
    """
    if entry.is_symlink() and not _is_inside(entry.path, inside):
        return False
    try:
        return entry.is_file() and entry.stat().st_size <= MOST_RESOURCE
    except OSError:  # a link that leads to itself
        return False


def _left_files(folder: Path, inside: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name == "kernel.json" or is_taken(entry, inside) or entry.is_dir(follow_symlinks=False):
                continue
            why = "leads out of the environment, or nowhere" if entry.is_symlink() else "is too large, or no file"
            yield f"is offered without {entry.name}, which {why}"


def _is_inside(path: str | Path, inside: str) -> bool:
    real = os.path.realpath(path)
    return real == inside or real.startswith(f"{inside}/")


def _read(source: Path, inside: str) -> dict[str, Any]:
    if not _is_inside(source, inside):
        msg = "it lies behind a link that leads out of the environment"
        raise _LeftOutError(msg)
    try:
        if not source.is_file():
            msg = "its kernel.json is no file"
            raise _LeftOutError(msg)
        if source.stat().st_size > MOST_BYTES:
            msg = f"its kernel.json has more than {MOST_BYTES >> 20} MB"
            raise _LeftOutError(msg)
        spec = json.loads(_text(source.read_bytes()), parse_constant=_no_constant)
    except OSError as error:
        msg = f"its kernel.json cannot be read ({error.strerror})"
        raise _LeftOutError(msg) from None
    except UnicodeDecodeError:
        msg = "its kernel.json is not UTF-8"
        raise _LeftOutError(msg) from None
    except json.JSONDecodeError as error:
        msg = f"its kernel.json is not JSON ({error.msg}, line {error.lineno})"
        raise _LeftOutError(msg) from None
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        msg = f"its kernel.json cannot be read ({why})"
        raise _LeftOutError(msg) from None
    if not isinstance(spec, dict):
        msg = f"its kernel.json is {json_kind(spec)}, not an object"
        raise _LeftOutError(msg)
    return spec


def _text(data: bytes) -> str:
    """Return a text in UTF-8, or in UTF-16 where a mark says so; without the mark."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _no_constant(text: str) -> Any:
    msg = f"{text} is no number that JSON has"
    raise ValueError(msg)


def _repaired(spec: dict[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return a kernelspec that Jupyter can read; what is not needed for a start is dropped where it is of no use."""
    spec = {**spec, "argv": _command(spec)}
    for key in TEXTS:
        if key in spec and not isinstance(spec[key], str):
            if spec[key] is not None:
                faults.append(f"has {json_kind(spec[key])} as {key}, not a text; it is not heeded")
            del spec[key]
    for key in ("env", "metadata"):
        if not isinstance(spec.get(key), dict):
            if spec.get(key) is not None:
                faults.append(f"has {json_kind(spec[key])} as {key}, not an object; it is not heeded")
            spec[key] = {}
    spec["env"] = dict(_variables(spec["env"], faults))
    mode = spec.get("interrupt_mode")
    if mode is not None and str(mode).lower() not in INTERRUPTS:
        faults.append(f"has {str(mode)[:40]!r} as interrupt_mode, which is not one that Jupyter knows; it is ignored")
    if str(mode).lower() not in INTERRUPTS:
        spec.pop("interrupt_mode", None)
    spec.pop("resource_dir", None)  # Jupyter sets it itself, and fails where it is there
    if not any("{connection_file}" in word for word in spec["argv"]):
        faults.append("has no {connection_file} in argv, so nothing may reach it")
    return spec


def _command(spec: dict[str, Any]) -> list[str]:
    argv = spec.get("argv")
    if argv is None or argv == []:
        msg = "it has no argv, which is the command that starts it"
        raise _LeftOutError(msg)
    if not isinstance(argv, list):
        msg = f"its argv is {json_kind(argv)}, not a list of words"
        raise _LeftOutError(msg)
    for word in argv:
        if isinstance(word, bool) or not isinstance(word, str | int | float) or "\0" in str(word):
            msg = "its argv holds something that is no word"
            raise _LeftOutError(msg)
    words = [str(word) for word in argv]
    if not words[0].strip():
        msg = "its argv begins with an empty word"
        raise _LeftOutError(msg)
    return words


def _variables(env: dict[str, Any], faults: list[str]) -> Iterator[tuple[str, str]]:
    for name, value in env.items():
        if value is None or isinstance(value, list | dict) or not name or "=" in name or "\0" in f"{name}{value}":
            faults.append(f"sets {name[:80]!r} to {json_kind(value)} in env, which no variable can be; it is not set")
        else:
            yield name, str(value)


def _check_program(spec: dict[str, Any], folder: Path, prefix: Path, path: str, faults: list[str]) -> None:
    """See that the program is there: in the environment, or at least on this machine."""
    program = kernel_command(spec, folder, prefix)[0]
    if os.path.isabs(program):  # noqa: PTH117
        found = program if os.path.exists(program) else None  # noqa: PTH110
    else:
        found = shutil.which(program, path=path)
    if found is None:
        msg = f"its program {spec['argv'][0]} is not in the environment"
        raise _LeftOutError(msg)
    if not os.path.isfile(found) or not os.access(found, os.X_OK):  # noqa: PTH113
        msg = f"its program {spec['argv'][0]} cannot be run"
        raise _LeftOutError(msg)
    if not found.startswith(f"{prefix}/"):
        faults.append(f"starts {found} of this machine, since its program is not in the environment")
