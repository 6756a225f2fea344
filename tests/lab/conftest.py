"""A server with JupyterLab, a browser, and pages that fail the test when their console shows an error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.conftest import PYTHON
from tests.lab.page import PICTURES, SIZE, Lab, shown
from tests.lab.prepared import Prepared
from tests.server.live import Server

__all__ = ["LAB", "PICTURES", "Lab", "Prepared", "shown"]

expect.set_options(timeout=15_000)  # other tests run beside these
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
LAB = """
c.ServerApp.jpserver_extensions = {{"jupyter_envstore": True, "jupyterlab": True, "jupyter_server_terminals": True}}
c.EnvStoreApp.lease_seconds = 60
c.LabApp.news_url = None
c.LabApp.expose_app_in_browser = True
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.EnvStoreApp.default_settings = {{
    "conda_default_channels": [{channel!r}],
    "check_imports": False,
    "artifacts_at_once": ["yaml", "lockfile", "explicit"],
}}
c.EnvStoreApp.docker_base_image = "oci:{base}"
"""
PROGRAM = shutil.which("chromium")
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
def lab(make_lasting_server: Callable[[str], Server], channel: str, base: Path) -> Server:
    """A server with JupyterLab and an empty store."""
    return make_lasting_server(LAB.format(channel=channel, base=base))


@pytest.fixture(scope="package")
def prepared(lab: Server) -> Prepared:
    """The environments that several tests look at."""
    return Prepared(lab)


@pytest.fixture(autouse=True)
def tidy(prepared: Prepared) -> None:
    """Begin each test with the environments that were made for several, and no others."""
    prepared.tidy()


@pytest.fixture
def example(prepared: Prepared, channel: str) -> int:
    """``team/data`` with two builds, the newer one active; the id of that one."""
    text = TEXT.format(channel=channel)
    return prepared.environment("data", text, text + "  - pandas\n")[-1]


@pytest.fixture(scope="package")
def browser(lab: Server, nasty_channel: str) -> Iterator[Browser]:
    """A browser; what is awaited for its tests is made before, since playwright holds this thread's event loop."""
    assert lab and nasty_channel
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield started
        started.close()


def new_context(browser: Browser, zoom: int = 1, **size: int) -> BrowserContext:
    """Return a new context; zoomed, it has what a zoomed page has of the same window."""
    viewport = {name: pixels // zoom for name, pixels in (SIZE | size).items()}
    context = browser.new_context(
        viewport=viewport,  # type: ignore[arg-type]
        device_scale_factor=zoom,
        accept_downloads=True,
        reduced_motion="reduce",  # drawing what moves takes processor time from builds
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


@pytest.fixture
def open_lab(browser: Browser, lab: Server) -> Iterator[Callable[..., Lab]]:
    """Open JupyterLab in a tab of its own, the sidebar in front; ``server``, ``query`` and size may differ."""
    contexts: list[BrowserContext] = []
    opened: list[Lab] = []

    def open_tab(server: Server | None = None, query: str = "&reset", **size: int) -> Lab:
        contexts.append(new_context(browser, **size))
        opened.append(Lab(contexts[-1], server or lab, query))
        return opened[-1]

    yield open_tab
    for tab in opened:
        tab.close()
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def shared_tab(browser: Browser, lab: Server) -> Iterator[Lab]:
    """JupyterLab, loaded once for all tests that can begin with a page that others have used."""
    context = new_context(browser)
    yield Lab(context, lab)
    context.close()


@pytest.fixture
def tab(example: int, shared_tab: Lab) -> Iterator[Lab]:
    """JupyterLab in one tab, with what it shows when it was just loaded, and ``team/data``."""
    assert example
    shared_tab.begin_again()
    yield shared_tab
    shared_tab.check_errors()
