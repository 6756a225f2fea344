"""New environments: from packages, files, links, a notebook's kernel."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.lab.conftest import Lab, shown
from tests.server.live import Server

VIEW = ".jp-EnvStore-create"


def test_an_environment_is_created_with_the_keyboard_alone(tab: Lab, lab: Server, example: int) -> None:
    shown(tab.row("data"))
    tab.button("new").first.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.button("new-name")).to_be_focused()
    tab.page.keyboard.type("by-keys")
    shown(tab.view.get_by_text("✓ free"))
    field = tab.button("add-package-field")
    for _ in range(12):
        tab.page.keyboard.press("Tab")
        if field.evaluate("node => node === document.activeElement"):
            break
    expect(field).to_be_focused()
    tab.page.keyboard.type("numpy")
    shown(tab.view.get_by_role("option", name="numpy").first)
    tab.page.keyboard.press("Enter")
    shown(tab.view.locator(".jp-EnvStore-chip", has_text="numpy"))
    shown(tab.view.get_by_text("Fits, found in"))
    tab.picture("new")
    tab.check_accessibility(VIEW)
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if tab.button("create").evaluate("node => node === document.activeElement"):
            break
        if tab.editor().evaluate("node => node === document.activeElement"):
            tab.page.keyboard.press("Escape")
            tab.page.keyboard.press("Control+Enter")
            break
    else:
        raise AssertionError
    if tab.button("create").count():
        tab.page.keyboard.press("Enter")
    shown(tab.page.get_by_text("default/by-keys is ready"), 60_000)
    build = lab.data("GET", "environment/default/by-keys/")
    assert build["active"]
    lab.wait(build["current_build_id"])
    lab.data("DELETE", "environment/default/by-keys/")


def test_a_name_that_is_taken_or_none_is_told_as_one_types(tab: Lab, example: int) -> None:
    shown(tab.row("data"))
    tab.button("new").first.click()
    tab.view.get_by_label("In", exact=True).select_option("team")
    tab.button("new-name").fill("DATA")
    shown(tab.view.get_by_text("team already has data:"))
    expect(tab.button("create")).to_be_disabled()
    tab.picture("taken")
    tab.button("new-name").fill("a b")
    shown(tab.view.get_by_text("at most 64 letters, digits and _ . + -"))
    tab.button("new-name").fill("data")
    tab.view.get_by_role("button", name="open it").click()
    shown(tab.page.locator(".jp-EnvStore-environmentView"))


def test_a_real_file_is_repaired_on_import_and_every_change_is_told(
    tab: Lab, lab: Server, channel: str, tmp_path: Path
) -> None:
    file = tmp_path / "wild.yml"
    file.write_text(
        f"name: C:\\work\\env\nchannels: [{channel}, defaults]\ndependencies: [python]\nprefix: C:\\work\\env\n"
    )
    tab.import_file(file)
    shown(tab.view.get_by_text("4 changes were made"))
    expect(tab.button("new-name")).to_have_value("env")
    expect(tab.editor()).to_contain_text("ipykernel")
    tab.picture("import")
    tab.view.get_by_role("button", name="leave out").click()
    shown(tab.view.get_by_text("3 changes were made"))
    expect(tab.editor()).not_to_contain_text("ipykernel")
    tab.view.get_by_role("button", name="Change it after all: ipykernel added").click()
    expect(tab.editor()).to_contain_text("ipykernel")
    tab.view.get_by_role("button", name="Undo all").click()
    expect(tab.editor()).to_contain_text("prefix")


def test_ten_faults_are_listed_and_nothing_is_built(tab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "bad.yml"
    lines = "".join(f"  - 'package{number} >>1'\n" for number in range(10))
    file.write_text(f"name: bad\nchannels: [a]\ndependencies:\n{lines}")
    tab.import_file(file)
    shown(tab.view.get_by_text("10 lines must be corrected"))
    expect(tab.button("create")).to_be_disabled()


def test_a_pdf_is_refused_with_what_is_accepted(tab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF-1.7 not an environment")
    tab.button("new").first.click()
    tab.view.get_by_role("radio", name="File or link").check()
    with tab.page.expect_file_chooser() as chooser:
        tab.button("choose-file").click()
    chooser.value.set_files(file)
    shown(tab.view.get_by_text("report.pdf is not an environment file (PDF"))
    tab.picture("pdf")


def test_a_lockfile_is_built_as_it_is(tab: Lab, lab: Server, example: int, tmp_path: Path) -> None:
    file = tmp_path / "conda-lock.yml"
    file.write_bytes(lab.ask("GET", f"build/{example}/conda-lock.yml").content)
    tab.import_file(file)
    shown(tab.view.get_by_text("packages. It is built exactly, without solving."))
    tab.picture("lockfile")
    tab.button("new-name").fill("exact")
    tab.button("create").click()
    shown(tab.page.get_by_text("default/exact is ready"), 60_000)
    build_id = lab.data("GET", "environment/default/exact/")["current_build_id"]
    assert lab.data("GET", f"build/{example}/diff/{build_id}/") == []
    lab.wait(build_id)
    lab.data("DELETE", "environment/default/exact/")


def test_the_kernel_of_a_notebook_becomes_an_environment(tab: Lab, example: int) -> None:
    tab.row("data").focus()
    tab.page.keyboard.press("Control+Enter")
    expect(tab.page.get_by_text("Python (team/data) | Idle")).to_be_visible(timeout=60_000)
    tab.button("more").click()
    tab.page.get_by_role("menuitem", name="New Environment from This Notebook's Kernel").click()
    shown(tab.page.locator(VIEW))
    expect(tab.editor()).to_contain_text("- numpy=", timeout=20_000)
    expect(tab.editor()).to_contain_text("- pandas=")


def test_a_lockfile_can_be_where_one_begins(tab: Lab, lab: Server, example: int, tmp_path: Path) -> None:
    file = tmp_path / "conda-lock.yml"
    file.write_bytes(lab.ask("GET", f"build/{example}/conda-lock.yml").content)
    tab.import_file(file)
    tab.button("starting-point").click()
    shown(tab.view.get_by_text("Fits, found in"))
    expect(tab.editor()).to_contain_text("- pandas=")  # which needs numpy
    expect(tab.editor()).not_to_contain_text("sha256")


def test_a_file_with_the_line_ends_of_windows_is_imported_and_edited(tab: Lab, lab: Server, tmp_path: Path) -> None:
    text = "name: from-windows\r\nchannels: [defaults]\r\ndependencies:\r\n  - python\r\nprefix: C:\\env\r\n"
    (tmp_path / "environment.yml").write_bytes(text.encode())
    tab.import_file(tmp_path / "environment.yml")
    shown(tab.view.get_by_text("changes were made"))
    tab.button("undo-import").click()
    expect(tab.editor()).to_contain_text("prefix: C:")
    tab.button("redo-import").click()
    shown(tab.view.get_by_text("changes were made"))
    expect(tab.editor()).not_to_contain_text("prefix")


def test_a_text_with_the_line_ends_of_windows_is_edited_where_it_seems_to_be(
    tab: Lab, lab: Server, nasty_channel: str
) -> None:
    lab.wait(lab.submit(f"name: lines\r\nchannels: [{nasty_channel}]\r\ndependencies:\r\n  - nasty-text\r\n"))
    shown(tab.row("lines"))
    tab.open("lines", "specification")
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.type("  - nasty-versions\n")
    shown(tab.view.get_by_text("Fits, found in"), 10_000)
    shown(tab.view.locator("dd", has_text="nasty-versions").first)
    lab.data("DELETE", "environment/team/lines/")
    tab.view.get_by_role("button", name="Create again from this text").click()
    expect(tab.editor()).to_contain_text("nasty-text")
