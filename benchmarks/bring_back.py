"""A notebook whose environment is not here: from opening it to the output of its first cell, in JupyterLab.

Needs the browser chromium. The notebook has the lock of forty packages that are all in the store's cache. The peer is
the same notebook opened again, when its environment and kernel are there: what JupyterLab itself takes. Who clicks is
a program; the clicks are counted, the time in which a person reads is not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from common import channel, report, text
from notebooks import browser_page
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.engine.prefix import remove_tree
from tests.lab.conftest import LAB
from tests.server.live import Server

RUNS = 7
BAR = ".jp-EnvStore-bar:visible"
OUTPUT = ".jp-NotebookPanel:visible .jp-OutputArea-output"
IDLE = """() => {
    const context = window.jupyterapp.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === 'idle' && !context.pendingInput;
}"""
LEAVE = """async () => {
    const widget = window.jupyterapp.shell.currentWidget;
    await widget.context.save();
    await widget.sessionContext.shutdown();
    widget.dispose();
}"""


def record_in(bond: dict[str, Any]) -> dict[str, Any]:
    """Return the record that a notebook holds."""
    found: dict[str, Any] = json.loads(lzma.decompress(base64.b64decode(bond["lock"]["data"])))
    return found


def renamed(bond: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the bond with the record of an environment that has another name, so that no store has it."""
    record = {**record_in(bond), "name": name}
    data = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    packed = base64.b64encode(lzma.compress(data)).decode()
    lock = {**bond["lock"], "size": len(packed), "data": packed}
    return {**bond, "environment": name, "record": f"sha256:{hashlib.sha256(data).hexdigest()}", "lock": lock}


def write(server: Server, name: str, kernel: str, bond: dict[str, Any]) -> str:
    """Write the notebook; return its path."""
    metadata = {"kernelspec": {"name": kernel, "display_name": name, "language": "python"}, "envstore": bond}
    made = nbformat.v4.new_notebook(metadata=metadata, cells=[nbformat.v4.new_code_cell("print('it', 'runs')")])
    nbformat.write(made, server.notebooks / f"{name}.ipynb")
    return f"{name}.ipynb"


def opened(page: Page, path: str, bring: bool) -> tuple[float, int]:
    """Open a notebook, bring its environment back, run its cell; return the seconds and the clicks."""
    started, clicks = time.perf_counter(), 1  # the one that opens it
    page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', {path})", path)
    if bring:
        page.locator(f"{BAR} [data-testid='envstore:bring-back']").click()
        clicks += 1
        page.locator(BAR).wait_for(state="detached", timeout=60_000)
    page.wait_for_function(IDLE, timeout=60_000)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    clicks += 1
    page.locator(OUTPUT).filter(has_text="it runs").wait_for(timeout=60_000)
    taken = time.perf_counter() - started
    page.evaluate(LEAVE)
    return taken, clicks


def main() -> None:
    """Print both times."""
    server = Server(Path(tempfile.mkdtemp(prefix="es-bench-")), LAB.format(channel=channel(), base="scratch"))
    server.root.mkdir()
    server.start()
    built = server.wait(server.submit(text().replace("name: bench", "name: seed")))
    bond = server.data("GET", f"build/{built['id']}/bond/?lock=true")
    ours, theirs, clicks = [], [], 0
    with browser_page(server) as page:
        for number in range(RUNS):
            name = f"bench{number}"
            path = write(server, name, f"envstore-team--{name}", renamed(bond, name))
            taken, clicks = opened(page, path, True)
            ours.append(taken)
            theirs.append(opened(page, path, False)[0])
    packages = sum(len(lock["conda"]) for lock in record_in(bond)["platforms"].values())
    print(f"{packages} packages; {clicks} clicks: open, Bring it back, run (bar: 3); all runs:")
    print("  " + " ".join(f"{taken:.2f}" for taken in ours), "s; again", " ".join(f"{taken:.2f}" for taken in theirs))
    report(
        "from opening to running, brought back", statistics.median(ours), "s",
        "kernel already there", statistics.median(theirs), "(bar: 4 s)",
    )  # fmt: skip
    server.stop()
    remove_tree(server.folder)


if __name__ == "__main__":
    main()
