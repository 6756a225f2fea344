"""Notebook 7 shows the bar of a notebook, too: it is JupyterLab's parts in a page for one notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers import python_beside
from tests.lab.conftest import LAB, new_context
from tests.lab.page import PICTURES
from tests.lab.test_notebook_recovery import write_notebook
from tests.server.live import MASTER, Server

MORE = """
c.ServerApp.jpserver_extensions = {{"jupyter_envstore": True, "jupyterlab": True, "notebook": True}}
c.LabServerApp.extra_labextensions_path = [{extensions!r}]
c.JupyterNotebookApp.expose_app_in_browser = True
"""
NOISE = "Cannot read properties of undefined (reading 'schema')"
"""Notebook 7.6 says so at each start, without this extension as well."""


@pytest.fixture(scope="module")
def notebook_seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with Notebook 7 beside what the tests' Python has: its extension would change JupyterLab's menus."""
    return python_beside(tmp_path_factory.mktemp("notebook") / "venv", "notebook>=7.2,<8")


def test_a_notebook_is_brought_back_in_notebook_seven(
    browser: Browser, make_server: Callable[..., Server], notebook_seven: Path, channel: str, base: Path
) -> None:
    extensions = str(Path(sys.prefix) / "share" / "jupyter" / "labextensions")
    extra = LAB.format(channel=channel, base=base) + MORE.format(extensions=extensions)
    server = make_server(extra, notebook_seven)
    python = f"python={sys.version_info.major}.{sys.version_info.minor}"
    build = server.submit(f"name: data\nchannels: [{channel}]\ndependencies: [{python}, ipykernel, numpy]")
    assert server.wait(build)["status"] == "COMPLETED"
    bond = server.data("GET", f"build/{build}/bond/")
    path = write_notebook(server, "sent", {**bond, "namespace": "gone"})
    context = new_context(browser)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: None if NOISE in str(error) else errors.append(str(error)))
    page.goto(f"{server.origin}/notebooks/{path.name}?token={MASTER}")
    bar = page.locator(".jp-EnvStore-bar:visible")
    expect(bar).to_contain_text("This store has it as build 1 of team/data.", timeout=60_000)
    page.screenshot(path=PICTURES / "notebook-seven.png")
    page.get_by_test_id("envstore:bring-back").click()
    expect(bar).to_have_count(0, timeout=30_000)
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'", timeout=60_000
    )
    page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    expect(page.locator(".jp-OutputArea-output")).to_contain_text("numpy is here", timeout=30_000)
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.context.model.getMetadata('envstore').namespace === 'team'"
    )
    page.evaluate("window.jupyterapp.shell.currentWidget.context.model.dirty = false")
    context.close()
    assert not errors
