"""A notebook that remembers no environment is opened in JupyterLab with this extension, and where it is disabled.

Needs the browser chromium. The time is measured in the page, from the command that opens the notebook to the second
frame behind its first cell; each notebook is opened once, in turns with the other JupyterLab.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from common import report
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.engine.prefix import remove_tree
from tests.lab.conftest import FLAGS, LAB
from tests.server.live import MASTER, Server

RUNS = 40
OPEN = """async path => {
    const app = window.jupyterapp;
    const started = performance.now();
    const widget = await app.commands.execute('docmanager:open', {path, kernel: {shouldStart: false}});
    await widget.revealed;
    while (!widget.node.querySelector('.jp-Cell')) {
        await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const taken = performance.now() - started;
    widget.context.model.dirty = false;
    widget.dispose();
    return taken;
}"""


def lab(enabled: bool) -> Server:
    """Start a server with JupyterLab and notebooks."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    server = Server(folder, LAB.format(channel="https://channel.example", base="scratch"))
    server.root.mkdir()
    if not enabled:
        settings = folder / "none" / "labconfig" / "page_config.json"
        known = json.loads(settings.read_text())
        known["disabledExtensions"]["jupyter-envstore"] = True
        settings.write_text(json.dumps(known))
    for number in range(RUNS):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1") for _ in range(20)])
        nbformat.write(notebook, server.notebooks / f"n{number}.ipynb")
    return server.start()


def page_of(browser: Browser, server: Server) -> Page:
    """Return a page that shows JupyterLab."""
    page = browser.new_page()
    page.goto(f"{server.origin}/lab?token={MASTER}&reset")
    page.wait_for_selector(".jp-Launcher", timeout=60_000)
    page.wait_for_timeout(3_000)  # until Lab has kept its layout
    return page


@contextmanager
def browser_page(server: Server) -> Iterator[Page]:
    """Open a browser that shows JupyterLab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield page_of(browser, server)
        browser.close()


def main() -> None:
    """Print how long a notebook takes to open."""
    servers = [lab(True), lab(False)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = [page_of(browser, server) for server in servers]
        has = [page.evaluate("window.jupyterapp.commands.hasCommand('envstore:new')") for page in pages]
        assert has == [True, False], has
        taken: list[list[float]] = [[], []]
        for number in range(RUNS):
            for page, found in zip(pages, taken, strict=True):
                page.bring_to_front()
                found.append(float(page.evaluate(OPEN, f"n{number}.ipynb")))
        browser.close()
    for server in servers:
        server.stop()
        remove_tree(server.folder)
    with_it, without = (statistics.median(found[3:]) for found in taken)
    report(
        "a notebook without an environment, opened", with_it, "ms", "extension disabled", without, "(bar: 5 ms more)"
    )


if __name__ == "__main__":
    main()
