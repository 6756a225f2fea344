"""What an environment was asked for, in the words of PyPI."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from jupyter_envstore.spec.match_specs import match_spec_parts
from jupyter_envstore.spec.pip_lines import read_requirement, without_hashes

PYTHON = "python"


@dataclass(frozen=True)
class Requested:
    """What a script block (PEP 723) asks for.

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
        Match specs. Several for one package hold together.
    pip : sequence of str
        Requirements (PEP 508). They go before match specs of the same package.
    distributions : mapping of str to sequence of str
        The Python distributions that each conda package of the environment contains, by its name.
    python : str
        Version of the environment's Python; its minor version is the least, if nothing is asked for.
    """
    left_out: list[str] = []
    asked: dict[str, list[str]] = defaultdict(list)
    for spec in conda:
        name, version, build = match_spec_parts(spec)
        found = name if name == PYTHON else _distribution(name, distributions)
        if found is None:
            several = ", ".join(distributions.get(name, ()))
            why = f"it contains several packages of PyPI: {several}" if several else "it is no package of PyPI"
            left_out.append(f"{spec}: {why}")
            continue
        wanted, note = _bounds(version, build)
        left_out += [f"{spec}: {note}"] if note else []
        asked[found].append(wanted)
    bounds = {name: ",".join(dict.fromkeys(filter(None, wanted))) for name, wanted in asked.items()}
    least = f">={'.'.join(python.split('.')[:2])}" if python else ""
    of_python = bounds.pop(PYTHON, "") or least
    lines = [without_hashes(line) for line in pip]
    left_out += [f"{bare}: its hashes" for bare, line in zip(lines, pip, strict=True) if bare != line]
    by_pip = {canonicalize_name(read_requirement(line).name) for line in lines}
    kept = [f"{name}{wanted}" for name, wanted in bounds.items() if canonicalize_name(name) not in by_pip]
    return Requested(of_python, (*kept, *lines), tuple(left_out))


def _distribution(name: str, distributions: Mapping[str, Sequence[str]]) -> str | None:
    """Return the distribution that a conda package stands for.

    It is the only one that it contains, or the one with its name. A package without any of its own, as ``matplotlib``
    of conda-forge, stands for the one with its name in another package (``matplotlib-base``).
    """
    own = distributions.get(name, ())
    if len(own) == 1:
        return own[0]
    others = own or [found for each in distributions.values() for found in each]
    return next((found for found in others if canonicalize_name(found) == canonicalize_name(name)), None)


def _bounds(version: str, build: str) -> tuple[str, str]:
    """Return bounds of a match spec as PEP 440 writes them, and what they do not say."""
    note = f"its build {build} is conda's alone" if build and build != "*" else ""
    if version in ("", "*"):
        return "", note
    parts = [f"=={part}" if re.fullmatch(r"[\w.!+]+\.\*", part) else part for part in version.split(",")]
    try:
        found = SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return "", f"the bounds {version} cannot be written for PyPI"
    if any(re.search(r"\d[a-z]$", bound.version) for bound in found):  # conda's 2024a is no alpha version
        return "", f"the bounds {version} cannot be written for PyPI"
    return str(found), note
