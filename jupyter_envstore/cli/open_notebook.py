"""Command that opens a notebook in JupyterLab, in the environment that it was written in."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_envstore.cli.common import find
from jupyter_envstore.cli.jupyter_servers import RunningServer, become_server, running_servers, show
from jupyter_envstore.cli.notebook import BOND, bring_back, has_lock, is_active, kernel_for, kernels_of, remember
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.notebooks.bond import Bond
from jupyter_envstore.notebooks.execution import read_notebook, write_notebook
from jupyter_envstore.services.values import BuildRef

API = "envstore/api/v1/"
PAGES = {"jupyterlab": "lab/tree/", "notebook": "notebooks/"}


def open_notebook(options: argparse.Namespace) -> int:
    """Bring the environment of a notebook back, and open the notebook in it."""
    module = _module(options.app)
    if options.notebook == "-":
        msg = "name the notebook's file; standard input cannot be opened"
        raise InvalidInputError(msg)
    notebook = read_notebook(options.notebook)
    path = Path(options.notebook).resolve()
    with open_store(options) as store, tempfile.TemporaryDirectory(prefix="es-kernel-") as kernels:
        if options.environment:
            reference = find(store, options.environment)
        else:
            reference = bring_back(store, notebook, options.notebook, options.exact, options.accept or ())
        languages = kernels_of(store, reference, Path(kernels))
        kernel = kernel_for(notebook, languages, reference)
        bond = store.bonds.of_build(reference.id, lock=has_lock(notebook))
        if _set_kernel(notebook, bond, kernel, reference):
            write_notebook(notebook, str(path))
            print(f"{options.notebook} has the kernel of {reference} now", file=sys.stderr)
        for server in running_servers(path):
            if _offers(server, reference, bond, kernel[0]):
                return _show_there(server, module, path, options.no_browser)
        if not is_active(store, reference):
            store.prefixes.offer_kernels(reference.id)
    folder = Path.cwd() if Path.cwd() in path.parents else path.parent
    page = PAGES[module] + quote(path.relative_to(folder).as_posix())
    root = [f"--EnvStoreApp.root_dir={Path(options.root).resolve()}"] if options.root else []
    root += ["--EnvStoreApp.remote_url="] if options.root else []
    root += [f"--EnvStoreApp.remote_url={options.store}"] if options.store else []
    become_server(module, page, folder, root, options.port, not options.no_browser)
    return 0


def _module(wanted: str) -> str:
    """Return what is started: what was asked for, else JupyterLab, or Notebook where there is no JupyterLab."""
    names = {"lab": "jupyterlab", "notebook": "notebook"}
    found = [module for app, module in names.items() if wanted in ("", app) and find_spec(module) is not None]
    if not found:
        what = "Jupyter Notebook" if wanted == "notebook" else "JupyterLab"
        package = "notebook" if wanted == "notebook" else "'jupyter-envstore[lab]'"
        msg = f"{what} is not installed beside jupyter-envstore: pip install {package}"
        raise InvalidInputError(msg)
    return found[0]


def _set_kernel(notebook: Any, bond: Bond, kernel: tuple[str, str], reference: BuildRef) -> bool:
    """Let a notebook name its kernel; return whether it did not yet.

    What it remembers of another build stays, until a cell runs: by that, the build may still be found elsewhere.
    """
    spec, known = notebook.metadata.get("kernelspec"), notebook.metadata.get(BOND)
    is_same = isinstance(spec, Mapping) and spec.get("name") == kernel[0]
    is_other = isinstance(known, Mapping) and known.get("record") != bond["record"]
    if is_same and known is not None:
        return False
    remember(notebook, known if is_other else bond, kernel, reference)
    return True


def _offers(server: RunningServer, reference: BuildRef, bond: Bond, kernel: str) -> bool:
    """Whether a server has the same store, and offers the kernel of a build, which it may be asked to."""
    found = server.ask(f"{API}build/{reference.id}/bond/")
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict) or any(data.get(key) != bond[key] for key in ("record", "namespace", "environment")):
        return False
    if kernel.endswith(f"--build-{reference.number}"):
        server.ask(f"{API}build/{reference.id}/kernel/", "POST")
    return server.has_kernel(kernel)


def _show_there(server: RunningServer, module: str, path: Path, no_browser: bool) -> int:
    page = PAGES[module] + quote(path.relative_to(server.folder).as_posix())
    print(f"{server.url}{page}")
    if not no_browser:
        show(f"{server.url}{page}" + (f"?token={quote(server.token)}" if server.token else ""))
    return 0
