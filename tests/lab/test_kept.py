"""What a user wrote or gathered is kept, whatever others do meanwhile and whether the server answers or not."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.sync_api import Locator, expect

from tests.lab.conftest import PICTURES, Lab, Prepared, shown
from tests.server.live import Server


@pytest.fixture
def kept(prepared: Prepared, nasty_channel: str) -> list[int]:
    """The builds of ``team/kept``, which are quickly made: 1, and 2, which is active."""
    text = f"name: kept\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text\n"
    return prepared.environment("kept", text, text + "variables: {A: b}\n")


@pytest.fixture
def tab(kept: list[int], tab: Lab) -> Lab:
    """JupyterLab with that environment."""
    assert kept
    shown(tab.row("kept"))
    return tab


def chip(tab: Lab, words: str) -> Locator:
    """Return a staged change."""
    return tab.view.locator(".jp-EnvStore-chip", has_text=words)


def write_at_the_end(tab: Lab, text: str) -> None:
    """Type something behind all that is in the editor."""
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.type(text)


def choose_build(tab: Lab, lab: Server, number: int) -> None:
    """Turn the view to a build."""
    environment = lab.data("GET", "environment/team/kept/")["id"]
    builds = lab.data("GET", f"build/?environment_id={environment}")
    (build,) = (row for row in builds if row["number"] == number)
    tab.view.get_by_test_id("envstore:build-selector").select_option(str(build["id"]))


def test_a_draft_stays_with_its_build(tab: Lab, lab: Server) -> None:
    tab.open("kept", "specification")
    write_at_the_end(tab, "# mine")
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    choose_build(tab, lab, 1)
    expect(tab.editor()).not_to_contain_text("# mine")
    shown(tab.view.get_by_text("A draft that began with build 2 is kept in this browser."))
    tab.picture("draft-elsewhere")
    tab.button("open-draft").click()
    expect(tab.editor()).to_contain_text("# mine")
    tab.view.get_by_role("button", name="Back to 2").click()
    expect(tab.editor()).to_contain_text("# mine")
    tab.button("discard-draft").click()
    expect(tab.editor()).not_to_contain_text("# mine")
    told = tab.page.locator(".Toastify__toast", has_text="The draft of kept was discarded.")
    tab.tab("builds")  # the way back works from anywhere
    told.get_by_role("button", name="Undo").click()
    tab.tab("specification")
    expect(tab.editor()).to_contain_text("# mine")
    tab.button("discard-draft").click()
    expect(tab.editor()).not_to_contain_text("# mine")


def test_who_edits_is_told_of_anothers_build_and_keeps_their_text(tab: Lab, lab: Server, nasty_channel: str) -> None:
    tab.open("kept", "specification")
    write_at_the_end(tab, "# mine")
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    text = f"name: kept\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\nvariables: {{C: d}}\n"
    theirs = lab.wait(lab.submit(text))["number"]
    shown(tab.view.get_by_text(re.compile(f"made build {theirs} while you edited build 2")))
    expect(tab.editor()).to_be_focused()  # nobody who types is interrupted
    tab.page.keyboard.type(", still")
    expect(tab.editor()).to_contain_text("# mine, still")
    tab.picture("edit-race")
    tab.button("keep-mine").click()
    expect(tab.view.get_by_text("while you edited")).to_have_count(0)
    expect(tab.editor()).to_contain_text("# mine")
    tab.button("create-build").click()
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text(f"Build {theirs + 1}")
    build_id = lab.data("GET", "environment/team/kept/")["newest_build_id"]
    assert "# mine" in lab.wait(build_id)["specification"]["text"]


def test_staged_packages_survive_a_reload_and_say_what_they_do(tab: Lab) -> None:
    tab.open("kept")
    shown(tab.view.get_by_role("row", name="nasty-text"))
    field = tab.button("add-package-field")
    field.fill("### not a package")
    field.press("Enter")
    shown(tab.view.get_by_text("“### not a package” is not a package."))
    expect(tab.view.locator(".jp-EnvStore-chip")).to_have_count(0)
    field.fill("nasty-text")
    field.press("Enter")
    shown(tab.view.get_by_text("nasty-text is already in the specification"))
    field.fill("nasty-text=9.0")
    field.press("Enter")
    field.fill("pip:rich")
    field.press("Enter")
    shown(chip(tab, "→ 9.0"))
    expect(chip(tab, "↑ nasty-text")).to_be_visible()
    expect(chip(tab, "+ pip:rich")).to_be_visible()
    tab.picture("staged-words")
    tab.reload(kept="envstore:environment:team/kept")
    shown(chip(tab, "+ pip:rich"))
    tab.button("discard-changes").click()


def test_a_build_that_is_deleted_elsewhere_gives_way_to_the_active_one(tab: Lab, lab: Server) -> None:
    tab.open("kept", "artifacts")
    choose_build(tab, lab, 1)
    shown(tab.view.get_by_text("You are looking at build 1"))
    first = int(tab.view.get_by_test_id("envstore:build-selector").input_value())
    lab.data("DELETE", f"build/{first}/")
    shown(tab.view.get_by_text("Build 1 was deleted. This is build 2."))
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text("Build 2")
    tab.picture("build-deleted")


def test_a_draft_outlives_its_environment(tab: Lab, lab: Server, nasty_channel: str) -> None:
    lab.wait(lab.submit(f"name: passing\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text\n"))
    tab.open("passing", "specification")
    write_at_the_end(tab, "# mine")
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    lab.data("DELETE", "environment/team/passing/")
    shown(tab.view.get_by_text("team/passing was deleted."))
    expect(tab.view.get_by_label("Specification")).to_contain_text("# mine")
    tab.button("create-again").click()
    expect(tab.page.locator(".jp-EnvStore-create .cm-content")).to_contain_text("# mine")


def test_the_focus_comes_back_from_menus_and_their_dialogs(tab: Lab) -> None:
    row = tab.row("kept")
    row.focus()
    tab.page.keyboard.press("Shift+F10")
    shown(tab.page.get_by_role("menuitem", name="Clone…"))
    tab.page.keyboard.press("Escape")
    expect(row).to_be_focused()
    tab.page.keyboard.press("Shift+F10")
    tab.page.get_by_role("menuitem", name="Clone…").click()
    shown(tab.page.get_by_role("dialog"))
    tab.page.keyboard.press("Escape")
    expect(row).to_be_focused()


def test_a_clone_is_asked_for_again_where_its_name_is_taken(tab: Lab) -> None:
    tab.row("kept").focus()
    tab.page.evaluate(
        "void window.jupyterapp.commands.execute('envstore:clone', {namespace: 'team', name: 'kept'})"  # till it ends
    )
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("kept")
    dialog.get_by_role("button", name="Clone").click()
    shown(dialog.get_by_text("team already has kept."))
    expect(dialog.get_by_label("Name")).to_have_value("kept")
    tab.picture("clone-taken")
    dialog.get_by_label("Name").fill("-no name")
    dialog.get_by_role("button", name="Clone").click()
    shown(dialog.get_by_text("“-no name” is not a valid name"))
    dialog.get_by_role("button", name="Cancel").click()


def test_nothing_is_lost_while_the_server_is_away(tab: Lab) -> None:
    tab.open("kept")
    shown(tab.view.get_by_role("row", name="nasty-text"))
    tab.page.route(re.compile("/envstore/api/"), lambda route: route.abort())
    tab.page.evaluate("window.jupyterapp.commands.execute('envstore:refresh')")
    shown(tab.sidebar.get_by_text("Not connected. Last update"))
    field = tab.button("add-package-field")
    field.fill("nasty-versions")
    shown(tab.view.get_by_text("Names cannot be looked up now: The server does not answer"))
    tab.picture("away-search")
    field.press("Enter")
    expect(chip(tab, "+ nasty-versions")).to_be_visible()
    expect(tab.button("build-changes")).to_be_disabled()
    expect(tab.button("build-changes")).to_have_attribute("title", "Not connected")
    tab.button("discard-changes").click()
    tab.tab("specification")
    write_at_the_end(tab, "# mine")
    shown(tab.view.get_by_text("The server does not answer"), 10_000)
    expect(tab.button("create-build")).to_have_attribute("title", "Not connected")
    tab.picture("away-specification")
    tab.tab("packages")
    shown(tab.view.get_by_role("row", name="nasty-text"))  # as it was shown before
    expect(tab.button("open-notebook")).to_be_disabled()
    tab.tab("specification")
    tab.page.unroute_all()
    shown(tab.view.get_by_text("Fits, found in"), 20_000)
    tab.button("discard-draft").click()
    tab.errors.clear()  # the browser's own notes of requests that were cut off


def test_a_view_that_is_refused_names_the_ways_out(tab: Lab) -> None:
    tab.open("kept", "specification")
    shown(tab.view.get_by_text("Fits, found in"))
    write_at_the_end(tab, "# mine")
    body = '{"status": "error", "message": "jo lacks the permission environment:create", "code": "forbidden"}'
    tab.page.route(
        re.compile(r"/envstore/api/v1/specification/(\?|$)"),
        lambda route: route.fulfill(status=403, body=body, content_type="application/json"),
    )
    shown(tab.view.get_by_text("Fits, found in"))
    tab.button("create-build").click()
    shown(tab.view.get_by_text("You can use team, but not change it. Your text is kept."))
    tab.picture("not-allowed")
    tab.check_accessibility(".jp-EnvStore-environmentView")
    tab.button("save-to-own").click()
    shown(tab.page.locator(".jp-EnvStore-create"))
    expect(tab.button("new-name")).to_have_value("kept")
    expect(tab.page.locator(".jp-EnvStore-create .cm-content")).to_contain_text("# mine")
    tab.page.unroute_all()


def test_changes_that_were_gathered_on_an_older_build_say_so(tab: Lab, lab: Server, nasty_channel: str) -> None:
    tab.open("kept")
    tab.button("add-package-field").fill("nasty-links")
    tab.button("add-package-field").press("Enter")
    shown(chip(tab, "+ nasty-links"))
    text = f"name: kept\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text\nvariables: {{C: d}}\n"
    newer = lab.wait(lab.submit(text))["number"]
    shown(tab.view.get_by_text(f"These changes were started on build 2. They will be applied to build {newer}."))
    tab.picture("staged-newer")
    tab.button("staged-seen").click()
    expect(tab.view.get_by_text("These changes were started on build 2.")).not_to_be_visible()
    tab.button("discard-changes").click()


def test_a_filter_finds_packages_by_their_beginning_and_tells_versions(tab: Lab, lab: Server) -> None:
    field = tab.sidebar.get_by_role("searchbox")
    field.fill("pkg:nasty-te")
    hit = tab.sidebar.locator('[data-key^="hit:"][data-name="kept"]')
    shown(hit.get_by_text("nasty-text 1"))
    field.fill("pkg:nasty-text")
    shown(hit.get_by_text("1.0", exact=True))
    everywhere = lab.data("GET", "environment/")
    containing = lab.data("GET", "environment/?packages=nasty-text")
    assert 1 <= len(containing) < len(everywhere)
    shown(tab.sidebar.get_by_text(f"{len(containing)} of {len(everywhere)}", exact=True))
    tab.picture("filter-package")


def test_a_failure_is_told_until_it_is_mended(tab: Lab, lab: Server, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies:\n  - nasty-text\n"
    tab.open("kept", "specification")
    tab.write(f"{text}  - nasty-failing\n")
    shown(tab.view.get_by_text("Fits, found in"))
    with tab.page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/specification/")) as answer:
        tab.button("create-build").click()
    number = lab.data("GET", f"build/{answer.value.json()['data']['build_id']}/")["number"]
    # the build that was just made is shown, though the list of builds is a moment older
    chosen = tab.view.get_by_test_id("envstore:build-selector").locator("option:checked")
    expect(chosen).to_contain_text(f"Build {number} · Failed")
    told = tab.page.locator(".Toastify__toast", has_text="team/kept: ")
    shown(told.get_by_role("button", name="Edit"))
    tab.tab("specification")
    tab.write(f"{text}variables: {{D: e}}\n")
    shown(tab.view.get_by_text("Fits, found in"))
    tab.button("create-build").click()
    shown(tab.page.get_by_text("team/kept is ready"))
    expect(told.get_by_role("button", name="Edit")).to_have_count(0)


def test_one_goes_on_with_exact_versions_or_packages(tab: Lab) -> None:
    tab.open("kept", "specification")
    tab.button("format").click()
    tab.page.get_by_role("menuitem", name="Pinned: each version as in build 2").click()
    expect(tab.editor()).to_contain_text("nasty-text=1.0=")
    write_at_the_end(tab, "# mine")
    tab.button("format").click()
    tab.page.get_by_role("menuitem", name="Pinned: each version as in build 2").click()
    expect(tab.editor()).not_to_contain_text("# mine")
    tab.page.get_by_role("button", name="Undo").click()
    expect(tab.editor()).to_contain_text("# mine")
    tab.button("format").click()
    tab.page.get_by_role("menuitem", name="Lockfile: each package as in build 2").click()
    expect(tab.editor()).to_contain_text("sha256")
    shown(tab.view.get_by_text("A lockfile of 1 package."))
    expect(tab.button("platforms")).not_to_be_visible()
    tab.button("format").click()
    tab.page.get_by_role("menuitem", name="Original text of build 2").click()
    expect(tab.view.get_by_text("a draft is kept in this browser")).not_to_be_visible()


def test_a_server_that_hangs_is_noticed_and_given_up(tab: Lab, lab: Server) -> None:
    tab.open("kept")
    shown(tab.view.get_by_role("row", name="nasty-text"))
    lab.process.send_signal(signal.SIGSTOP)
    try:
        tab.tab("access")  # it asks for something that no tab has shown yet
        shown(tab.view.get_by_text("Waiting for the server…"))
        shown(tab.sidebar.get_by_text("Waiting for the server…"))
        expect(tab.view.get_by_role("region", name="Your tokens").get_by_role("status", name="Loading")).to_be_visible()
        tab.page.screenshot(path=PICTURES / "hung.png")  # another theme would need the server
        tab.tab("specification")
        write_at_the_end(tab, "# mine")
        shown(tab.view.get_by_text("Checking…"))
        shown(tab.view.get_by_text("Not connected. Last update"), 16_000)
        shown(tab.view.get_by_role("complementary", name="Preview").get_by_text("The server does not answer"), 16_000)
        tab.page.screenshot(path=PICTURES / "hung-given-up.png")
    finally:
        lab.process.send_signal(signal.SIGCONT)
    shown(tab.view.get_by_text("Fits, found in"))
    expect(tab.view.get_by_text("Not connected. Last update")).to_have_count(0)
    tab.button("discard-draft").click()
    tab.tab("access")
    shown(tab.view.get_by_text("Only its owner, and people named in the configuration"))
