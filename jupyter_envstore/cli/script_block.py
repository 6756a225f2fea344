"""Command that writes what an environment was asked for into a notebook or script, for tools that know PyPI alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jupyter_envstore.cli.build import owner
from jupyter_envstore.cli.common import find, open_store, read_file, tell
from jupyter_envstore.cli.notebook import BOND
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.notebooks.execution import language_of_notebook, read_notebook, write_notebook, write_text
from jupyter_envstore.notebooks.script_block import Requested, block_lines, script_with_block, with_block
from jupyter_envstore.services.interfaces import Store
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec.document import decode
from jupyter_envstore.spec.wording import counted


def write_script_block(options: argparse.Namespace) -> int:
    """Write the script block, or print it."""
    path = Path(options.file)
    if options.file == "-":
        msg = "name the file; standard input cannot be changed"
        raise InvalidInputError(msg)
    is_notebook = path.suffix == ".ipynb"
    notebook = read_notebook(options.file) if is_notebook else None
    text = "" if is_notebook else decode(read_file(options.file), options.file)
    if path.suffix.lower() == ".r" or (notebook is not None and language_of_notebook(notebook) not in ("python", "")):
        msg = f"{path.name} is not in Python; script blocks are of Python alone"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        reference = _environment(store, notebook, options)
        requested = store.script_blocks.requested(reference.id)
    for line in requested.left_out:
        print(f"note: left out: {line}", file=sys.stderr)
    block = "\n".join(block_lines(requested))
    if not options.print:
        if notebook is not None:
            _put(notebook, requested)
            write_notebook(notebook, str(path))
        else:
            write_text(path, script_with_block(text, requested))
    told = {
        "file": options.file,
        "environment": str(reference),
        "python": requested.python,
        "dependencies": list(requested.dependencies),
        "left_out": list(requested.left_out),
    }
    count = counted(len(requested.dependencies), "package")
    tell(options, told, block if options.print else f"{options.file} asks for {count} of {reference} now")
    return 0


def _environment(store: Store, notebook: Any, options: argparse.Namespace) -> BuildRef:
    """Return the build whose requests are written: the one that is named, else the one that the notebook remembers."""
    if options.environment:
        return find(store, options.environment)
    metadata = notebook.metadata.get(BOND) if notebook is not None else None
    if metadata is None:
        msg = f"{options.file} remembers no environment; name one with --environment NAMESPACE/NAME"
        raise InvalidInputError(msg)
    state = store.bonds.look(owner(), metadata)
    if not state["builds"]:
        bond = state["bond"]
        msg = (
            f"this store does not have {bond['namespace']}/{bond['environment']}:{bond['build']}; bring it back first: "
            f"jupyter envstore open {options.file}"
        )
        raise NotFoundError(msg)
    here = state["builds"][0]
    return BuildRef(here["namespace"], here["environment"], here["number"], here["build_id"])


def _put(notebook: Any, requested: Requested) -> None:
    """Replace the script block of a notebook's cell, or put a cell with one before all others, as juv does."""
    from nbformat.v4 import new_code_cell

    for cell in notebook.cells:
        if cell.cell_type == "code" and (replaced := with_block(cell.source, requested)) is not None:
            cell.source = replaced
            return
    source = "\n".join(block_lines(requested))
    cell = new_code_cell(source, metadata={"jupyter": {"source_hidden": True}})  # type: ignore[no-untyped-call]
    notebook.cells.insert(0, cell)
