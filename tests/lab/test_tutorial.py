"""The tutorial of JupyterLab, step by step; the pictures of the documentation are those of this test.

They are written to ``.cache/screenshots/docs``. Copy them to ``docs/images`` when the panel has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from playwright.sync_api import expect

from tests.lab.conftest import LAB, PICTURES, Lab, shown
from tests.server.live import Server

NAMES = "\nc.EnvStoreApp.channel_alias = {alias!r}\nc.EnvStoreApp.identity_mapper = lambda user: 'jo'\n"
"""As at a site with a mirror, plain names of channels lead to a folder. The user is not called as this machine's is."""


def photograph(tab: Lab, name: str) -> None:
    """Keep a picture for the documentation."""
    folder = PICTURES / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    tab.page.mouse.move(640, 12)
    tab.page.screenshot(path=folder / f"{name}.png", style=".Toastify { display: none; }")


def test_the_steps_of_the_tutorial_lead_to_an_environment_that_is_changed_rolled_back_and_shared(
    make_server: Callable[[str], Server], open_lab: Callable[..., Lab], channel: str, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "conda-forge").symlink_to(url2pathname(urlsplit(channel).path))
    configuration = LAB.format(channel="conda-forge", base=base) + NAMES.format(alias=tmp_path.as_uri())
    server = make_server(configuration)
    tab = open_lab(server, width=1180, height=700)

    # Make an environment
    tab.button("new").first.click()
    tab.button("new-name").fill("first")
    tab.button("add-package-field").fill("numpy")
    shown(tab.view.get_by_role("option", name="numpy").first)
    tab.page.keyboard.press("Enter")
    shown(tab.view.locator(".jp-EnvStore-chip", has_text="numpy"))
    shown(tab.view.locator(".jp-EnvStore-preview dt, .jp-EnvStore-preview dd").get_by_text("numpy", exact=True))
    photograph(tab, "new")
    tab.button("create").click()
    shown(tab.page.get_by_text("default/first is ready"), 60_000)
    first = server.data("GET", "environment/default/first/")["current_build_id"]

    # Use it in a notebook
    tab.row("first").click()
    shown(tab.button("card-notebook"))
    tab.button("card-notebook").click()
    cell = tab.page.locator(".jp-Notebook .cm-content").first
    expect(tab.page.get_by_text("Python (default/first) | Idle")).to_be_visible(timeout=60_000)
    cell.click()
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.insert_text("import numpy\n\nnumpy.arange(6).reshape(2, 3)")
    tab.page.keyboard.press("Shift+Enter")
    expect(tab.page.locator(".jp-OutputArea-output").first).to_contain_text("array([[0, 1, 2]", timeout=60_000)
    photograph(tab, "notebook")

    # Add a package
    tab.open("first")
    tab.button("add-package-field").fill("pandas")
    shown(tab.view.get_by_role("option", name="pandas").first)
    tab.page.keyboard.press("Enter")
    shown(tab.view.locator(".jp-EnvStore-chip", has_text="pandas"))
    tab.button("preview-changes").click()
    shown(tab.view.locator("dd").get_by_text("pandas", exact=True))
    photograph(tab, "staged")
    tab.button("build-changes").click()
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text("Build 2")
    expect(tab.view.locator("option", has_text="Build 2 · Ready · active")).to_be_attached(timeout=60_000)

    # The file
    tab.tab("specification")
    expect(tab.editor()).to_contain_text("- pandas")
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.type("  - flask\n")
    shown(tab.view.locator("dd", has_text="flask").first)
    photograph(tab, "preview")
    tab.button("discard-draft").click()

    # Go back
    tab.tab("builds")
    shown(tab.view.get_by_role("cell", name="first build"))
    photograph(tab, "builds")
    tab.view.get_by_role("row", name="first build").get_by_role("button", name="Make active").click()
    shown(tab.page.get_by_text("New notebooks use build 1."))
    assert server.data("GET", "environment/default/first/")["current_build_id"] == first

    # Share it
    tab.tab("artifacts")
    shown(tab.button("download-lockfile"))
    tab.page.set_viewport_size({"width": 1180, "height": 980})
    photograph(tab, "artifacts")
    tab.page.set_viewport_size({"width": 1180, "height": 700})
    with tab.page.expect_download() as download:
        tab.button("download-lockfile").click()
    assert "numpy" in Path(download.value.path()).read_text()
