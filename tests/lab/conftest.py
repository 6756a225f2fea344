"""A server with JupyterLab, a browser, and pages that fail the test when their console shows an error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, expect, sync_playwright

from tests.conftest import CACHE, PYTHON
from tests.server.live import MASTER, Server

PICTURES = CACHE / "screenshots"
expect.set_options(timeout=15_000)  # other tests run beside these
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
LAB = """
c.ServerApp.jpserver_extensions = {{"jupyter_envstore": True, "jupyterlab": True, "jupyter_server_terminals": True}}
c.LabApp.news_url = None
c.LabApp.expose_app_in_browser = True
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.EnvStoreApp.default_settings = {{"conda_default_channels": [{channel!r}], "check_imports": False}}
c.EnvStoreApp.docker_base_image = "oci:{base}"
"""
PROGRAM = shutil.which("chromium")
NOISE = ("Failed to load resource", "Could not restore the debugger state: Canceled")
"""The browser's own note of a status that was not 200, which the panel shows in words; and Lab's debugger, where a
kernel is exchanged before it has answered."""
TEXT = f"""\
name: data
description: For the team
channels:
  - {{channel}}
dependencies:
  - python={PYTHON}
  - ipykernel
  # two is too new
  - numpy
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    if PROGRAM is None:
        for item in items:
            if item.path.parent == Path(__file__).parent:
                item.add_marker(pytest.mark.skip(reason="needs the browser chromium"))


@pytest.fixture(scope="package")
def lab(make_server: Callable[[str], Server], channel: str, base: Path) -> Server:
    """A server with JupyterLab and an empty store."""
    return make_server(LAB.format(channel=channel, base=base))


@pytest.fixture(scope="package")
def example(lab: Server, channel: str) -> int:
    """``team/data`` with two builds, the newer one active; the id of that one."""
    first = lab.submit(TEXT.format(channel=channel))
    lab.wait(first)
    second = lab.submit(TEXT.format(channel=channel) + "  - pandas\n")
    build = lab.wait(second)
    assert build["status"] == "COMPLETED", build["status_info"]
    return second


@pytest.fixture(scope="package")
def browser(lab: Server, nasty_channel: str) -> Iterator[Browser]:
    """A browser; what is awaited for its tests is made before, since playwright holds this thread's event loop."""
    assert lab and nasty_channel
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield started
        started.close()


class Lab:
    """JupyterLab in a tab of a browser."""

    def __init__(self, context: BrowserContext, server: Server, query: str = "&reset") -> None:
        self.server = server
        self.errors: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda note: self.errors.append(note.text) if note.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{server.origin}/lab?token={MASTER}{query}")
        self.page.wait_for_selector(".jp-Launcher, .jp-EnvStore-view", timeout=60_000)
        if not self.page.locator("#jp-envstore-panel").is_visible():
            self.page.click('[data-id="jp-envstore-panel"]')
        self.sidebar = self.page.locator("#jp-envstore-panel")
        self.view = self.page.locator(".jp-EnvStore-view:visible")

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
        changed: bool = self.page.evaluate(
            """async ([name, light]) => {
                const app = window.jupyterapp;
                if (!app) return false;
                await app.commands.execute('apputils:change-theme', {theme: name});
                for (let i = 0; i < 50 && document.body.dataset.jpThemeLight !== light; i++)
                    await new Promise(done => setTimeout(done, 100));
                await new Promise(done => setTimeout(done, 300));
                return true;
            }""",
            [name, light],
        )
        return changed

    def check_accessibility(self, *selectors: str) -> None:
        """Let axe look at parts of the page, light and dark; Lab's own parts are not ours."""
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            self.theme(theme)
            for selector in selectors:
                found = Axe().run(self.page, context=selector, options={"resultTypes": ["violations"]})
                assert found.violations_count == 0, f"{theme}: {found.generate_report()}"

    def close(self) -> None:
        """Close the tab; errors in its console fail the test."""
        self.page.close()
        assert [error for error in self.errors if not error.startswith(NOISE)] == []


@pytest.fixture
def open_lab(browser: Browser, lab: Server) -> Iterator[Callable[..., Lab]]:
    """Open JupyterLab in a tab, the sidebar in front; ``server``, ``query``, ``zoom`` and size may differ."""
    contexts: list[BrowserContext] = []
    opened: list[Lab] = []

    def open_tab(server: Server | None = None, query: str = "&reset", zoom: int = 1, **size: Any) -> Lab:
        whole = {"width": 1280, "height": 800} | size
        viewport = {name: pixels // zoom for name, pixels in whole.items()}  # what a zoomed page has of the same window
        context = browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            device_scale_factor=zoom,
            accept_downloads=True,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        opened.append(Lab(context, server or lab, query))
        return opened[-1]

    yield open_tab
    for tab in opened:
        tab.close()
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_lab: Callable[..., Lab]) -> Lab:
    """JupyterLab in one tab."""
    return open_lab()


def shown(locator: Locator, timeout: float = 30_000) -> None:
    """Wait until something is visible."""
    expect(locator).to_be_visible(timeout=timeout)
