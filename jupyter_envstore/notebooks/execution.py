"""Notebooks that are run without a person: read, executed in a kernel of an environment, written."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.errors import InvalidInputError, NotebookCellError, StorageError

KERNEL_SECONDS = 120
"""How long a kernel may take to start."""


@dataclass(frozen=True)
class Execution:
    """How a notebook is executed.

    Parameters
    ----------
    kernels : Path
        A folder of kernelspecs.
    kernel : str
        The name of one of them.
    folder : Path
        Working directory of the kernel.
    timeout : int or None
        Seconds that one cell may take.
    allow_errors : bool
        Whether cells behind one that failed are run.
    report : callable
        Is given the number of a code cell, from 1, and how many there are, when it begins.
    """

    kernels: Path
    kernel: str
    folder: Path
    timeout: int | None = None
    allow_errors: bool = False
    report: Callable[[int, int], None] = lambda number, count: None


def read_notebook(name: str) -> Any:
    """Return a notebook file, as nbformat's version 4.

    Many notebooks lack ids of cells, have properties of other tools, or metadata of another type. Such metadata is left
    out, as nobody could use it, and the rest is kept.

    Raises
    ------
    InvalidInputError
        It cannot be read, or is no notebook.
    """
    import nbformat
    from nbformat.validator import normalize

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is put right here
            found = nbformat.convert(nbformat.reader.reads(text), 4)  # type: ignore[no-untyped-call]
            _, notebook = normalize(found, relax_add_props=True, strip_invalid_metadata=True)
            nbformat.validate(notebook, relax_add_props=True)
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise InvalidInputError(msg) from None
    except (
        nbformat.reader.NotJSONError,
        nbformat.validator.NotebookValidationError,
        nbformat.ValidationError,
        nbformat.NBFormatError,
        UnicodeDecodeError,
    ) as error:
        what = "" if isinstance(error, nbformat.reader.NotJSONError) else f": {str(error).splitlines()[0][:200]}"
        msg = f"{name} is no notebook (.ipynb) that can be read{what}"
        raise InvalidInputError(msg) from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):  # nbformat's own, about odd JSON
        msg = f"{name} is no notebook (.ipynb) that can be read"
        raise InvalidInputError(msg) from None
    return notebook


def language_of_notebook(notebook: Any) -> str:
    """Return the language of a notebook's kernel, in lower case; empty where it does not tell."""
    spec, info = notebook.metadata.get("kernelspec") or {}, notebook.metadata.get("language_info") or {}
    return str(spec.get("language") or info.get("name") or "").lower()


def check_output(name: str) -> None:
    """Refuse an output that cannot be written, before anything is run for it.

    Raises
    ------
    InvalidInputError
        Its folder is not there or may not be written to, or it is a folder itself.
    """
    target = Path(name)
    if name == "-":
        return
    if target.is_dir():
        msg = f"{target} is a folder; name a file for the notebook"
    elif not target.parent.is_dir():
        msg = f"{target} cannot be written: there is no folder {target.parent}"
    elif not os.access(target.parent, os.W_OK | os.X_OK):
        msg = f"{target} cannot be written: you may not write to the folder {target.parent}"
    else:
        return
    raise InvalidInputError(msg)


def write_notebook(notebook: Any, name: str) -> None:
    """Write a notebook to a file, at once or not at all; ``-`` stands for standard output.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    import nbformat

    text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    if name == "-":
        print(text)
        return
    write_whole(Path(name), (text if text.endswith("\n") else f"{text}\n").encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, at once or not at all; one that it replaces hands its mode on, and links to it stay.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        fresh.write_bytes(data)
        if target.exists():
            fresh.chmod(target.stat().st_mode & 0o777)
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        msg = f"{target} cannot be written: {error.strerror}"
        raise StorageError(msg) from None


def execute(notebook: Any, execution: Execution) -> None:
    """Execute all cells of a notebook; their outputs are written into it.

    Raises
    ------
    NotebookCellError
        A cell failed, took too long, or its kernel died; the outputs until then are in the notebook.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    code = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    numbers = {place: number for number, place in enumerate(code, 1)}
    begun = 0

    def begin(cell_index: int, **_: object) -> None:
        nonlocal begun
        if cell_index in numbers:
            begun = numbers[cell_index]
            execution.report(begun, len(code))

    specs = KernelSpecManager(kernel_dirs=[str(execution.kernels)], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name=execution.kernel, kernel_spec_manager=specs)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=execution.timeout,
        startup_timeout=KERNEL_SECONDS,
        allow_errors=execution.allow_errors,
        resources={"metadata": {"path": str(execution.folder)}},
        on_cell_execute=begin,
    )
    where = "cell {} of {}"
    try:
        client.execute()
    except CellExecutionError as error:
        msg = f"{where.format(begun, len(code))} failed: {error.ename}: {error.evalue}"
        raise NotebookCellError(msg) from None
    except CellTimeoutError:
        msg = f"{where.format(begun, len(code))} took longer than {execution.timeout} s (--timeout)"
        raise NotebookCellError(msg) from None
    except (DeadKernelError, RuntimeError) as error:
        what = where.format(begun, len(code)) if begun else "the start"
        msg = f"the kernel died in {what}: {str(error).splitlines()[0] if str(error) else 'it ended'}"
        raise NotebookCellError(msg) from None
