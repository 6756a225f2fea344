"""What an environment was asked for, as the script block of PEP 723 that uv and juv read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from jupyter_envstore.spec.converting.script import find_block
from jupyter_envstore.spec.match_specs import match_spec_parts

CODING = re.compile(r"#.*coding[:=]")
TABLE = re.compile(r"\s*\[\[?[A-Za-z0-9_\"'-]")


@dataclass(frozen=True)
class Requested:
    """What a script block asks for.

    Parameters
    ----------
    python : str
        Bounds of Python's version (PEP 440); empty for any.
    dependencies : tuple of str
        Requirements (PEP 508).
    left_out : tuple of str
        What the block cannot say, each with the reason, for people.
    """

    python: str
    dependencies: tuple[str, ...]
    left_out: tuple[str, ...]


def requested_from_pypi(
    conda: Sequence[str], pip: Sequence[str], distributions: Mapping[str, Sequence[str]], python: str
) -> Requested:
    """Return what an environment asked for, with the names that its packages have on PyPI.

    Parameters
    ----------
    conda : sequence of str
        Match specs.
    pip : sequence of str
        Requirements (PEP 508).
    distributions : mapping of str to sequence of str
        The Python distributions that each conda package of the environment contains, by its name.
    python : str
        Version of the environment's Python; its minor version is the least, if nothing is asked for.
    """
    bounds = f">={'.'.join(python.split('.')[:2])}" if python else ""
    dependencies: dict[str, str] = {}
    left_out: list[str] = []
    for spec in conda:
        name, version, build = match_spec_parts(spec)
        wanted, note = _bounds(version, build)
        if note:
            left_out.append(f"{spec}: {note}")
        if name == "python":
            bounds = wanted or bounds
            continue
        found = _main_of(name, distributions.get(name, ()))
        if found is None:
            several = ", ".join(distributions.get(name, ()))
            why = f"it contains several packages of PyPI: {several}" if several else "it is no package of PyPI"
            left_out.append(f"{spec}: {why}")
        else:
            dependencies[canonicalize_name(found)] = f"{found}{wanted}"
    for line in pip:
        dependencies[canonicalize_name(re.split(r"[^\w.-]", line, maxsplit=1)[0])] = line
    return Requested(bounds, tuple(dependencies.values()), tuple(left_out))


def block_lines(requested: Requested, before: str = "") -> list[str]:
    """Return the lines of a script block.

    Parameters
    ----------
    before : str
        The TOML of a block that is replaced: its tables, as ``[tool.uv]``, stay.
    """
    toml = [f"requires-python = {_string(requested.python)}"] if requested.python else []
    toml += ["dependencies = [", *(f"    {_string(line)}," for line in requested.dependencies), "]"]
    kept = before.splitlines()
    tables = next((place for place, line in enumerate(kept) if TABLE.match(line)), None)
    if tables is not None:
        toml += ["", *kept[tables:]]
    return ["# /// script", *(f"# {line}".rstrip() for line in toml), "# ///"]


def with_block(text: str, requested: Requested) -> str | None:
    """Return a text in which the script block is replaced; None where it has none.

    Raises
    ------
    SpecificationError
        It has two, or one that does not end.
    """
    found = find_block(text)
    if found is None:
        return None
    lines = text.splitlines()
    lines[found.start : found.stop] = block_lines(requested, found.toml)
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")


def script_with_block(text: str, requested: Requested) -> str:
    """Return a script with its script block replaced, or with one behind the lines that must be its first.

    Raises
    ------
    SpecificationError
        It has two, or one that does not end.
    """
    replaced = with_block(text, requested)
    if replaced is not None:
        return replaced
    lines = text.splitlines()
    first = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) > first and CODING.match(lines[first]):
        first += 1
    lines[first:first] = [*block_lines(requested), *([""] if lines[first:] and lines[first] else [])]
    return "\n".join(lines) + "\n"


def _main_of(name: str, distributions: Sequence[str]) -> str | None:
    """Return the distribution that a conda package stands for: its only one, or the one with its name."""
    if len(distributions) == 1:
        return distributions[0]
    return next((found for found in distributions if canonicalize_name(found) == canonicalize_name(name)), None)


def _bounds(version: str, build: str) -> tuple[str, str]:
    """Return bounds of a match spec as PEP 440 writes them, and what they do not say."""
    note = f"its build {build} is conda's alone" if build and build != "*" else ""
    if version in ("", "*"):
        return "", note
    if re.fullmatch(r"[\w.!+]+\.\*", version):
        version = f"=={version}"
    try:
        return str(SpecifierSet(version)), note
    except InvalidSpecifier:
        return "", f"the bounds {version} cannot be written for PyPI"


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML is written in the same way
