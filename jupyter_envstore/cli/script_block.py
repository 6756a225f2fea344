"""Command that writes what an environment was asked for into a notebook or script, for tools that know PyPI alone."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from jupyter_envstore.cli.build import owner
from jupyter_envstore.cli.common import command, find, read_file, tell
from jupyter_envstore.cli.notebook import reference_of, remembered, written_in
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.notebooks.execution import language_of_notebook, read_notebook, write_whole
from jupyter_envstore.notebooks.pypi_requests import Requested
from jupyter_envstore.notebooks.script_block import block_lines, put_into_cells, script_with_block
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec.wording import counted

BOM = "\ufeff"
NEW_CELL = "script-block"
"""The id of a new cell."""


def write_script_block(options: argparse.Namespace) -> int:
    """Write the script block, or print it."""
    path = Path(options.file)
    is_notebook = path.suffix.lower() == ".ipynb"
    if options.file == "-":
        msg = "name the file; standard input cannot be changed"
        raise InvalidInputError(msg)
    text = _text_of(options.file)
    notebook = read_notebook(options.file) if is_notebook else None
    if not _is_python(path, text, notebook):
        msg = f"{path.name} is neither a notebook nor a script in Python; script blocks are of Python alone"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        reference = _environment(store, notebook, options)
        requested = store.script_blocks.requested(reference.id)
    for line in requested.left_out:
        print(f"note: left out: {line}", file=sys.stderr)
    if not options.print:
        changed = _notebook_with_block(text, path.name, requested) if is_notebook else _script(text, requested)
        write_whole(path, changed.encode())
    told = {
        "file": options.file,
        "environment": str(reference),
        "python": requested.python,
        "dependencies": list(requested.dependencies),
        "left_out": list(requested.left_out),
    }
    block = "\n".join(block_lines(requested))
    count = counted(len(requested.dependencies), "package")
    tell(options, told, block if options.print else f"{options.file} asks for {count} of {reference} now")
    return 0


def _text_of(name: str) -> str:
    try:
        return read_file(name).decode()
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8: byte {error.start}; save it in this encoding"
        raise InvalidInputError(msg) from None


def _is_python(path: Path, text: str, notebook: Any) -> bool:
    if notebook is not None:
        return language_of_notebook(notebook) in ("python", "")
    first = text.partition("\n")[0]
    return path.suffix.lower() in (".py", ".pyw") or (
        not path.suffix and first.startswith("#!") and ("python" in first or "uv" in first)
    )


def _script(text: str, requested: Requested) -> str:
    bare = text.removeprefix(BOM)
    return text[: len(text) - len(bare)] + script_with_block(bare, requested)


def _notebook_with_block(text: str, name: str, requested: Requested) -> str:
    """Return a notebook's JSON with the block, and with nothing else changed."""
    notebook = json.loads(text)
    if notebook.get("nbformat") != 4:
        msg = f"{name} has an old format; open and save it in JupyterLab first"
        raise InvalidInputError(msg)
    has_ids = notebook.get("nbformat_minor", 0) >= 5
    taken = {cell.get("id") for cell in notebook["cells"]}
    free = next(new for new in (NEW_CELL, *(f"{NEW_CELL}-{n}" for n in range(len(taken) + 1))) if new not in taken)
    put_into_cells(notebook["cells"], requested, free if has_ids else "")
    return json.dumps(notebook, ensure_ascii=False, indent=1) + ("\n" if text.endswith("\n") else "")


def _environment(store: AnyStore, notebook: Any, options: argparse.Namespace) -> BuildRef:
    """Return the build whose requests are written: the one that is named, else the one that the notebook remembers."""
    if options.environment:
        return find(store, options.environment)
    state = store.bonds.look(owner(), remembered(notebook, options.file))
    if not state["builds"]:
        place = written_in(state["bond"])
        msg = f"this store does not have {place}; bring it back first: {command(f'open {options.file}')}"
        raise NotFoundError(msg)
    return reference_of(state["builds"][0])
