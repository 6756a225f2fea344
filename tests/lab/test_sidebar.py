"""The sidebar in a real browser, on a real server with a token, with real builds."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.lab.conftest import LAB, Lab, shown
from tests.server.live import Server


def test_from_nothing_to_a_cell_that_runs_in_two_clicks(
    open_lab: Callable[..., Lab], make_server: Callable[[str], Server], channel: str
) -> None:
    lab = make_server(LAB.format(channel=channel, base="/nowhere"))
    tab = open_lab(lab)
    expect(tab.page.get_by_text("Environments that you can share and bring back exactly")).to_be_visible()
    shown(tab.page.get_by_text("channel can be reached"))
    tab.picture("empty")
    tab.check_accessibility("#jp-envstore-panel")
    tab.button("create-example").click()
    expect(tab.page.get_by_role("progressbar", name="example")).to_be_visible()
    tab.picture("building")
    shown(tab.page.get_by_text("default/example is ready"), 60_000)
    expect(tab.button("card-notebook")).to_be_focused()
    tab.page.keyboard.press("Enter")
    cell = tab.page.locator(".jp-Notebook .cm-content").first
    cell.wait_for(timeout=30_000)
    expect(tab.page.get_by_text("Python (default/example) | Idle")).to_be_visible(timeout=60_000)
    expect(cell).to_contain_text("import pandas as pd")
    cell.click()
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.insert_text("import numpy, sys; print('numpy', numpy.__version__, sys.prefix)")
    tab.page.keyboard.press("Shift+Enter")
    expect(tab.page.locator(".jp-OutputArea-output").first).to_contain_text(str(lab.root), timeout=60_000)
    shown(tab.sidebar.get_by_text("Current Notebook"))
    shown(tab.sidebar.get_by_role("button", name="default/example"))
    tab.picture("notebook")


def test_a_notebook_on_the_built_kernel_downloads_an_artifact(tab: Lab, lab: Server, example: int) -> None:
    tab.row("data").focus()
    tab.page.keyboard.press("Control+Enter")
    expect(tab.page.get_by_text("Python (team/data) | Idle")).to_be_visible(timeout=60_000)
    tab.page.locator(".jp-Notebook .cm-content").first.click()
    tab.page.keyboard.insert_text(
        "from envstore_client import EnvStore\nimport hashlib\n"
        "path = EnvStore().download('team/data', 'lockfile', overwrite=True)\n"
        "print(path, hashlib.sha256(open(path, 'rb').read()).hexdigest())"
    )
    tab.page.keyboard.press("Shift+Enter")
    artifacts = {item["type"]: item for item in lab.data("GET", f"build/{example}/artifacts/")}
    output = tab.page.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text(f"conda-lock.yml {artifacts['lockfile']['sha256']}", timeout=60_000)


@pytest.mark.alone
def test_a_new_kernel_is_in_the_launcher_within_a_second(tab: Lab, lab: Server, channel: str) -> None:
    build_id = lab.submit(f"name: quick\nchannels: [{channel}]\ndependencies: [python, ipykernel]")
    while lab.data("GET", f"build/{build_id}/")["status"] not in ("COMPLETED", "FAILED"):
        pass
    shown(tab.page.locator(".jp-LauncherCard").get_by_text("Python (team/quick)").first, 1_500)
    lab.wait(build_id)
    lab.data("DELETE", "environment/team/quick/")


@pytest.mark.alone
def test_a_change_by_another_is_shown_within_a_second(tab: Lab, lab: Server, nasty_channel: str) -> None:
    build_id = lab.submit(f"name: elsewhere\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    expect(tab.row("elsewhere")).to_be_visible(timeout=1_500)
    lab.wait(build_id)
    expect(tab.page.get_by_role("treeitem", name="elsewhere, Ready")).to_be_visible(timeout=1_500)
    tab.row("elsewhere").click()
    expect(tab.page.get_by_text("None of its packages provides a kernel")).to_be_visible()
    lab.data("DELETE", "environment/team/elsewhere/")
    expect(tab.row("elsewhere")).to_have_count(0, timeout=1_500)


def test_a_failed_build_says_why_in_its_row(tab: Lab, lab: Server, nasty_channel: str) -> None:
    lab.wait(lab.submit(f"name: wrong\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]"))
    row = tab.page.get_by_role("treeitem", name="wrong, Failed")
    expect(row).to_contain_text("no package no-such-package")
    tab.picture("failed")
    lab.data("DELETE", "environment/team/wrong/")


def test_the_keyboard_alone_moves_opens_and_deletes(tab: Lab, lab: Server, nasty_channel: str) -> None:
    for name in ("first", "second"):
        lab.wait(lab.submit(f"name: {name}\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", "keys"))
    tab.row("first").focus()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.row("second")).to_be_focused()
    tab.page.keyboard.press("Home")
    tab.page.keyboard.type("seco")
    expect(tab.row("second")).to_be_focused()
    tab.page.keyboard.press("Space")
    expect(tab.row("second")).to_have_attribute("aria-expanded", "true")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.row("second")).to_have_attribute("aria-expanded", "false")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.sidebar.locator('[data-group="keys"]')).to_be_focused()
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.row("second")).to_have_count(0)
    tab.page.keyboard.press("ArrowRight")
    expect(tab.row("second")).to_be_visible()
    tab.page.wait_for_timeout(1_000)  # letters that follow fast belong to one name
    tab.page.keyboard.type("second")
    expect(tab.row("second")).to_be_focused()
    tab.page.keyboard.press("Shift+F10")
    expect(tab.page.get_by_role("menuitem", name="Open Notebook")).to_be_visible()
    tab.picture("menu")
    tab.page.keyboard.press("Escape")
    tab.row("second").focus()
    tab.page.keyboard.press("Delete")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete keys/second?")
    expect(dialog).to_contain_text("1 build and its files are deleted")
    tab.picture("delete")
    tab.page.keyboard.press("Escape")
    tab.row("second").focus()
    tab.page.keyboard.press("Delete")
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tab.row("second")).to_have_count(0)
    assert lab.ask("GET", "environment/keys/second/").status_code == 404
    shown(tab.page.get_by_text("Deleted keys/second."))
    tab.picture("deleted")
    tab.page.get_by_role("button", name="Undo").click()
    shown(tab.row("second"))
    assert lab.data("GET", "environment/keys/second/")["current_build"]["number"] == 1
    tab.open("second")
    lab.data("DELETE", "environment/keys/second/")
    tab.page.get_by_role("button", name="Undo the deletion").click()
    shown(tab.page.get_by_role("tab", name="Specification"))
    shown(tab.row("second"))
    for name in ("first", "second"):
        lab.data("DELETE", f"environment/keys/{name}/")


def test_a_view_whose_build_is_not_loaded_yet_can_undo_the_deletion(tab: Lab, lab: Server, nasty_channel: str) -> None:
    build_id = lab.submit(f"name: early\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    lab.wait(build_id)
    held = re.compile(rf"/build/{build_id}/(\?|$)")
    tab.page.route(held, lambda route: None)  # never answered
    tab.open("early")
    lab.data("DELETE", "environment/team/early/")
    shown(tab.view.get_by_text("team/early was deleted.", exact=True))
    tab.picture("deleted-early")
    tab.page.unroute(held)
    tab.view.get_by_role("button", name="Undo the deletion").click()
    shown(tab.row("early"))
    shown(tab.page.get_by_role("tab", name="Specification"))
    lab.data("DELETE", "environment/team/early/")


def test_the_filter_finds_names_and_packages(tab: Lab, lab: Server, example: int, nasty_channel: str) -> None:
    lab.wait(lab.submit(f"name: other\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"))
    field = tab.sidebar.get_by_role("searchbox")
    field.fill("oth")
    expect(tab.row("data")).to_have_count(0)
    expect(tab.row("other").locator("b")).to_have_text("oth")
    field.fill("pkg:numpy")
    shown(tab.sidebar.get_by_text("Contain numpy"))
    expect(tab.row("other")).to_have_count(0)
    expect(tab.row("data")).to_be_visible()
    field.fill("no such thing")
    expect(tab.sidebar.get_by_text("No environment matches “no such thing”.")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.row("other")).to_be_visible()
    lab.data("DELETE", "environment/team/other/")


def test_a_build_is_canceled_from_the_sidebar(tab: Lab, lab: Server, nasty_channel: str) -> None:
    build_id = lab.submit(f"name: stopped\nchannels: [{nasty_channel}]\ndependencies: [nasty-sleepy]")
    tab.button("cancel").first.click()
    shown(tab.page.get_by_role("treeitem", name="stopped, Canceled"), 20_000)
    assert lab.data("GET", f"build/{build_id}/")["status"] == "CANCELED"
    lab.data("DELETE", "environment/team/stopped/")


def test_two_tabs_say_the_same(tab: Lab, open_lab: Callable[..., Lab], lab: Server, nasty_channel: str) -> None:
    one, two = tab, open_lab()
    lab.wait(lab.submit(f"name: both\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"))
    for each in (one, two):
        shown(each.page.get_by_role("treeitem", name="both, Ready"))
    one.row("both").focus()
    one.page.keyboard.press("Delete")
    one.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for each in (one, two):
        expect(each.row("both")).to_have_count(0)


def test_a_lost_connection_is_told_and_recovers(tab: Lab, example: int) -> None:
    shown(tab.row("data"))
    tab.page.route(re.compile("/envstore/api/"), lambda route: route.abort())
    tab.button("more").click()
    tab.page.get_by_role("menuitem", name="Refresh Environments").click()
    shown(tab.sidebar.get_by_text("Not connected. Last update"))
    expect(tab.row("data")).to_be_visible()
    tab.picture("lost")
    tab.page.unroute_all()
    shown(tab.sidebar.get_by_text("Connected again"), 10_000)
    tab.errors.clear()  # the browser's own notes of requests that were cut off


def test_the_sidebar_is_good_at_200_pixels(open_lab: Callable[..., Lab], example: int) -> None:
    tab = open_lab(width=900, height=700)
    shown(tab.row("data"))
    tab.page.add_style_tag(content=":root { --jp-sidebar-min-width: 180px !important }")
    tab.row("data").click()
    tab.page.evaluate("document.getElementById('jp-envstore-panel').style.width = '200px'")
    box = tab.row("data").bounding_box()
    assert box is not None
    assert box["width"] <= 202
    tab.picture("narrow")


def test_running_builds_stand_in_labs_own_panel_too(tab: Lab, lab: Server, nasty_channel: str) -> None:
    build_id = lab.submit(f"name: seen\nchannels: [{nasty_channel}]\ndependencies: [nasty-sleepy]")
    tab.page.click('[data-id="jp-running-sessions"]')
    shown(tab.page.locator("#jp-running-sessions").get_by_text("team/seen"), 20_000)
    lab.data("PUT", f"build/{build_id}/cancel/")
    expect(tab.page.locator("#jp-running-sessions").get_by_text("team/seen")).to_be_hidden()
    lab.data("DELETE", "environment/team/seen/")


def test_the_notebook_in_front_is_switched_to_an_environment(tab: Lab, lab: Server, example: int) -> None:
    tab.page.locator(".jp-LauncherCard").get_by_text("Python 3 (ipykernel)").first.click()
    expect(tab.page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    shown(tab.sidebar.get_by_text("It does not use an environment of the store."))
    tab.row("data").focus()
    tab.page.keyboard.press("Shift+F10")
    tab.page.get_by_role("menuitem", name="Use in Current Notebook").click()
    expect(tab.page.get_by_text("Python (team/data) | Idle")).to_be_visible(timeout=60_000)
    shown(tab.sidebar.get_by_role("button", name="team/data"))
    current = lab.data("GET", "environment/team/data/")
    older = lab.data("GET", f"build/?environment_id={current['id']}")[0]
    lab.data("PUT", "environment/team/data/", json={"build_id": older["id"]})
    number, before = older["number"], current["current_build"]["number"]
    shown(tab.page.get_by_text(f"runs in build {before}; build {number} is active now"))
    tab.picture("older-build")
    tab.page.get_by_role("button", name="Compare").click()
    shown(tab.view.get_by_text("Changed 1").or_(tab.view.get_by_text("Removed")).first)
    lab.data("PUT", "environment/team/data/", json={"build_id": example})


def test_what_is_wrong_with_the_server_is_said_in_words(tab: Lab, example: int) -> None:
    shown(tab.row("data"))

    def answer(status: int, message: str) -> None:
        body = json.dumps({"status": "error", "message": message, "code": "x"})
        tab.page.unroute_all()
        tab.page.route(
            re.compile("/envstore/api/"),
            lambda route: route.fulfill(status=status, body=body, content_type="application/json"),
        )
        tab.page.evaluate("window.jupyterapp.commands.execute('envstore:refresh')")

    answer(404, "there is no such path")
    shown(tab.sidebar.get_by_text("The server extension is not running."))
    tab.picture("missing")
    tab.check_accessibility("#jp-envstore-panel")
    answer(503, "the store's database is damaged; restore a backup of envstore.sqlite")
    shown(tab.sidebar.get_by_text("restore a backup"))
    answer(403, "you may not")
    shown(tab.sidebar.get_by_text("Not connected. Last update"))
    expect(tab.row("data")).to_be_visible()
    tab.page.unroute_all()
    shown(tab.sidebar.get_by_text("Connected again"), 10_000)


def test_a_thousand_environments_can_be_gone_through(tab: Lab, lab: Server, example: int) -> None:
    example_row = lab.data("GET", "environment/team/data/")
    rows = [copy.deepcopy(example_row) for _ in range(1000)]
    for number, row in enumerate(rows):
        row["id"], row["name"] = 10_000 + number, f"many-{number:04}"
    body = json.dumps({"status": "ok", "data": rows, "page": 1, "size": 1000, "count": 1000})
    tab.page.route(
        re.compile("/envstore/api/v1/environment/"),
        lambda route: route.fulfill(status=200, body=body, content_type="application/json"),
    )
    tab.page.evaluate("window.jupyterapp.commands.execute('envstore:refresh')")
    shown(tab.row("many-0000"))
    assert tab.sidebar.locator(".jp-EnvStore-environment").count() < 300
    tab.row("many-0000").focus()
    tab.page.keyboard.press("End")
    expect(tab.row("many-0999")).to_be_focused()
    tab.page.keyboard.type("many-05")
    expect(tab.row("many-0500")).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(tab.row("many-0499")).to_be_focused()
    tab.picture("thousand")
    tab.page.unroute_all()


def test_an_older_build_is_made_active_from_the_row(tab: Lab, lab: Server, example: int) -> None:
    older = lab.data("GET", f"build/?environment_id={lab.data('GET', f'build/{example}/')['environment_id']}")[0]
    expect(tab.row("data")).to_contain_text("Python")
    tab.row("data").focus()
    tab.page.keyboard.press("Shift+F10")
    tab.page.locator(".lm-Menu-item", has_text="Roll Back to").hover()
    entry = tab.page.locator(".lm-Menu-item", has_text=f"Build {older['number']} · Ready")
    shown(entry)
    entry.click()
    shown(tab.page.get_by_text(f"New notebooks use build {older['number']}."))
    assert lab.data("GET", "environment/team/data/")["current_build_id"] == older["id"]
    tab.page.get_by_role("button", name="Undo").click()
    deadline = time.monotonic() + 5
    while lab.data("GET", "environment/team/data/")["current_build_id"] != example:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_admin_frees_space_and_sets_the_default_channel(tab: Lab, lab: Server, example: int, channel: str) -> None:
    shown(tab.row("data"))
    plan = {
        "size": 6_100_000_000,
        "count": 1,
        "removals": [{"kind": "build", "name": "team/old:1", "reason": "older than 30 days", "size": 6_100_000_000}],
    }
    space = {"free": 10, "total": 40_000_000_000, "low": True}
    body = json.dumps({"status": "ok", "message": None, "data": space | {"plan": plan}})
    tab.page.route(
        re.compile("/envstore/api/v1/space/"),
        lambda route: route.fulfill(status=200, body=body, content_type="application/json"),
    )
    tab.button("more").click()
    tab.page.get_by_role("menuitem", name="Free Up Disk Space…").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Free up 6.1 GB?")
    expect(dialog).to_contain_text("older than 30 days")
    tab.picture("free-space")
    dialog.get_by_role("button", name="Free up").click()
    shown(tab.page.get_by_text("6.1 GB freed"))
    tab.page.unroute_all()
    tab.button("more").click()
    tab.page.get_by_role("menuitem", name="Set Default Channels…").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_have_value(channel)
    dialog.get_by_role("textbox").fill("/nowhere")
    dialog.get_by_role("button", name="Set").click()
    expect(dialog.get_by_role("alert")).to_have_text("there is no folder /nowhere on this server")
    expect(dialog.get_by_role("textbox")).to_have_value("/nowhere")
    dialog.get_by_role("textbox").fill("/tmp")
    with tab.page.expect_response(lambda answer: answer.request.method == "PUT"):
        dialog.get_by_role("button", name="Set").click()
    expect(dialog).to_have_count(0)
    assert lab.data("GET", "setting/")["conda_default_channels"] == ["file:///tmp"]
    lab.data("PUT", "setting/", json={"conda_default_channels": [channel]})


def test_a_double_click_opens_the_view(tab: Lab, example: int) -> None:
    tab.row("data").get_by_text("data", exact=True).dblclick()
    shown(tab.view.get_by_test_id("envstore:tab-packages"))
