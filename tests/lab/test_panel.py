"""The sidebar in a real browser, on a real server with a token, with real builds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import CACHE
from tests.handlers.live import MASTER, Server

PICTURES = CACHE / "screenshots"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
LAB = """
c.ServerApp.jpserver_extensions = {{"jupyter_envstore": True, "jupyterlab": True, "jupyter_server_terminals": False}}
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.EnvStoreApp.default_settings = {{"conda_default_channels": [{channel!r}]}}
"""
PROGRAM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs the browser chromium")


@pytest.fixture(scope="module")
def lab(make_server: Callable[[str], Server], channel: str) -> Server:
    """A server with JupyterLab and an empty store."""
    return make_server(LAB.format(channel=channel))


@pytest.fixture(scope="module")
def browser(lab: Server, nasty_channel: str) -> Iterator[Browser]:
    """A browser; what is awaited for its tests is made before, since playwright holds this thread's event loop."""
    assert lab and nasty_channel
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, lab: Server) -> Iterator[Page]:
    """JupyterLab with the sidebar open; errors in the browser's console fail the test."""
    context = browser.new_context(viewport={"width": 1100, "height": 700})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{lab.origin}/lab?token={MASTER}&reset")
    opened.wait_for_selector(".jp-Launcher", timeout=60_000)
    opened.click('[data-id="jp-envstore-panel"]')
    yield opened
    context.close()
    refused = "Failed to load resource: the server responded with a status of 400"  # the browser's note of a refusal
    assert [error for error in errors if not error.startswith(refused)] == []


def picture(page: Page, name: str) -> None:
    """Keep a screenshot, light and dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def test_from_nothing_to_a_cell_that_runs_in_two_clicks(page: Page, lab: Server) -> None:
    expect(page.get_by_text("Environments you can share and bring back exactly")).to_be_visible()
    picture(page, "empty")
    page.get_by_test_id("envstore:create-example").click()
    expect(page.get_by_role("progressbar", name="example")).to_be_visible()
    picture(page, "building")
    notebook = page.get_by_test_id("envstore:open-notebook")
    expect(notebook).to_be_visible(timeout=60_000)
    expect(page.get_by_text("default/example is ready")).to_be_visible()
    picture(page, "ready")
    notebook.click()
    cell = page.locator(".jp-Notebook .cm-content").first
    cell.wait_for(timeout=30_000)
    expect(page.get_by_text("Python (default/example) | Idle")).to_be_visible(timeout=60_000)
    cell.click()
    page.keyboard.insert_text("import numpy, sys; print('numpy', numpy.__version__, sys.prefix)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text(str(lab.root), timeout=60_000)
    picture(page, "notebook")


def test_a_change_by_another_is_shown_within_a_second(page: Page, lab: Server, nasty_channel: str) -> None:
    build_id = lab.submit(f"name: elsewhere\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    expect(page.get_by_role("treeitem", name="elsewhere")).to_be_visible(timeout=1_500)
    lab.wait(build_id)
    expect(page.get_by_role("treeitem", name="elsewhere, Ready")).to_be_visible(timeout=1_500)
    page.get_by_role("treeitem", name="elsewhere").click()
    expect(page.get_by_text("no package in it brings a kernel")).to_be_visible()
    lab.data("DELETE", "environment/team/elsewhere/")
    expect(page.get_by_role("treeitem", name="elsewhere")).to_have_count(0, timeout=1_500)


def test_a_failed_build_says_why_in_its_row(page: Page, lab: Server, nasty_channel: str) -> None:
    lab.wait(lab.submit(f"name: wrong\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]"))
    row = page.get_by_role("treeitem", name="wrong, Failed")
    row.click()
    expect(row).to_contain_text("no package no-such-package")
    picture(page, "failed")
    lab.data("DELETE", "environment/team/wrong/")


def test_the_keyboard_alone_moves_opens_the_menu_and_deletes(page: Page, lab: Server, nasty_channel: str) -> None:
    for name in ("first", "second"):
        lab.wait(lab.submit(f"name: {name}\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"))
    page.get_by_role("treeitem", name="first").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("treeitem", name="second")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("End")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete team/second?")
    picture(page, "delete")
    page.keyboard.press("Escape")
    expect(page.get_by_role("treeitem", name="second")).to_be_visible()
    page.get_by_role("treeitem", name="second").focus()
    page.keyboard.press("Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("treeitem", name="second")).to_have_count(0)
    assert lab.ask("GET", "environment/team/second/").status_code == 404
    lab.data("DELETE", "environment/team/first/")


def test_a_file_is_imported_and_one_with_faults_is_refused_with_their_lines(
    page: Page, lab: Server, nasty_channel: str, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(f"name: imported\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n")
    bad.write_text("name: bad\nchannels: [a]\ndependencies:\n  - python=\n  - 'numpy >>1'\nsurprise: 1\n")
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("envstore:import").click()
    chooser.value.set_files(bad)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("bad.yml was not imported")
    expect(dialog).to_contain_text("line 6")
    picture(page, "faults")
    dialog.get_by_role("button").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("envstore:import").click()
    chooser.value.set_files(good)
    expect(page.get_by_role("treeitem", name="imported, Ready, in default")).to_be_visible(timeout=30_000)
    lab.data("DELETE", "environment/default/imported/")


def test_pictures_are_kept() -> None:
    assert {path.stem for path in Path(PICTURES).glob("*.png")} >= {"empty", "building", "ready", "failed"}
