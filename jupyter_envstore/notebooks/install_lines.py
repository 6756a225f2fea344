"""Packages that the cells of a notebook install: lines of IPython that run pip, uv or conda."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from jupyter_envstore.spec.match_specs import check_match_spec
from jupyter_envstore.spec.pip_lines import parse_pip_line

LINE = re.compile(
    r"^\s*[%!]\s*(?:python3?\s+-m\s+)?(pip3?|uv\s+pip|conda|mamba|micromamba)\s+install\s+(.+)$", re.MULTILINE
)
HARMLESS = re.compile(
    r"-[Uqvy]+|--(?:upgrade|quiet|verbose|yes|user|no-cache-dir|no-input|disable-pip-version-check|no-deps"
    r"|force-reinstall|update-deps)"
)
"""Options that say nothing about what is installed."""
WITH_VALUE = ("--trusted-host", "--progress-bar", "--timeout")
"""Options with a value that says nothing about it either."""
END = re.compile(r"(?<!\S)(?:[;&|<>]|#).*")
"""Where another command, a redirection or a comment begins; behind a space, since ``>`` is a bound, too."""


@dataclass
class InstalledByCells:
    """What cells install.

    Parameters
    ----------
    conda, pip : list of str
        Match specs and requirements.
    not_read : list of str
        Lines with something else in them, of which nothing is taken.
    """

    conda: list[str] = field(default_factory=list)
    pip: list[str] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)


def installed_by(cells: Iterable[str]) -> InstalledByCells:
    """Return what the cells install; of a line that has anything else in it, nothing.

    >>> installed_by(["%pip install -q rich==13.0", "!conda install -y 'scipy>=1'", "%pip install -r more.txt"])
    InstalledByCells(conda=['scipy>=1'], pip=['rich==13.0'], not_read=['%pip install -r more.txt'])
    """
    found = InstalledByCells()
    for text in cells:
        for match in LINE.finditer(text):
            is_pip = "pip" in match[1]
            packages = _packages(match[2], is_pip)
            if packages is None:
                found.not_read.append(match[0].strip())
            else:
                kept = found.pip if is_pip else found.conda
                kept.extend(package for package in packages if package not in kept)
    return found


def _packages(words: str, is_pip: bool) -> list[str] | None:
    try:
        found = shlex.split(END.sub("", words))
    except ValueError:
        return None
    packages: list[str] = []
    rest = iter(found)
    for word in rest:
        option, has_value, _ = word.partition("=")
        if option in WITH_VALUE:
            if not has_value:
                next(rest, None)
        elif word.startswith("-"):
            if not HARMLESS.fullmatch(word):
                return None
        elif _is_package(word, is_pip):
            packages.append(word)
        else:
            return None
    return packages


def _is_package(word: str, is_pip: bool) -> bool:
    """Whether a word is a package by its name: no file, no address, no variable of the shell."""
    if re.search(r"[/\\@{}$]|\.(?:txt|ya?ml|toml|whl|gz|zip|bz2|conda)$", word) or word.startswith("."):
        return False
    try:
        if not is_pip:
            check_match_spec(word, False)
            return True
        read = parse_pip_line(word, False)
        return read is not None and read.requirement is not None
    except ValueError:
        return False
