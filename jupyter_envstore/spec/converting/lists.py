"""Lists of packages: ``requirements.txt``, and what ``conda list --export`` prints."""

from __future__ import annotations

import json
import re

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.converting.kinds import LIST_LINE

PYPI = "pypi"
"""What build strings of packages begin with that pip installed."""
PYTHON = re.compile(r"python\s*((?:[<>=!~]=?|===)\s*\d[^;#\[]*)?(?:\s#.*)?", re.IGNORECASE)


def requirements_to_yaml(text: str, name: str, python: str) -> tuple[str, list[str]]:
    """Return a ``requirements.txt`` as an ``environment.yml``, and notes.

    Python is of the minor version ``python``, or as a line of the list has it: PyPI has no such package.

    Raises
    ------
    SpecificationError
        It lists no packages.
    """
    lines = [line.strip() for line in re.sub(r"\\[^\S\n]*\r?\n", " ", text).splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        msg = "the file lists no packages"
        raise SpecificationError(msg)
    said = [found for line in wanted if (found := PYTHON.fullmatch(line))]
    spec, notes = f"python={python}", [f"python={python} added"]
    if said:
        bounds = re.sub(r"\s", "", said[0][1] or "")
        spec, notes = f"python{f' {bounds}' if bounds else ''}", [f"'{said[0][0]}' taken for Python itself"]
        notes += [f"'{other[0]}' left out: Python stands there twice" for other in said[1:]]
    lines = [line for line in wanted if not PYTHON.fullmatch(line)]
    pip = "".join(f"      - {json.dumps(line)}\n" for line in lines)
    return f"name: {name}\ndependencies:\n  - {json.dumps(spec)}\n" + (f"  - pip:\n{pip}" if pip else ""), notes


def conda_specs_to_yaml(text: str, name: str) -> str:
    """Return a list of conda's packages, one a line, as an ``environment.yml``; ``pypi`` builds are for pip."""
    conda, pip = [], []
    for line in text.splitlines():
        spec = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        found = LIST_LINE.fullmatch(spec)
        if found and found[3].startswith(PYPI):
            pip.append(f"{found[1]}=={found[2]}")
        elif spec:
            conda.append(spec)
    lines = [f"name: {name}", "dependencies:", *(f"  - {json.dumps(spec, ensure_ascii=False)}" for spec in conda)]
    lines += ["  - pip:", *(f"      - {json.dumps(line)}" for line in pip)] if pip else []
    return "\n".join(lines) + "\n"
