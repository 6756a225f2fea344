"""The variables of an environment: of its packages, of its specification, and the scripts that set them.

Conda reads ``etc/conda/env_vars.d/*`` in the order of their names, then ``conda-meta/state``; what comes later wins
(conda's ``activate.py``). ``activate.d`` runs after both.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.conda_meta import disown_paths, owners_of
from jupyter_envstore.engine.prefix import write_new
from jupyter_envstore.spec.wording import json_kind

STATE = "conda-meta/state"
"""Where conda looks for variables of the environment itself (conda's ``env config vars``)."""
PACKAGES = "etc/conda/env_vars.d"
"""Where it looks for those of packages."""
TOO_LONG = "with which no program could be started: left out"
UNSET = "***unset***"
"""What conda writes for a variable that shall not be set (``CONDA_ENV_VARS_UNSET_VAR``)."""
RESERVED = frozenset(
    {"PATH", "CONDA_PREFIX", "CONDA_SHLVL", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"}
    | {"UID", "EUID", "PPID", "BASHOPTS", "BASH_VERSINFO", "SHELLOPTS"}
)
"""Set by activation itself, or by bash, which lets nobody change them."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
MOST_BYTES = 1 << 20
MOST_OF_ONE = (128 << 10) - 1
"""Bytes of a name, ``=`` and a value that Linux hands to a program (``MAX_ARG_STRLEN``, ``execve(2)``)."""
MOST_OF_ALL = 1 << 20
"""Bytes of all of them: half of what Linux hands on where nobody asked for another stack."""
SCRIPT = "00-envstore-variables"
"""In front of packages' scripts, as conda sets variables before it runs them."""


@dataclass(frozen=True)
class VariableFault:
    """Something in a file of variables that is not set, or is set otherwise than it reads.

    Parameters
    ----------
    path : str
        The file, within the prefix.
    package : str
        Who brought it; empty where no package did.
    message : str
        Names both, and what is wrong.
    """

    path: str
    package: str
    message: str


@dataclass(frozen=True)
class Variables:
    """What activation sets, and what it leaves out."""

    values: Mapping[str, str]
    faults: tuple[VariableFault, ...] = ()


def read_variables(prefix: Path) -> Variables:
    """Return the variables of an environment as conda sets them.

    A name with small letters is set as it is written, as mamba and rattler do, and in capitals too, as conda does.
    What conda could not read, or its shell could not set, is left out and is a fault.
    """
    reader = _Reader(prefix)
    folder = prefix / PACKAGES
    if folder.is_dir():
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            reader.read(f"{PACKAGES}/{path.name}")
    if (prefix / STATE).exists():
        reader.read(STATE, "env_vars")
    owners = owners_of(prefix, {place for place, _ in reader.faults})
    faults = []
    for place, text in reader.faults:
        package = owners.get(place, "")
        whose = f" of {package}" if package else ""
        faults.append(VariableFault(place, package, f"{place}{whose} {text}"))
    found = reader.found
    for name, value in list(found.items()):
        if name.upper() not in RESERVED:
            found.setdefault(name.upper(), value)
    return Variables({name: value for name, value in found.items() if value != UNSET}, tuple(faults))


def _length(name: str, value: str) -> int:
    """Return the bytes that a variable takes in what a program is given, its end included."""
    return len(name) + len(value.encode()) + 2


class _Reader:
    """Gathers variables file by file, and what is wrong with them."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.found: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.faults: list[tuple[str, str]] = []
        self.bytes = 0

    def read(self, place: str, key: str = "") -> None:
        """Add the variables of a file; with ``key``, those that stand below it."""
        try:
            data = self.load(place, key)
        except ValueError as error:
            self.faults.append((place, f"{error}; it sets no variable"))
            return
        for name, value in (data.get(key, {}) if key else data).items():
            self._add(place, name, value)

    def load(self, place: str, key: str = "") -> dict[str, Any]:
        """Return what a file holds.

        Raises
        ------
        ValueError
            It has no names and values, or has none below ``key``; the message says what is wrong with the file.
        """
        data = self._load(place)
        if not isinstance(data, dict):
            msg = f"is {json_kind(data)}, where names and values are wanted"
            raise ValueError(msg)
        if key and not isinstance(data.get(key, {}), dict):
            msg = f"has {json_kind(data[key])} as {key}, where names and values are wanted"
            raise ValueError(msg)
        return data

    def _load(self, place: str) -> Any:
        path = self.prefix / place
        try:
            if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.prefix)):
                msg = "is a link that leads out of the environment"
                raise ValueError(msg)
            if path.is_symlink() and not path.exists():
                msg = "is a link that leads nowhere"
                raise ValueError(msg)
            if not path.is_file():
                msg = "is no file"
                raise ValueError(msg)
            if path.stat().st_size > MOST_BYTES:
                msg = f"has more than {MOST_BYTES >> 20} MB"
                raise ValueError(msg)
            return json.loads(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            msg = "is not UTF-8"
        except json.JSONDecodeError as error:
            msg = f"is not JSON ({error.msg}, line {error.lineno})"
        except RecursionError:
            msg = "is nested too deeply"
        except (OSError, RuntimeError) as error:
            msg = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise ValueError(msg)

    def _add(self, place: str, name: str, value: Any) -> None:
        if name in RESERVED:
            if value != UNSET:
                self.faults.append((place, f"sets {name}, which activation sets itself; left out"))
            return
        if not NAME.fullmatch(name):
            self.faults.append((place, f"sets {name[:80]!r}, which is no name of a variable; left out"))
            return
        text = "" if value is None else str(value)  # as conda's shell is given it
        if "\0" in text or not _is_unicode(text):
            self.faults.append((place, f"sets {name} to a text that no variable can hold; left out"))
            return
        if isinstance(value, list | dict):
            self.faults.append((place, f"sets {name} to {json_kind(value)}; only texts are taken: left out"))
            return
        if not isinstance(value, str):
            self.faults.append((place, f"sets {name} to {json_kind(value)}; it is set to the text {text!r}"))
        if _length(name, text) > MOST_OF_ONE:
            self.faults.append((place, f"sets {name} to more than {(MOST_OF_ONE + 1) >> 10} kB, {TOO_LONG}"))
            return
        self.bytes += _length(name, text) * (1 if name.isupper() else 2)
        if self.bytes > MOST_OF_ALL:
            self.faults.append((place, f"sets {name}; with it, all have more than {MOST_OF_ALL >> 20} MB, {TOO_LONG}"))
            return
        before = self.found.get(name)
        if name in self.found and before != text and place != STATE:
            self.faults.append((place, f"sets {name}, as {self.sources[name]} does: the latter is not heeded"))
        self.found[name] = text
        self.sources[name] = place


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_variables(prefix: Path, variables: Mapping[str, str]) -> None:
    """Record ``variables`` where conda looks for them, beside those of a package that has this file.

    As conda does (``set_environment_env_vars`` of its ``prefix_data.py``). The file is no package's then.
    """
    if variables:
        state, _ = _state_of_package(prefix)
        write_new(prefix / STATE, variables_state(variables, state).encode())
        disown_paths(prefix, {STATE})


def replaced_variables(prefix: Path, variables: Mapping[str, str]) -> list[VariableFault]:
    """Return what :func:`write_variables` will replace of a package's file of variables."""
    if not variables or not (prefix / STATE).exists():
        return []
    package = owners_of(prefix, {STATE}).get(STATE, "")
    whose = f"{STATE} of {package}" if package else STATE
    state, fault = _state_of_package(prefix)
    if fault:
        return [VariableFault(STATE, package, f"{whose} {fault}; the variables of the specification replace the file")]
    theirs = state.get("env_vars", {})
    return [
        VariableFault(STATE, package, f"{whose} sets {name}, which the variables of the specification replace")
        for name in sorted(variables.keys() & theirs.keys())
        if theirs[name] != variables[name]
    ]


def _state_of_package(prefix: Path) -> tuple[dict[str, Any], str]:
    """Return the file of variables that a package brought, and what is wrong with it."""
    if not (prefix / STATE).exists():
        return {}, ""
    reader = _Reader(prefix)
    try:
        state = reader.load(STATE, "env_vars")
    except ValueError as error:
        return {}, str(error)
    return state, ""


def variables_state(variables: Mapping[str, str], state: Mapping[str, Any] | None = None) -> str:
    """Return what conda reads of ``variables``, added to what it reads already."""
    before = state or {"version": 1}
    merged = {**before.get("env_vars", {}), **variables}
    return json.dumps({**before, "env_vars": dict(sorted(merged.items()))}, indent=2) + "\n"


def activation_scripts(variables: Variables, prefix: str = "") -> dict[str, str]:
    """Return scripts that set variables and put back what was there, by their place: for shells without conda.

    They run under ``set -eu``, and change nothing else.

    Parameters
    ----------
    variables : Variables
        What to set.
    prefix : str
        Where values hold this path, the script has ``$CONDA_PREFIX`` instead: it is right wherever the files lie.
    """
    if not variables.values:
        return {}
    lines: dict[str, list[str]] = {"activate.d": [], "deactivate.d": []}
    fish: dict[str, list[str]] = {"activate.d": [], "deactivate.d": []}
    for name, value in sorted(variables.values.items()):
        old = f"ENVSTORE_OLD_{name}"
        lines["activate.d"] += [
            f"{old}=${{{name}+set${name}}}",
            f"export {name}={quoted(value, prefix)}",
        ]
        lines["deactivate.d"] += [
            f"case ${{{old}-}} in",
            f'  set*) export {name}="${{{old}#set}}" ;;',
            f"  *) unset {name} ;;",
            "esac",
            f"unset {old}",
        ]
        fish["activate.d"].append(f"set -gx {name} {_quoted_for_fish(value, prefix)}")
        fish["deactivate.d"].append(f"set -e {name}")
    return {
        f"etc/conda/{folder}/{SCRIPT}.{ending}": "\n".join(texts) + "\n"
        for ending, folders in (("sh", lines), ("fish", fish))
        for folder, texts in folders.items()
    }


def quoted(value: str, prefix: str = "") -> str:
    """Return a value as a shell's word; ``prefix`` in it becomes ``$CONDA_PREFIX``."""
    if not prefix or prefix not in value:
        return shlex.quote(value)
    return '"$CONDA_PREFIX"'.join(shlex.quote(piece) if piece else "" for piece in value.split(prefix))


def _quoted_for_fish(value: str, prefix: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return '"$CONDA_PREFIX"'.join(f"'{piece}'" for piece in (escaped.split(prefix) if prefix else [escaped]))


def write_activation(prefix: Path, target: str) -> None:
    """Let shells without conda set the variables of an environment that was linked as if it lay at ``target``."""
    for place, text in activation_scripts(read_variables(prefix), target).items():
        path = prefix / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, text.encode())


def activation_script(prefix: Path, noted: Path | None = None) -> str:
    """Return a POSIX shell script that activates ``prefix`` as conda does.

    ``PATH``, ``CONDA_PREFIX``, the variables of packages and of the environment, then ``etc/conda/activate.d/*.sh``
    (conda's documentation, "Managing environments").

    Parameters
    ----------
    noted : Path or None
        A file that the name of each of these scripts is written to before it runs, in place of the one before.
    """
    lines = [
        f"export CONDA_PREFIX={shlex.quote(str(prefix))}",
        'export PATH="$CONDA_PREFIX/bin:$PATH"',
        f"export CONDA_DEFAULT_ENV={shlex.quote(prefix.name)}",
        "export CONDA_SHLVL=1",
        *(f"export {name}={shlex.quote(value)}" for name, value in read_variables(prefix).values.items()),
    ]
    scripts = sorted((prefix / "etc" / "conda" / "activate.d").glob("*.sh"))
    for script in scripts:
        if noted is not None:  # ">|" writes whatever a script before set
            lines.append(f"printf %s {shlex.quote(script.name)} >| {shlex.quote(str(noted))}")
        lines.append(f". {shlex.quote(str(script))}")
    return "\n".join(lines) + "\n"
