"""What is shown, and where the focus is, right after a click: on a slow server too."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Route, expect

from tests.lab.conftest import Lab, Prepared, shown
from tests.server.live import Server

TEXT = "name: {name}\nchannels: ['{channel}']\ndependencies:\n  - nasty-text\n"


@pytest.fixture
def first(prepared: Prepared, nasty_channel: str) -> int:
    """The first of two builds of ``team/steps``, which has a small package."""
    text = TEXT.format(name="steps", channel=nasty_channel)
    return prepared.environment("steps", text, text + "variables: {A: b}\n")[0]


@pytest.fixture
def tab(first: int, tab: Lab) -> Lab:
    """JupyterLab with that environment."""
    assert first
    shown(tab.row("steps"))
    return tab


@pytest.fixture
def steps(first: int, nasty_channel: str) -> str:
    """The text of that environment."""
    assert first
    return TEXT.format(name="steps", channel=nasty_channel)


def focus_is_in_the_view(tab: Lab) -> None:
    """Wait until an element of the view has the focus."""
    tab.page.wait_for_function(
        "document.querySelector('.jp-EnvStore-environmentView').contains(document.activeElement)"
    )


def test_a_new_build_is_shown_at_once_on_a_slow_server(tab: Lab, lab: Server, steps: str) -> None:
    tab.open("steps", "specification")
    shown(tab.view.get_by_text("Fits, found in"))
    tab.write(steps + "  - nasty-links\n")
    shown(tab.view.get_by_text("Added 1"), 10_000)

    def slowly(route: Route) -> None:
        time.sleep(0.8)
        route.continue_()

    tab.page.route(re.compile(r"/envstore/api/v1/(build|environment)/"), slowly)
    tab.button("create-build").click()
    shown(tab.view.get_by_text("The new build is queued"), 10_000)
    expect(tab.view.locator(".cm-content")).to_have_count(0)  # no old text in its place
    tab.page.unroute_all(behavior="wait")
    newest = lab.data("GET", "environment/team/steps/")["newest_build_id"]
    number = lab.data("GET", f"build/{newest}/")["number"]
    assert number > 2
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text(f"{number} ·", timeout=20_000)
    shown(tab.page.get_by_text("team/steps is ready"), 60_000)
    focus_is_in_the_view(tab)


def test_the_focus_stays_in_the_view_when_what_had_it_is_gone(tab: Lab, lab: Server, steps: str) -> None:
    tab.open("steps", "builds")
    row = tab.view.get_by_role("row", name="first build")
    shown(row)
    for box in tab.view.get_by_role("checkbox").all():
        box.check()
    tab.page.keyboard.press("c")
    shown(tab.view.get_by_role("button", name="All builds"))
    focus_is_in_the_view(tab)
    tab.view.get_by_role("button", name="All builds").click()
    focus_is_in_the_view(tab)
    row.get_by_role("button", name="Make active").focus()
    tab.page.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Make active")).to_have_count(0)
    expect(tab.view.get_by_text("Build 1 · Ready · active")).to_be_attached()  # the view follows the active build
    focus_is_in_the_view(tab)
    tab.view.get_by_role("button", name="Show build 2").click()
    tab.view.get_by_role("button", name="Compare with active").click()
    shown(tab.view.get_by_role("button", name="All builds"))
    tab.tab("packages")
    tab.tab("builds")  # a comparison that was left does not come back
    shown(row)
    expect(tab.view.get_by_role("button", name="All builds")).to_have_count(0)
    tab.tab("packages")
    tab.button("add-package-field").fill("nasty-links")
    tab.page.keyboard.press("Enter")
    tab.view.get_by_role("button", name="Take back nasty-links").focus()
    tab.page.keyboard.press("Enter")
    expect(tab.view.get_by_role("region", name="Changes")).to_have_count(0)
    focus_is_in_the_view(tab)


def test_bringing_a_build_back_is_told_from_its_begin_to_its_end(tab: Lab, lab: Server, first: int) -> None:
    lab.data("POST", f"build/{first}/pack-away/", json={})
    tab.open("steps", "builds")
    row = tab.view.get_by_role("row", name="first build")
    expect(row).to_contain_text("Packed away")
    row.get_by_role("button", name="Bring back").click()
    shown(tab.page.get_by_text("Bringing a build of team/steps back"))
    shown(tab.page.get_by_text("Build 1 of team/steps is back"))
    expect(row).to_contain_text("Ready")


def test_a_text_becomes_a_draft_of_the_environment_whose_name_is_taken(
    tab: Lab, lab: Server, steps: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.yml"
    file.write_text(steps + "  - nasty-links\n")
    tab.import_file(file)
    expect(tab.button("new-name")).to_have_value("steps")
    tab.view.get_by_label("In", exact=True).select_option("team")
    tab.button("build-of-taken").click()
    editor = tab.page.locator(".jp-EnvStore-environmentView:visible .cm-content")
    expect(editor).to_contain_text("nasty-links")
    shown(tab.page.get_by_text("Not built yet: a draft is kept in this browser"))


def test_a_terminal_opens_in_the_environment_whatever_its_path(tab: Lab, lab: Server, steps: str) -> None:
    command = lab.data("GET", "permission/")["command"]
    assert command[1:] == ["--root", str(lab.root)]
    shown(tab.row("steps"))
    tab.row("steps").click(button="right")
    tab.page.get_by_role("menuitem", name="Open Terminal").click()
    terminal = tab.page.locator(".jp-Terminal")
    shown(terminal)
    deadline = time.monotonic() + 30
    while not any("team/steps:2" in found for found in map(environment_of, psutil.process_iter())):
        assert time.monotonic() < deadline
        time.sleep(0.3)


def environment_of(process: psutil.Process) -> str:
    """Return what a shell of an environment knows of itself."""
    try:
        return str(process.environ().get("ENVSTORE_ENVIRONMENT", ""))
    except psutil.Error:
        return ""


def test_a_namespace_without_environments_stands_in_the_tree(
    open_lab: Callable[..., Lab], lab: Server, example: int
) -> None:
    assert example
    lab.data("POST", "namespace/empty-one/")
    tab = open_lab()
    group = tab.sidebar.locator('[data-namespace="empty-one"]')
    shown(group.first)
    note = tab.sidebar.locator('[data-empty="empty-one"]')
    expect(note).to_contain_text("Nothing here yet")
    tab.picture("empty-namespace")
    tab.check_accessibility("#jp-envstore-panel")
    group.first.focus()
    tab.page.keyboard.press("ArrowDown")
    expect(note).to_be_focused()
    tab.page.keyboard.press("ArrowLeft")
    expect(group.first).to_be_focused()
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("Enter")
    shown(tab.page.get_by_role("tab", name="New environment"))
    lab.data("DELETE", "namespace/empty-one/")


def test_faults_are_walked_through_both_ways(tab: Lab, lab: Server, steps: str) -> None:
    tab.open("steps", "specification")
    shown(tab.view.get_by_text("Fits, found in"))
    tab.write(steps + "  - 'a >>1'\n  - nasty-links\n  - 'b >>1'\n")
    expect(tab.view.locator(".cm-lint-marker-error")).to_have_count(2)

    def line() -> Any:
        return tab.page.evaluate("window.getSelection().anchorNode.parentElement.closest('.cm-line').innerText")

    tab.editor().click(position={"x": 5, "y": 5})
    tab.page.keyboard.press("F8")
    assert "a >>1" in line()
    tab.page.keyboard.press("F8")
    assert "b >>1" in line()
    tab.page.keyboard.press("Shift+F8")
    assert "a >>1" in line()
    tab.button("discard-draft").click()
