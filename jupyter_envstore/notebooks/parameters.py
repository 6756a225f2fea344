"""Parameters of a notebook, as papermill has them.

The cell with the tag ``parameters`` has the defaults; a cell with the tag ``injected-parameters`` behind it has the
values of a run, and takes the place of one from an earlier run (papermill's documentation, "Parameterize").
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jupyter_envstore.errors import InvalidInputError

PARAMETERS, INJECTED = "parameters", "injected-parameters"
Value = bool | int | float | str | None
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
NUMBER = re.compile(r"[+-]?[0-9]+")
DECIMAL = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)
"""What is a number to a reader; Python's own ``float`` would also take the id ``1_000``."""


def read_parameter(text: str) -> tuple[str, Value]:
    """Return name and value of ``name=value``; the value is a number, True, False or None where it is written so.

    As papermill reads it (``papermill.cli._resolve_type``): every other text stays one.

    >>> read_parameter("rate=0.5"), read_parameter("name=data"), read_parameter("deep=True")
    (('rate', 0.5), ('name', 'data'), ('deep', True))

    Raises
    ------
    InvalidInputError
        It has another form.
    """
    name, separator, value = text.partition("=")
    if not separator or not NAME.fullmatch(name):
        msg = f"{text[:80]!r} is not NAME=VALUE with the name of a variable"
        raise InvalidInputError(msg)
    words: dict[str, Value] = {"True": True, "False": False, "None": None}
    if value in words:
        return name, words[value]
    if NUMBER.fullmatch(value) and len(value) < 4000:
        return name, int(value)
    return name, float(value) if DECIMAL.fullmatch(value) else value


def inject(notebook: Any, values: Mapping[str, Value], language: str) -> None:
    """Put the values of a run into a notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Of version 4; it is changed.
    values : mapping
        Names of variables and their values; without any, the notebook stays as it is.
    language : str
        Language of the kernel: Python, R or Julia.

    Raises
    ------
    InvalidInputError
        Assignments cannot be written in this language.
    """
    if not values:
        return
    write, reserved = _LANGUAGES.get(language.lower(), (None, ()))
    if write is None:
        known = ", ".join(sorted(_LANGUAGES))
        msg = f"parameters are written for {known} notebooks, and this one is in {language[:40]}"
        raise InvalidInputError(msg)
    refused = [name for name in values if name in reserved]
    if refused:
        msg = f"{refused[0]!r} is a word of {language[:40]}, and cannot be the name of a parameter"
        raise InvalidInputError(msg)
    from nbformat.v4 import new_code_cell

    source = "\n".join(["# Parameters", *(write(name, value) for name, value in values.items())])
    cell = new_code_cell(source, metadata={"tags": [INJECTED]})  # type: ignore[no-untyped-call]
    if notebook.nbformat_minor < 5:
        cell.pop("id", None)
    tags = [list(found.metadata.get("tags", ())) for found in notebook.cells]
    old = next((place for place, found in enumerate(tags) if INJECTED in found), None)
    if old is not None:
        notebook.cells[old] = cell
        return
    defaults = next((place for place, found in enumerate(tags) if PARAMETERS in found), -1)
    notebook.cells.insert(defaults + 1, cell)


def _python(name: str, value: Value) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} = float({str(value)!r})"
    return f"{name} = {value!r}"


def _r(name: str, value: Value) -> str:
    words: dict[object, str] = {True: "TRUE", False: "FALSE", None: "NULL"}
    if value is None or isinstance(value, bool):
        return f"{name} = {words[value]}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} = {'NaN' if math.isnan(value) else 'Inf' if value > 0 else '-Inf'}"
    if isinstance(value, int) and abs(value) < 2**31:
        return f"{name} = {value}L"
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _julia(name: str, value: Value) -> str:
    if value is None:
        return f"{name} = nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} = {'NaN' if math.isnan(value) else 'Inf' if value > 0 else '-Inf'}"
    text = json.dumps(value, ensure_ascii=False)
    return f"{name} = {text.replace('$', chr(92) + '$') if isinstance(value, str) else text}"


_R = "if else repeat while function for in next break TRUE FALSE NULL Inf NaN NA"
_JULIA = (
    "baremodule begin break catch const continue do else elseif end export false finally for function global if import "
    "let local macro module quote return struct true try using while"
)
_LANGUAGES: dict[str, tuple[Callable[[str, Value], str], Collection[str]]] = {
    "python": (_python, keyword.kwlist),
    "r": (_r, _R.split()),
    "julia": (_julia, _JULIA.split()),
}
"""How values are written in a language, and its reserved words."""
