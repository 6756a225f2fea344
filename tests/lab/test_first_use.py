"""What people run into in their first hour: text that stands in a field, where the focus goes, what is gone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.lab.conftest import Lab, Prepared, shown
from tests.server.live import Server

PLACE = {"namespace": "team", "name": "first-use"}


@pytest.fixture
def builds(prepared: Prepared, channel: str) -> list[int]:
    """Two builds of ``team/first-use``, the newer one active."""
    text = f"name: first-use\nchannels: [{channel}]\ndependencies:\n  - python\n  - ipykernel\n"
    return prepared.environment("first-use", text, text + "  - numpy\n")


def run(tab: Lab, command: str, /, **args: Any) -> None:
    """Run a command as the palette, a menu or a button elsewhere does."""
    tab.page.evaluate(
        "([command, args]) => void window.jupyterapp.commands.execute('envstore:' + command, args)", [command, args]
    )


def test_what_stands_in_a_field_is_taken_or_asked_about(tab: Lab, example: int) -> None:
    submitted: list[str] = []

    def refuse(route: Route) -> None:
        submitted.append(json.loads(route.request.post_data or "{}")["specification"])
        body = json.dumps({"status": "error", "message": "not today", "code": "x"})
        route.fulfill(status=400, body=body, content_type="application/json")

    shown(tab.row("data"))
    tab.page.route(re.compile(r"/envstore/api/v1/specification/(\?|$)"), refuse)
    tab.button("new").first.click()
    expect(tab.button("new-name")).to_be_focused()
    tab.page.keyboard.type("typed")
    field = tab.button("add-package-field")
    field.fill("nmupy")
    tab.view.get_by_role("radio", name="File or link").check()
    tab.button("create").click()  # the field is out of sight, and comes back to ask
    shown(tab.view.get_by_text("No channel has “nmupy”. Choose “numpy”, write pip:nmupy"))
    expect(field).to_be_focused()
    assert submitted == []
    tab.picture("field-asks")
    tab.check_accessibility(".jp-EnvStore-create")
    field.fill("textdistance")  # no channel has it
    tab.button("create").click()
    shown(tab.view.get_by_text("No channel has “textdistance”, or a similar name. PyPI is not asked before the build"))
    assert submitted == []
    tab.view.get_by_role("option", name="Add “textdistance” from PyPI").click()
    shown(tab.view.locator(".jp-EnvStore-chip", has_text="pip:textdistance"))
    tab.button("create").click()
    shown(tab.view.get_by_text("not today"))
    assert submitted.pop() == "dependencies:\n  - python\n  - ipykernel\n  - pip:\n      - textdistance\n"
    expect(field).to_have_value("")
    field.fill("textdistance2")
    shown(tab.view.get_by_role("option", name="Add “textdistance2” from PyPI"))
    field.press("Enter")  # the sole suggestion
    shown(tab.view.locator(".jp-EnvStore-chip", has_text="pip:textdistance2"))
    tab.view.get_by_role("radio", name="File or link").check()
    tab.view.get_by_label("Link to a file").fill("https://host/environment.yml")
    tab.button("create").click()
    shown(tab.view.get_by_text("was not read yet. Press Read, or clear the field."))
    assert submitted == []
    tab.view.get_by_role("button", name="Cancel").click()
    shown(tab.page.get_by_role("dialog").get_by_text("Discard what you wrote?"))
    tab.page.get_by_role("dialog").get_by_role("button", name="Continue editing").click()
    run(tab, "new", name="other")  # what was typed is not overwritten: another tab
    expect(tab.button("new-name")).to_have_value("other")
    expect(tab.page.locator(".jp-EnvStore-create")).to_have_count(2)
    tab.open("data")
    shown(tab.view.get_by_role("row", name="numpy"))
    tab.button("add-package-field").fill("pandas")
    shown(tab.view.get_by_role("option", name="pandas").first)
    tab.tab("builds")
    tab.tab("packages")
    expect(tab.button("add-package-field")).to_have_value("pandas")
    tab.button("add-package-field").fill("flask")
    tab.view.get_by_role("row", name="numpy").press("Enter")
    tab.page.get_by_role("menuitem", name="Change Version…").click()
    tab.view.get_by_label("Version of numpy").fill("<99")
    tab.view.get_by_role("searchbox").fill("python")  # a row that asks stays in sight
    tab.view.get_by_label("Version of numpy").press("Enter")
    tab.button("build-changes").click()
    shown(tab.view.get_by_text("not today"))
    assert re.search(r"- numpy <99\n(.*\n)*  - flask\n", submitted.pop())
    tab.button("discard-changes").click()
    tab.page.unroute_all()


def test_a_specification_is_not_built_without_what_waits_in_packages_unless_the_user_agrees(
    builds: list[int], tab: Lab
) -> None:
    submitted: list[str] = []

    def refuse(route: Route) -> None:
        submitted.append(json.loads(route.request.post_data or "{}")["specification"])
        body = json.dumps({"status": "error", "message": "not today", "code": "x"})
        route.fulfill(status=400, body=body, content_type="application/json")

    tab.page.route(re.compile(r"/envstore/api/v1/specification/(\?|$)"), refuse)
    tab.open("first-use")
    shown(tab.view.get_by_role("row", name="numpy"))
    field = tab.button("add-package-field")
    field.fill("pandas")
    shown(tab.view.get_by_role("option", name="pandas").first)
    field.press("Enter")
    shown(tab.view.get_by_text("1 change"))
    field.fill("nmupy")  # not committed, in a tab that is not seen when the text is built
    tab.tab("specification")
    dialog = tab.page.get_by_role("dialog")
    tab.button("create-build").click()
    shown(dialog.get_by_text("has changes that are not in this text: nmupy, + pandas"))
    dialog.get_by_role("button", name="Show packages").click()
    expect(field).to_be_focused()
    expect(field).to_have_value("nmupy")
    assert submitted == []
    tab.tab("specification")
    tab.button("create-build").click()
    dialog.get_by_role("button", name="Build without them").click()
    shown(tab.view.get_by_text("not today"))
    assert len(submitted) == 1
    assert "pandas" not in submitted[0]
    tab.tab("packages")
    field.fill("")
    tab.button("discard-changes").click()
    tab.tab("specification")
    tab.button("create-build").click()  # nothing waits there: no question
    expect(dialog).to_have_count(0)
    shown(tab.view.get_by_text("not today"))
    tab.page.unroute_all()


def test_commands_give_the_focus_to_what_they_are_about_and_views_follow_the_active_build(
    builds: list[int], tab: Lab, lab: Server
) -> None:
    first, second = builds
    shown(tab.row("first-use"))
    for _ in range(2):  # the tab is made, and is there already, behind another one
        run(tab, "add-package", **PLACE)
        expect(tab.button("add-package-field")).to_be_focused()
        run(tab, "edit", **PLACE)
        expect(tab.editor()).to_be_focused()
        run(tab, "show-log", **PLACE)
        expect(tab.view.get_by_role("region", name="Log")).to_be_focused()
        run(tab, "compare", **PLACE, compare=builds)
        expect(tab.view.get_by_role("tabpanel")).to_be_focused()
        run(tab, "new")
        expect(tab.button("new-name")).to_be_focused()
        run(tab, "open-panel")
        expect(tab.sidebar.get_by_role("searchbox")).to_be_focused()
    selector = tab.page.locator(".jp-EnvStore-environmentView").get_by_test_id("envstore:build-selector")
    run(tab, "open", **PLACE, tab="specification", build=second)
    expect(selector).to_have_value(str(second))
    run(tab, "make-active", **PLACE, build=first)
    expect(selector).to_have_value(str(first))
    expect(tab.editor()).not_to_contain_text("numpy")
    tab.page.get_by_role("button", name="Undo").click()
    expect(selector).to_have_value(str(second))
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.type("# mine")
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    lab.data("PUT", "environment/team/first-use/", json={"build_id": first})  # as the command line does
    expect(selector).to_have_value(str(first))
    expect(tab.editor()).to_contain_text("# mine")
    shown(tab.view.get_by_text("Your draft began with build 2. Build 1 is active now."))
    tab.picture("draft-followed")
    tab.button("keep-mine").click()
    expect(tab.view.get_by_text("Your draft began with")).to_have_count(0)
    expect(tab.editor()).to_contain_text("# mine")
    selector.select_option(str(second))
    lab.data("PUT", "environment/team/first-use/", json={"build_id": second})
    lab.data("PUT", "environment/team/first-use/", json={"build_id": first})
    expect(tab.view.get_by_text("Build 1 · Ready · active")).to_be_attached()
    selector.select_option(str(first))
    tab.button("discard-draft").click()


def test_what_was_deleted_says_so_wherever_it_is_still_seen(builds: list[int], tab: Lab, lab: Server) -> None:
    first, _ = builds
    tab.row("first-use").focus()
    tab.page.keyboard.press("Control+Enter")
    expect(tab.page.get_by_text("Python (team/first-use) | Idle")).to_be_visible(timeout=60_000)
    shown(tab.sidebar.get_by_role("button", name="team/first-use"))
    run(tab, "open", **PLACE, tab="builds", build=first)
    shown(tab.view.get_by_text("You are looking at build 1"))
    lab.data("DELETE", "environment/team/first-use/")
    shown(tab.view.get_by_text("team/first-use was deleted."))
    for name in ("make-active", "open-notebook", "describe", "row-menu", "build-selector"):
        expect(tab.view.get_by_test_id(f"envstore:{name}")).to_have_count(0)
    tab.view.locator("h2").click(button="right")
    items = tab.page.locator(".lm-Menu-item[data-type=command]:visible:not(.lm-mod-disabled)")
    expect(items.filter(has_text="Undo Delete")).to_be_visible()
    assert [item.inner_text().strip() for item in items.all()] == ["Undo Delete", "Open"]
    tab.picture("deleted-menu")
    disabled = tab.page.get_by_role("menuitem", name="Rebuild")
    expect(disabled).to_have_attribute("title", "team/first-use was deleted")
    tab.page.keyboard.press("Escape")
    run(tab, "download", **PLACE, type="lockfile")  # as a button that was drawn before would
    shown(tab.page.locator(".Toastify__toast", has_text="team/first-use was deleted"))
    tab.page.get_by_role("tab", name="Untitled.ipynb").click()
    told = tab.sidebar.get_by_test_id("envstore:kernel-of-deleted")
    expect(told).to_contain_text("team/first-use was deleted: Undo")
    tab.picture("deleted-kernel")
    tab.check_accessibility("#jp-envstore-panel")
    told.get_by_role("button").click()
    shown(tab.row("first-use"))
    shown(tab.sidebar.get_by_role("button", name="team/first-use"))


def rebuild_in_the_menu(tab: Lab) -> None:
    tab.row("first-use").click(button="right")
    tab.page.get_by_role("menuitem", name="Rebuild").click()


def test_nothing_else_builds_without_what_waits_in_packages_unless_the_user_agrees(
    builds: list[int], tab: Lab, lab: Server
) -> None:
    made: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.method == "GET":
            route.continue_()
            return
        made.append(route.request.url)
        body = json.dumps({"status": "error", "message": "not today", "code": "x"})
        route.fulfill(status=400, body=body, content_type="application/json")

    tab.page.route(re.compile(r"/envstore/api/v1/(build/\d+|specification)/(\?|$)"), refuse)
    tab.open("first-use")
    shown(tab.view.get_by_role("row", name="numpy"))
    field = tab.button("add-package-field")
    field.fill("nmupy")
    dialog = tab.page.get_by_role("dialog")
    for begin in (
        lambda: rebuild_in_the_menu(tab),
        lambda: run(tab, "rebuild", **PLACE),
        lambda: run(tab, "add-kernel", **PLACE),
    ):
        begin()
        shown(dialog.get_by_text("has changes that will not be in the build: nmupy"))
        dialog.get_by_role("button", name="Show packages").click()
        expect(field).to_be_focused()
        expect(field).to_have_value("nmupy")
    assert made == []
    run(tab, "rebuild", **PLACE, build=builds[-1])
    dialog.get_by_role("button", name="Build without them").click()
    shown(tab.page.locator(".Toastify__toast", has_text="Not rebuilt: not today"))
    assert len(made) == 1
    field.fill("")
    run(tab, "rebuild", **PLACE, build=builds[-1])  # nothing waits: no question
    expect(dialog).to_have_count(0)
    shown(tab.page.locator(".Toastify__toast", has_text="Not rebuilt: not today").nth(1))
    assert len(made) == 2
    tab.page.unroute_all()


def test_the_menu_of_an_environment_marks_lists_that_work_on_this_machine_alone(tab: Lab, example: int) -> None:
    row = tab.row("data")
    for menu, marked in (("Download", "Lockfile"), ("Download", "Explicit List"), ("Show", "Show Lockfile")):
        with tab.page.expect_response(re.compile(r"/artifacts/(\?|$)")):
            row.click(button="right")
        tab.page.locator(".lm-Menu-item[data-type=submenu]", has_text=menu).hover()
        shown(tab.page.get_by_role("menuitem", name=f"{marked} (only on this machine)"))
        expect(tab.page.get_by_role("menuitem", name="Archive", exact=True)).to_have_count(int(menu == "Download"))
        tab.page.keyboard.press("Escape")
        tab.page.keyboard.press("Escape")


def test_an_environment_gets_its_kernel_with_a_click_and_a_card_that_tells_it_apart(
    tab: Lab, lab: Server, channel: str
) -> None:
    lab.wait(lab.submit(f"name: oceanography-models-2026\nchannels: [{channel}]\ndependencies:\n  - python\n"))
    row = tab.row("oceanography-models-2026")
    row.click()
    shown(row.get_by_text("None of its packages provides a kernel."))
    row.get_by_test_id("envstore:add-kernel").click()
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text("Build 2", timeout=20_000)
    item = lab.data("GET", "environment/team/oceanography-models-2026/")
    build = lab.wait(item["newest_build_id"])
    assert build["specification"]["text"].endswith("  - python\n  - ipykernel\n")
    shown(tab.view.get_by_test_id("envstore:reach-lockfile"), 60_000)  # its channel is a folder
    expect(tab.view.get_by_test_id("envstore:reach-lockfile")).to_contain_text(
        "only on this machine. Elsewhere, use an archive"
    )
    expect(tab.view.get_by_test_id("envstore:reach-archive")).to_have_count(0)
    tab.button("copy-lockfile").click()
    shown(tab.page.locator(".Toastify__toast", has_text="conda-lock.yml: Works only on this machine"))
    tab.button("new").first.click()
    shown(tab.view.get_by_text("Fits, found in"))
    preview = tab.view.get_by_role("complementary", name="Preview")
    shown(preview.locator("dd", has_text="ipykernel").first)
    tab.picture("new-preview")
    tab.page.get_by_role("tab", name="Launcher").first.click()
    card = tab.page.locator(".jp-LauncherCard", has_text="Python (team/oceanography-models-2026)").first
    shown(card)
    assert card.locator("wbr").count() == 1  # long names break behind the slash
    drawn = card.locator("img")
    assert drawn.evaluate("image => image.complete && image.naturalWidth > 0")
    assert str(drawn.get_attribute("src")).endswith("/logo-svg.svg")
    tab.picture("launcher")
    lab.data("DELETE", "environment/team/oceanography-models-2026/")
