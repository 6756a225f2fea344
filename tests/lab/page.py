"""JupyterLab in a tab of a browser: what tests do with it, and how it comes back to its first view."""

from __future__ import annotations

import json
import time
from pathlib import Path

import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Error, Locator, expect

from tests.conftest import CACHE
from tests.server.live import MASTER, Server

PICTURES = CACHE / "screenshots"
SIZE = {"width": 1280, "height": 800}
NOISE = ("Failed to load resource", "Could not restore the debugger state: Canceled")
"""The browser's own note of a status that was not 200, which the panel shows in words; and Lab's debugger, where a
kernel is exchanged before it has answered."""
FIRST_VIEW = Path(__file__).with_name("first_view.js").read_text(encoding="utf-8")
THEME = """\
async ([name, light]) => {
    const app = window.jupyterapp;
    if (!app) return false;
    const frame = () => new Promise(done => requestAnimationFrame(done));
    await app.commands.execute('apputils:change-theme', {theme: name});
    const end = Date.now() + 5000;
    const isThere = () => document.body.dataset.jpThemeLight === light && !document.getElementById('jupyterlab-splash');
    while (!isThere() && Date.now() < end) await frame();  // Lab fades its logo out, and then takes it away
    await frame();
    await frame();
    for (const moving of document.getAnimations()) if (moving instanceof CSSTransition) moving.finish();
    await frame();
    return true;
}"""


class Lab:
    """JupyterLab in a tab of a browser."""

    def __init__(self, context: BrowserContext, server: Server, query: str = "&reset") -> None:
        self.server = server
        self.errors: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda note: self.errors.append(note.text) if note.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.size = self.page.viewport_size
        self.sidebar = self.page.locator("#jp-envstore-panel")
        self.view = self.page.locator(".jp-EnvStore-view:visible")
        self.load(query)

    def load(self, query: str = "&reset") -> None:
        """Load the page, and open the sidebar."""
        self.page.goto(self.server.lab_address(query))
        self.page.wait_for_selector(".jp-Launcher, .jp-EnvStore-view", timeout=60_000)
        if not self.page.locator("#jp-envstore-panel").is_visible():
            self.page.click('[data-id="jp-envstore-panel"]')

    def begin_again(self) -> None:
        """Bring the page back to what it shows when it was just loaded, in a tenth of the time that loading takes."""
        self.page.unroute_all()
        if self.size and self.page.viewport_size != self.size:
            self.page.set_viewport_size(self.size)
        self.page.mouse.move(640, 790)
        try:
            self.page.evaluate(FIRST_VIEW)
        except Error:  # a test before this one failed in the middle of something
            self.load()
        if self.page.evaluate("document.body.dataset.jpThemeLight") != "true":
            self.theme("JupyterLab Light")
        for file in self.server.notebooks.glob("*.ipynb"):
            file.unlink()
        self.errors.clear()  # what is closed in the middle of a request may complain

    def reload(self, kept: str = "", gone: str = "") -> None:
        """Load the page anew as a user does, once the kept layout names something, or does not any more."""
        deadline = time.monotonic() + 30
        address = f"{self.server.origin}/lab/api/workspaces/default?token={MASTER}"
        while True:
            saved = json.dumps(requests.get(address, timeout=10).json())
            if kept in saved and not (gone and gone in saved):
                break
            assert time.monotonic() < deadline, saved
            time.sleep(0.05)
        self.page.goto(f"{self.server.origin}/lab")
        self.page.wait_for_selector(".jp-Launcher, .jp-EnvStore-view", timeout=60_000)

    def row(self, name: str) -> Locator:
        """Return the row of an environment."""
        return self.sidebar.locator(f'[role=treeitem][data-name="{name}"]')

    def open(self, name: str, tab: str = "packages") -> None:
        """Open the view of an environment at a tab."""
        self.row(name).focus()
        self.page.keyboard.press("Enter")
        self.tab(tab)

    def tab(self, name: str) -> None:
        """Turn to a tab of the view."""
        self.view.get_by_test_id(f"envstore:tab-{name}").click()

    def import_file(self, path: Path) -> None:
        """Import a file from the sidebar's menu."""
        with self.page.expect_file_chooser() as chooser:
            self.button("more").click()
            self.page.get_by_role("menuitem", name="Import Environment File…").click()
        chooser.value.set_files(path)

    def editor(self) -> Locator:
        """Return the editor's text."""
        return self.view.locator(".cm-content")

    def write(self, text: str) -> None:
        """Put a text into the editor, in place of what is there."""
        self.editor().click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def button(self, name: str) -> Locator:
        """Return a button of the view or sidebar by the command that it runs."""
        return self.page.get_by_test_id(f"envstore:{name}").locator("visible=true")

    def picture(self, name: str) -> None:
        """Keep a screenshot, light and dark."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(640, 790)
        self.page.screenshot(path=PICTURES / f"{name}.png")
        if self.theme("JupyterLab Dark"):
            self.page.screenshot(path=PICTURES / f"{name}-dark.png")
            self.theme("JupyterLab Light")

    def theme(self, name: str) -> bool:
        """Change Lab's theme, without a reload."""
        light = str(name == "JupyterLab Light").lower()
        changed: bool = self.page.evaluate(THEME, [name, light])
        return changed

    def check_accessibility(self, *selectors: str) -> None:
        """Let axe look at parts of the page, light and dark; Lab's own parts are not ours."""
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            self.theme(theme)
            for selector in selectors:
                found = Axe().run(self.page, context=selector, options={"resultTypes": ["violations"]})
                assert found.violations_count == 0, f"{theme}: {found.generate_report()}"

    def check_errors(self) -> None:
        """Fail where the page's console shows an error."""
        found = [error for error in self.errors if not error.startswith(NOISE)]
        assert not found, found

    def close(self) -> None:
        """Close the tab; errors in its console fail the test."""
        self.page.close()
        self.check_errors()


def shown(locator: Locator, timeout: float = 30_000) -> None:
    """Wait until something is visible."""
    expect(locator).to_be_visible(timeout=timeout)
