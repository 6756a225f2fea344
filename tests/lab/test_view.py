"""The view of an environment: packages, specification with preview, builds, log, artifacts, access."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers import WithoutShards, serve
from tests.lab.conftest import LAB, Lab, new_context, shown
from tests.server.live import Server

VIEW = ".jp-EnvStore-environmentView"


@pytest.fixture
def data(tab: Lab, example: int) -> Lab:
    """The view of ``team/data``."""
    assert example
    shown(tab.row("data"))
    return tab


def test_packages_say_why_they_are_there(data: Lab) -> None:
    data.open("data")
    row = data.view.get_by_role("row", name="numpy")
    shown(row)
    expect(row).to_contain_text("asked for")
    data.picture("packages")
    data.check_accessibility(VIEW)
    data.view.get_by_role("radio", name="All").check()
    shown(data.view.get_by_role("row", name="traitlets"))
    expect(data.view.get_by_role("row", name="traitlets")).to_contain_text("needed by")
    data.view.get_by_role("radio", name="Updates").check()
    shown(data.view.get_by_text("No newer packages fit the specification."))


def test_a_package_is_added_without_yaml_and_comments_live(data: Lab, lab: Server, example: int) -> None:
    before = lab.data("GET", f"build/{example}/")["number"]
    data.row("data").click()
    data.row("data").hover()
    data.sidebar.get_by_role("button", name="Add a package to data").click()
    field = data.button("add-package-field")
    expect(field).to_be_focused()
    data.page.keyboard.type("flas")
    option = data.view.get_by_role("option", name="flask").first
    shown(option)
    expect(option).to_contain_text("channel")  # its newest version, and where it comes from
    data.page.keyboard.press("Enter")
    shown(data.view.locator(".jp-EnvStore-chip", has_text="flask"))
    data.button("preview-changes").click()
    shown(data.view.locator("dd").get_by_text("flask", exact=True))
    data.picture("staged")
    data.button("build-changes").click()
    expect(data.view.get_by_test_id("envstore:build-selector")).to_contain_text(f"Build {before + 1}")
    newest = lab.data("GET", "environment/team/data/")["newest_build_id"]
    assert lab.data("GET", f"build/{newest}/")["number"] == before + 1
    build = lab.wait(newest)
    assert build["status"] == "COMPLETED"
    assert "# two is too new" in build["specification"]["text"]
    assert "  - flask\n" in build["specification"]["text"]
    lab.data("PUT", "environment/team/data/", json={"build_id": example})
    lab.data("DELETE", f"build/{newest}/")


def test_a_fault_is_marked_at_its_line_as_one_types(data: Lab) -> None:
    data.open("data", "specification")
    shown(data.view.get_by_text("Fits, found in"))
    data.picture("specification")
    data.check_accessibility(".jp-EnvStore-environmentView .jp-EnvStore-preview")
    data.write("name: data\ndependencies:\n  - python=\n  - 'numpy >>1'\nsurprise: 1\n")
    shown(data.view.get_by_text("3 lines must be corrected"))
    expect(data.view.locator(".cm-lint-marker-error")).to_have_count(3)
    expect(data.button("create-build")).to_be_disabled()
    data.view.get_by_role("button", name="line 5").click()
    data.picture("faults")
    data.button("discard-draft").click()
    expect(data.editor()).to_contain_text("two is too new")


def test_a_preview_tells_what_would_change_and_a_conflict(data: Lab, channel: str, nasty_channel: str) -> None:
    data.open("data", "specification")
    shown(data.view.get_by_text("Fits, found in"))
    data.editor().click()
    data.page.keyboard.press("Control+End")
    data.page.keyboard.type("  - flask\n")
    shown(data.view.get_by_text("Added"), 10_000)
    expect(data.view.locator("dd", has_text="flask").first).to_be_visible()
    data.picture("preview")
    data.editor().click()  # changing the theme for the picture may have taken the focus
    data.page.keyboard.press("Control+End")
    data.page.keyboard.type("- no-such-package\n")  # the editor indents it
    shown(data.view.get_by_text("no package no-such-package"), 10_000)
    data.write(f"name: data\nchannels: [{channel}]\ndependencies:\n  - python\n  - nmupy\n")
    shown(data.view.get_by_text("did you mean numpy?").first, 10_000)
    data.picture("misspelled")
    data.button("fix").first.click()
    expect(data.editor()).not_to_contain_text("nmupy")
    shown(data.view.get_by_text("Fits, found in"), 10_000)
    data.editor().click()
    data.page.keyboard.press("Control+z")  # takes back what the panel wrote, as if it had been typed
    expect(data.editor()).to_contain_text("nmupy")
    expect(data.editor()).not_to_contain_text("numpy")
    shown(data.view.get_by_text("did you mean numpy?").first, 10_000)
    data.page.keyboard.press("Control+.")
    expect(data.editor()).to_contain_text("numpy")
    bad = "dependencies:\n  - python\n  - falsk\n  - wmi  # [win]\n"
    data.write(f"name: data\nchannels: [{channel}]\n{bad}")
    shown(data.view.get_by_text("did you mean flask?").first, 10_000)
    shown(data.view.get_by_text("no package wmi").first)  # all at once, each at its line
    shown(data.view.get_by_role("button", name="line 6"))
    shown(data.view.get_by_text("kept though [win] behind it is not so on"))
    selector = data.view.get_by_test_id("envstore:build-selector")
    selector.select_option(index=1)
    expect(data.editor()).to_contain_text("two is too new")
    data.editor().click()
    data.page.keyboard.press("Control+z")  # what was written for another build is none of this one
    expect(data.editor()).to_contain_text("two is too new")
    expect(data.button("discard-draft")).to_have_count(0)
    selector.select_option(index=0)
    expect(data.editor()).not_to_contain_text("two is too new")
    both = "  - nasty-versions <2\n  - nasty-versions >=2\n"
    data.write(f"name: data\nchannels: [{nasty_channel}]\ndependencies:\n{both}")
    shown(data.view.get_by_text("These packages conflict"), 10_000)
    expect(data.view.get_by_text("nasty-versions <2 conflicts with nasty-versions >=2 (line 5)").first).to_be_visible()
    expect(data.view.get_by_text("Full explanation")).to_be_visible()
    expect(data.view.locator(".cm-lint-marker-error")).to_have_count(2)
    data.picture("conflict-of-lines")
    data.write(f"name: data\nchannels: [{nasty_channel}]\ndependencies: [nasty-needs-old, nasty-needs-new]\n")
    shown(data.view.get_by_text("These packages conflict"), 10_000)
    expect(data.view.get_by_role("alert")).to_contain_text("nasty-versions")
    expect(data.view.locator(".cm-lint-marker-error")).to_have_count(1)  # both stand in the last line
    expect(data.view.get_by_role("button", name="line 3")).to_be_visible()
    data.picture("conflict")
    data.button("discard-draft").click()


def test_a_preview_says_what_is_allowed_and_takes_the_last_index(data: Lab, lab: Server, channel: str) -> None:
    data.open("data", "specification")
    shown(data.view.get_by_text("Fits, found in"))
    lab.data("PUT", "setting/team/data/", json={"conda_allowed_channels": [channel]})
    data.write("name: data\nchannels:\n  - bioconda  # theirs\ndependencies:\n  - python\n")
    shown(data.view.get_by_text("channel 'bioconda' is not allowed"), 10_000)
    data.picture("forbidden")
    data.view.get_by_role("button", name="Replace bioconda with").click()
    expect(data.editor()).to_contain_text(f"- {channel}  # theirs")
    shown(data.view.get_by_text("Fits, found in"), 10_000)
    lab.data("PUT", "setting/team/data/", json={"conda_allowed_channels": None})
    with serve(channel.removeprefix("file://"), WithoutShards) as address:
        data.write(f"name: data\nchannels: ['http://{address}']\ndependencies:\n  - python\n  - flask\n")
        shown(data.view.locator("dd", has_text="flask").first, 20_000)
    data.write(f"name: data\nchannels: ['http://{address}']\ndependencies:\n  - flask\n")
    shown(data.view.get_by_text("cannot be reached from this server"), 30_000)
    shown(data.view.get_by_text("Last channel index:"))
    data.picture("channel-away")
    expect(data.button("create-build")).to_have_text("Build anyway…")
    data.button("last-index").click()
    shown(data.view.get_by_text("With the channel index of"), 10_000)
    data.check_accessibility(".jp-EnvStore-environmentView .jp-EnvStore-preview")
    data.button("discard-draft").click()


def test_packages_for_a_gpu_are_picked_where_the_server_has_none(data: Lab, nasty_channel: str) -> None:
    data.open("data", "specification")
    shown(data.view.get_by_text("Fits, found in"))
    data.write(f"name: data\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, __cuda>=12]\n")
    shown(data.view.get_by_role("alert").filter(has_text="__cuda"), 10_000)
    data.button("gpu").click()
    data.picture("gpu")
    data.page.get_by_role("menuitem", name="CUDA 12.4").click()
    expect(data.editor()).to_contain_text("cuda: '12.4'")
    shown(data.view.get_by_text("Fits, found in"), 10_000)
    expect(data.button("gpu")).to_have_text("GPU: CUDA 12.4 ▾")
    data.button("discard-draft").click()


def test_packages_are_completed_from_the_channels(data: Lab) -> None:
    data.open("data", "specification")
    data.editor().click()
    data.page.keyboard.press("Control+End")
    data.page.keyboard.type("  - pan")
    shown(data.page.locator(".cm-tooltip-autocomplete").get_by_text("pandas"), 15_000)
    data.page.keyboard.press("Tab")
    expect(data.editor()).to_contain_text("- pandas")
    data.button("discard-draft").click()


def test_builds_are_compared_and_rolled_back_with_undo(data: Lab, lab: Server, example: int) -> None:
    data.open("data", "builds")
    shown(data.view.get_by_role("cell", name="first build"))
    data.picture("builds")
    data.check_accessibility(VIEW)
    for number in (1, 2):
        data.view.get_by_role("checkbox", name=f"Compare build {number}").check()
    data.button("compare").click()
    shown(data.view.locator("dd", has_text="pandas"))
    data.picture("compare")
    data.button("roll-back").click()
    shown(data.page.get_by_text("New notebooks use build 1."))
    assert lab.data("GET", "environment/team/data/")["current_build"]["number"] == 1
    data.page.get_by_role("button", name="Undo").click()
    expect(data.view.locator("option", has_text="Build 2 · Ready · active")).to_be_attached()
    assert lab.data("GET", "environment/team/data/")["current_build_id"] == example


def test_every_artifact_is_downloaded_whole(data: Lab, lab: Server, example: int, tmp_path: Path) -> None:
    for kind in ("archive", "pixi", "sbom"):
        lab.make(example, kind)
    data.open("data", "artifacts")
    shown(data.button("download-archive"))
    shown(data.button("download-sbom"))
    data.picture("artifacts")
    data.button("download-sbom").scroll_into_view_if_needed()
    data.picture("other-tools")
    data.check_accessibility(VIEW)
    listed = lab.data("GET", f"build/{example}/artifacts/")
    made = [item for item in listed if item["state"] == "ready" and item["type"] != "docker"]
    assert {artifact["type"] for artifact in made} >= {"yaml", "lockfile", "explicit", "archive", "pixi", "sbom"}
    for artifact in made:
        with data.page.expect_download() as download:
            data.button(f"download-{artifact['type']}").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == artifact["sha256"], artifact["type"]
        assert path.name == artifact["file_name"]


def test_texts_open_in_a_browser_tab_and_beside(data: Lab, lab: Server, example: int) -> None:
    data.open("data", "artifacts")
    shown(data.button("show-lockfile"))
    with data.page.context.expect_page() as opened:
        data.button("show-lockfile").click()
    opened.value.wait_for_load_state()
    assert "numpy" in opened.value.inner_text("body")
    opened.value.close()
    data.button("open-yaml").click()
    shown(data.page.locator(".jp-CodeMirrorEditor .cm-content", has_text="numpy=").first)


def test_copied_code_fetches_the_lockfile_with_a_narrow_token(
    data: Lab, lab: Server, example: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.open("data", "artifacts")
    shown(data.button("show-lockfile"))
    data.view.locator('[data-type="lockfile"] summary').click()
    data.button("copy-python-lockfile").click()
    shown(data.page.get_by_text("The code contains a token that can only read data"))
    code = data.page.evaluate("navigator.clipboard.readText()")
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # noqa: S102 - the code that the panel gives
    artifacts = {item["type"]: item["sha256"] for item in lab.data("GET", f"build/{example}/artifacts/")}
    assert hashlib.sha256((tmp_path / "conda-lock.yml").read_bytes()).hexdigest() == artifacts["lockfile"]
    data.button("copy-shell-lockfile").click()
    shell = data.page.evaluate("navigator.clipboard.readText()")
    (token,) = (item for item in lab.data("GET", "token/") if item["name"] == "Copied code, data")  # one for both
    assert f"Bearer {token['prefix']}" in shell
    assert token["role_bindings"] == {"team/data": ["viewer"]}
    data.tab("access")
    shown(data.view.get_by_text("Copied code, data"))
    data.picture("access")
    data.check_accessibility(VIEW)
    data.view.get_by_role("button", name="Revoke Copied code, data").click()
    expect(data.view.get_by_text("Copied code, data")).to_have_count(0)


def test_a_log_is_followed_live_and_says_where_it_failed(data: Lab, lab: Server, channel: str) -> None:
    build_id = lab.submit(f"name: live\nchannels: [{channel}]\ndependencies: [python, pandas, no-such-thing]")
    shown(data.row("live"))
    lab.wait(build_id)
    data.open("live", "artifacts")
    shown(data.view.get_by_text("Failed in “Find versions”"))
    data.picture("log-failed")
    shown(data.button("retry"))
    build_id = lab.submit(f"name: live\nchannels: [{channel}]\ndependencies: [python, pandas]")
    expect(data.view.get_by_test_id("envstore:build-selector")).to_contain_text("Build 2")
    data.view.get_by_test_id("envstore:build-selector").select_option(str(build_id))
    shown(data.view.get_by_role("list", name="Steps").get_by_text("Download packages", exact=True))
    lab.wait(build_id)
    shown(data.button("download-lockfile"), 60_000)
    lab.make(build_id, "archive")
    shown(data.button("download-archive"), 60_000)
    lab.data("DELETE", "environment/team/live/")
    shown(data.view.get_by_text("team/live was deleted."))


def test_members_are_added_and_removed(data: Lab, lab: Server) -> None:
    data.open("data", "access")
    data.view.get_by_label("Their namespace").fill("ana")
    data.view.get_by_role("button", name="Add member").click()
    shown(data.view.get_by_role("rowheader", name="ana"))
    members = data.sidebar.get_by_role("button", name="1 other has a role in team")
    shown(members)
    data.tab("builds")
    members.click()
    shown(data.view.get_by_role("rowheader", name="ana"))
    with data.page.expect_response(lambda answer: answer.request.method in ("PUT", "POST")):
        data.view.get_by_label("Role of ana").select_option("developer")
    assert [(row["other_namespace"], row["role"]) for row in lab.data("GET", "namespace/team/roles")] == [
        ("ana", "developer")
    ]
    data.view.get_by_role("button", name="Remove ana").click()
    expect(data.view.get_by_role("rowheader", name="ana")).to_have_count(0)
    expect(members).to_have_count(0)


@pytest.fixture(scope="module")
def zoomed_tab(browser: Browser, lab: Server) -> Iterator[Lab]:
    """JupyterLab at 200 %, loaded once."""
    context = new_context(browser, zoom=2)
    yield Lab(context, lab)
    context.close()


@pytest.mark.parametrize("name", ["packages", "specification", "builds", "artifacts", "access"])
def test_each_view_is_good_at_200_percent(zoomed_tab: Lab, example: int, name: str) -> None:
    tab = zoomed_tab
    tab.begin_again()
    shown(tab.row("data"))
    tab.open("data", name)
    tab.page.keyboard.press("Control+b")  # the sidebar leaves its place to the view
    content = tab.view.get_by_role("tabpanel")
    shown(content)
    tab.picture(f"zoom-{name}")
    box = content.bounding_box()
    assert box
    assert box["width"] > 500
    overflow = tab.view.evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0, "the view is wider than its tab"
    tab.check_errors()


def test_open_views_come_back_after_a_reload(data: Lab) -> None:
    data.open("data", "builds")
    shown(data.view.get_by_role("cell", name="first build"))
    data.reload(kept='"name": "data", "tab": "builds"')
    shown(data.page.locator(VIEW).get_by_text("For the team").first, 30_000)


def test_who_may_only_look_sees_no_buttons_that_change(
    open_lab: Callable[..., Lab], make_server: Callable[[str], Server], channel: str, nasty_channel: str
) -> None:
    extra = (
        "c.EnvStoreApp.shared = True\n"
        "c.EnvStoreApp.identity_mapper = lambda user: 'vera'\n"
        "c.EnvStoreApp.role_bindings = {'vera': {'vera/*': ['viewer'], 'team/*': ['viewer']}}\n"
        "c.EnvStoreApp.predefined_tokens = {'a-long-token-of-the-admin': {'primary_namespace': 'root',"
        " 'role_bindings': {'*/*': ['admin']}}}\n"
    )
    server = make_server(LAB.format(channel=channel, base="/nowhere") + extra)
    build_id = server.submit(
        f"name: shared\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", token="a-long-token-of-the-admin"
    )
    server.data("GET", f"build/{build_id}/", "a-long-token-of-the-admin")
    tab = open_lab(server)
    shown(tab.row("shared"))
    expect(tab.sidebar.get_by_title("You can use these environments, but not change them").first).to_be_visible()
    tab.row("shared").click(button="right")
    menu = tab.page.get_by_role("menuitem", name="Delete…")
    expect(menu).to_have_attribute("title", "Only admins of team can delete it")
    tab.page.keyboard.press("Escape")
    tab.open("shared", "specification")
    expect(tab.editor()).to_contain_text("nasty-text")
    expect(tab.editor()).to_have_attribute("aria-readonly", "true")
    expect(tab.button("create-build")).to_have_count(0)
    tab.tab("access")
    shown(tab.view.get_by_text("Only admins of team can change this:"))
    shown(tab.view.get_by_text("Only developers and admins of team see its rules."))
    tab.picture("read-only")


def test_a_log_of_five_megabytes_is_shown_from_its_end(data: Lab) -> None:
    lines = "".join(f"10:00:00 line {number} {'x' * 90}\n" for number in range(50_000))
    data.page.route(
        re.compile("/logs/"), lambda route: route.fulfill(status=200, body=lines, content_type="text/plain")
    )
    data.open("data", "artifacts")
    summary = data.view.get_by_text("The whole log, 50000 lines")
    shown(summary, 20_000)
    summary.click()
    shown(data.view.get_by_text("line 49999"))
    assert data.view.locator(".jp-EnvStore-logLines > div").count() == 2000
    data.view.get_by_role("button", name="Show 2000 of 48000 earlier lines").click()
    expect(data.view.locator(".jp-EnvStore-logLines > div")).to_have_count(4000)
    data.page.unroute_all()


def test_a_draft_and_the_tab_that_was_open_survive_a_reload(data: Lab) -> None:
    data.open("data", "specification")
    data.editor().click()
    data.page.keyboard.press("Control+End")
    data.page.keyboard.type("# kept for later")
    shown(data.view.get_by_text("a draft is kept in this browser"))
    data.reload(kept='"name": "data", "tab": "specification"')
    expect(data.page.locator(VIEW).locator(".cm-content")).to_contain_text("kept for later", timeout=30_000)
    data.button("discard-draft").click()


def test_staged_packages_stay_while_other_tabs_are_looked_at(data: Lab) -> None:
    data.open("data")
    data.view.get_by_role("row", name="numpy").focus()
    data.page.keyboard.press("Enter")
    data.page.get_by_role("menuitem", name="Remove").click()
    shown(data.view.locator(".jp-EnvStore-chip", has_text="numpy"))
    data.tab("builds")
    shown(data.view.get_by_role("cell", name="first build"))
    data.tab("packages")
    shown(data.view.locator(".jp-EnvStore-chip", has_text="numpy"))
    data.button("discard-changes").click()


def test_a_package_says_why_it_is_there_and_what_it_is(data: Lab) -> None:
    data.open("data")
    data.view.get_by_role("radio", name="All").check()
    row = data.view.get_by_role("row", name="traitlets")
    shown(row)
    row.get_by_role("button", name="More for traitlets").click()
    data.picture("package-menu")
    expect(data.page.get_by_role("menuitem", name="Remove")).to_have_attribute("aria-disabled", "true")
    data.page.get_by_role("menuitem", name="Why Is It Installed?").click()
    below = data.view.locator(".jp-EnvStore-details")
    expect(below).to_contain_text("It is needed by")
    expect(below.get_by_text("ipykernel, asked for").first).to_be_visible()
    expect(below).to_contain_text("Traitlets Python configuration system")
    expect(below.get_by_role("link").first).to_have_attribute("rel", "noopener noreferrer")
    data.picture("why")
    row.get_by_role("button", name="Why traitlets is installed").click()
    expect(below).to_have_count(0)
    asked = data.view.get_by_role("row", name="numpy").first
    asked.focus()
    data.page.keyboard.press("ArrowRight")
    expect(below).to_contain_text("The specification asks for it")
    data.page.keyboard.press("ArrowLeft")
    expect(below).to_have_count(0)
    asked.press("Enter")
    data.page.get_by_role("menuitem", name="Change Version…").click()
    field = data.view.get_by_label("Version of numpy")
    expect(field).to_be_focused()
    data.picture("change-version")
    field.press("Escape")
    expect(asked).to_be_focused()
    asked.press("Enter")
    data.page.get_by_role("menuitem", name="Change Version…").click()
    field.fill("<99")
    field.press("Enter")
    shown(data.view.locator(".jp-EnvStore-chip", has_text="<99"))
    expect(asked).to_be_focused()
    data.button("discard-changes").click()
    for text, staged in (("=3=", 0), ("", 0)):
        asked.press("Enter")
        data.page.get_by_role("menuitem", name="Change Version…").click()
        field.fill(text)
        field.press("Enter")
        if text:
            expect(data.view.get_by_text("is not a version or a range")).to_be_visible()
            field.press("Escape")
        expect(data.view.locator(".jp-EnvStore-chip")).to_have_count(staged)


def test_a_build_is_pinned_packed_away_and_brought_back(
    data: Lab, lab: Server, example: int, nasty_channel: str
) -> None:
    text = f"name: aging\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n"
    old = lab.submit(text)
    lab.wait(old)
    lab.wait(lab.submit(text + "variables: {A: b}\n"))
    data.open("aging", "builds")
    row = data.view.get_by_role("row", name="first build")
    shown(row)

    def choose(name: str) -> None:
        row.get_by_role("button", name="More for build 1").click()
        data.page.get_by_role("menuitem", name=name).click()

    choose("Never Pack Away (Pin)")
    expect(row).to_contain_text("pinned")
    choose("Unpin")
    expect(row).not_to_contain_text("pinned")
    row.get_by_role("button", name="More for build 1").click()
    data.picture("build-menu")
    data.page.get_by_role("menuitem", name="Pack Away", exact=True).click()
    expect(row).to_contain_text("Packed away")
    assert lab.data("GET", f"build/{old}/")["packed_away"]
    row.get_by_role("button", name="Bring back").click()
    expect(row).to_contain_text("Ready")
    data.button("change-kept").click()
    data.page.get_by_role("dialog").get_by_role("spinbutton").fill("3")
    data.page.get_by_role("dialog").get_by_role("button", name="Change").click()
    shown(data.view.get_by_text("The newest 3 builds are kept ready"))
    assert lab.data("GET", "setting/team/aging/")["retention_builds"] == 3
    lab.data("DELETE", "environment/team/aging/")


def test_a_notebook_is_opened_with_an_older_build(data: Lab, lab: Server, example: int) -> None:
    data.open("data", "builds")
    shown(data.view.get_by_role("cell", name="first build"))
    row = data.view.get_by_role("row", name="first build")
    row.get_by_role("button", name="More for build").click()
    data.page.get_by_role("menuitem", name="Open Notebook with This Build").click()
    expect(data.page.get_by_text(re.compile(r"Python \(team/data, build \d+\) \| Idle"))).to_be_visible(timeout=60_000)


def test_a_preview_looks_at_each_platform_that_is_listed(data: Lab, channel: str) -> None:
    data.open("data", "specification")
    shown(data.view.get_by_text("Fits, found in"))
    data.write(f"name: data\nchannels: [{channel}]\nplatforms: [linux-64, osx-arm64]\ndependencies: [python]\n")
    shown(data.view.get_by_text("Works on"), 10_000)
    expect(data.button("platforms")).to_contain_text("linux-64, osx-arm64")
    expect(data.view.locator("dd", has_text="linux-64")).to_contain_text("✓")
    expect(data.view.locator("dd", has_text="osx-arm64")).to_contain_text("✗")
    data.picture("platforms")
    data.button("discard-draft").click()
