"""The sidebar with a thousand environments: from data to paint, beside Lab's file browser with a thousand files.

Needs the browser chromium. Both are measured in the page itself, with the panel open from the start: from the end of
the answer with the data, or of Lab's own start where that is later, to the second frame behind the first row that
stands in the page.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from common import report
from playwright.sync_api import Page, sync_playwright
from server import ENVIRONMENTS, fill

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.engine.prefix import remove_tree
from tests.lab.conftest import FLAGS, LAB
from tests.server.live import MASTER, Server

RUNS = 5
STATIC = Path(__file__).parent.parent / "jupyter_envstore" / "labextension" / "static"
PAINTED = """
window.painted = {};
const waiting = setInterval(() => {
    if (window.jupyterapp) {
        clearInterval(waiting);
        window.jupyterapp.restored.then(() => { window.restored = performance.now(); });
    }
}, 5);
new MutationObserver(() => {
    for (const [name, selector] of [['sidebar', '.jp-EnvStore-environment'], ['files', '.jp-DirListing-item']]) {
        if (!(name in window.painted) && document.querySelector(selector)) {
            window.painted[name] = null;
            requestAnimationFrame(() => requestAnimationFrame(() => { window.painted[name] = performance.now(); }));
        }
    }
}).observe(document, {childList: true, subtree: true});
"""
ANSWERED = """pattern => Math.max(...performance.getEntriesByType('resource')
    .filter(entry => entry.name.match(pattern)).slice(0, 1).map(entry => entry.responseEnd))"""


def measured(page: Page, url: str, name: str, pattern: str) -> float:
    """Return the milliseconds from the data of a panel to its paint."""
    page.goto("about:blank")
    page.goto(url)
    page.wait_for_selector(".jp-Launcher", timeout=60_000)
    page.wait_for_function("name => window.painted[name] && window.restored", arg=name)
    begun = max(float(page.evaluate(ANSWERED, pattern)), float(page.evaluate("window.restored")))
    return float(page.evaluate("name => window.painted[name]", name)) - begun


def main() -> None:
    """Print paint times and the sizes of the bundle."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    server = Server(folder, LAB.format(channel="https://channel.example"))
    server.root.mkdir()
    server.start()
    server.wait(server.submit("name: seed\nchannels: ['file:///nowhere']\ndependencies: [a]"))  # its text is used again
    for number in range(ENVIRONMENTS):
        (server.notebooks / f"file{number}.txt").touch()
    fill(server)
    found: dict[str, list[float]] = {"sidebar": [], "files": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, pattern, tab in (
            ("sidebar", "api/v1/environment/", "jp-envstore-panel"),
            ("files", r"api/contents\\?", "filebrowser"),
        ):
            context = browser.new_context()
            context.add_init_script(PAINTED)
            page = context.new_page()
            url = f"{server.origin}/lab?token={MASTER}"
            page.goto(f"{url}&reset")
            page.wait_for_selector(".jp-Launcher", timeout=60_000)
            if not page.locator(f"#{tab}").is_visible():
                page.click(f'[data-id="{tab}"]')
            page.wait_for_timeout(3_000)  # until Lab has kept its layout
            found[name] = [measured(page, url, name, pattern) for _ in range(RUNS)]
            context.close()
        browser.close()
    server.stop()
    remove_tree(folder)
    ours, theirs = (statistics.median(found[name]) for name in ("sidebar", "files"))
    report(f"{ENVIRONMENTS} environments, data to paint", ours, "ms", "file browser", theirs, "(bar: 300 ms)")
    scripts = sorted(STATIC.glob("*.js"), key=lambda path: path.stat().st_size)
    whole = sum(path.stat().st_size for path in scripts) / 1000
    print(f"  bundle: {whole:.0f} kB in {len(scripts)} scripts, the largest {scripts[-1].stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
