"""What was begun goes on: after a reload, in another view, in the next build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from jupyter_envstore.spec.selectors import current_subdir
from tests.lab.conftest import Lab, shown
from tests.server.live import Server

DATE = "2999-01-31"
NEW = "envstore:new-environment:"
PIXI = """\
[workspace]
name = "going-on"
channels = ["{channel}"]
platforms = ["{platform}"]
exclude-newer = "2999-01-31"
[dependencies]
nasty-text = "*"
[feature.binary.dependencies]
nasty-binary = "*"
[environments]
binary = ["binary"]
"""
LEFT_OUT = f"Packages uploaded after {DATE} are left out, as in "


def workspace(folder: Path, channel: str, padding: int = 0) -> Path:
    """Write a ``pixi.toml`` with two environments and a date; with ``padding``, characters that mean nothing."""
    file = folder / "pixi.toml"
    file.write_text(PIXI.format(channel=channel, platform=current_subdir()) + "# padding\n" * (padding // 10))
    return file


def dated(lab: Server, name: str, channel: str) -> int:
    """Build ``team/<name>`` with a date; return the build's id."""
    text = f"name: {name}\nchannels: [{channel}]\ndependencies:\n  - nasty-text\n"
    body = {"namespace": "team", "specification": text, "exclude_newer": DATE}
    build_id = int(lab.data("POST", "specification/", json=body)["build_id"])
    assert lab.wait(build_id)["exclude_newer"] == DATE
    return build_id


def kept_texts(page: Page) -> list[str]:
    """Return what this browser keeps of new environments."""
    found: list[str] = page.evaluate("Object.keys(localStorage).filter(key => /^jupyter-envstore:.*:new:/.test(key))")
    return found


def submitted(tab: Lab, button: Locator) -> dict[str, Any]:
    """Press a button that builds; return what was sent."""
    with tab.page.expect_request(lambda sent: sent.url.split("?")[0].endswith("/specification/")) as sent:
        button.click()
    body: dict[str, Any] = sent.value.post_data_json
    return body


def test_a_new_environment_with_its_choice_of_a_file_outlives_a_reload_until_it_is_discarded(
    tab: Lab, nasty_channel: str, tmp_path: Path
) -> None:
    tab.import_file(workspace(tmp_path, nasty_channel))
    tab.button("file-environment").select_option("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    tab.button("new-name").fill("not-yet")
    tab.view.get_by_label("Description").fill("To be built tomorrow")
    tab.button("take-newer").click()
    tab.reload(kept=NEW)
    expect(tab.button("file-environment")).to_have_value("binary", timeout=30_000)
    expect(tab.editor()).to_contain_text("nasty-binary")
    expect(tab.button("new-name")).to_have_value("not-yet")
    expect(tab.view.get_by_label("Description")).to_have_value("To be built tomorrow")
    expect(tab.button("take-newer")).to_have_text("Leave out newer packages")
    tab.button("file-environment").select_option("default")
    expect(tab.editor()).not_to_contain_text("nasty-binary")
    assert len(kept_texts(tab.page)) == 1
    tab.view.get_by_role("button", name="Cancel").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(tab.page.locator(".jp-EnvStore-create")).to_have_count(0)
    assert kept_texts(tab.page) == []
    tab.reload(gone=NEW)
    shown(tab.page.locator(".jp-Launcher"))
    expect(tab.page.locator(".jp-EnvStore-create")).to_have_count(0)


def test_a_file_of_half_a_megabyte_can_be_chosen_from_after_a_reload(
    tab: Lab, lab: Server, nasty_channel: str, tmp_path: Path
) -> None:
    lab.wait(lab.submit(f"name: large\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text\n"))
    tab.open("large", "specification")
    with tab.page.expect_file_chooser() as chooser:
        tab.button("import-here").click()
    chooser.value.set_files(workspace(tmp_path, nasty_channel, 600_000))
    tab.button("file-environment").select_option("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    expect(tab.view.get_by_text("too large to be kept")).to_have_count(0)
    tab.reload(kept='"name": "large", "tab": "specification"')
    expect(tab.button("file-environment")).to_have_value("binary", timeout=30_000)
    tab.button("file-environment").select_option("default")
    expect(tab.editor()).not_to_contain_text("nasty-binary")
    expect(tab.editor()).to_contain_text("nasty-text")
    lab.data("DELETE", "environment/team/large/")


def test_the_date_of_a_build_holds_for_packages_changed_without_its_text_until_it_is_lifted(
    tab: Lab, lab: Server, nasty_channel: str
) -> None:
    dated(lab, "dated", nasty_channel)
    tab.open("dated")
    shown(tab.view.get_by_text(f"{LEFT_OUT}build 1"))
    field = tab.button("add-package-field")
    field.fill("nasty-links")
    field.press("Enter")
    tab.button("preview-changes").click()
    shown(tab.view.get_by_text("Added 1"))
    tab.picture("dated-packages")
    tab.check_accessibility(".jp-EnvStore-environmentView")
    assert submitted(tab, tab.button("build-changes"))["exclude_newer"] == DATE
    shown(tab.page.get_by_text("team/dated is ready"), 60_000)
    tab.tab("packages")
    shown(tab.view.get_by_text(f"{LEFT_OUT}build 2"))
    tab.button("take-newer").click()
    shown(tab.view.locator(".jp-EnvStore-chip", has_text=f"newer than {DATE}"))
    body = submitted(tab, tab.button("build-changes"))
    assert "exclude_newer" not in body
    assert "nasty-links" in body["specification"]
    expect(tab.view.get_by_test_id("envstore:build-selector")).to_contain_text("Build 3")
    tab.tab("packages")
    expect(tab.view.get_by_text("are left out, as in")).to_have_count(0)
    lab.data("DELETE", "environment/team/dated/")


def test_the_date_of_a_build_holds_for_its_edited_text_and_outlives_the_environment(
    tab: Lab, lab: Server, nasty_channel: str
) -> None:
    dated(lab, "edited", nasty_channel)
    tab.open("edited", "specification")
    shown(tab.view.get_by_text(f"{LEFT_OUT}build 1"))
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.type("  - nasty-links\n")
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    tab.reload(kept='"name": "edited", "tab": "specification"')
    shown(tab.view.get_by_text(f"{LEFT_OUT}build 1"))
    assert submitted(tab, tab.button("create-build"))["exclude_newer"] == DATE
    shown(tab.page.get_by_text("team/edited is ready"), 60_000)
    tab.tab("specification")
    tab.button("take-newer").click()
    shown(tab.view.get_by_text(f"The date {DATE} of build 2 (exclude-newer) is ignored."))
    shown(tab.view.get_by_text("a draft is kept in this browser"))
    tab.button("take-newer").click()
    shown(tab.view.get_by_text(f"{LEFT_OUT}build 2"))
    expect(tab.view.get_by_text("a draft is kept in this browser")).to_have_count(0)
    lab.data("DELETE", "environment/team/edited/")
    tab.button("create-again").click()
    shown(tab.page.locator(".jp-EnvStore-create").get_by_text(f"{LEFT_OUT}build 2"))
    tab.button("new-name").fill("edited-again")
    assert submitted(tab, tab.button("create"))["exclude_newer"] == DATE
    shown(tab.page.get_by_text("team/edited-again is ready"), 60_000)
    lab.data("DELETE", "environment/team/edited-again/")


def test_a_file_goes_along_with_its_choice_to_the_environment_whose_name_is_taken(
    tab: Lab, lab: Server, nasty_channel: str, tmp_path: Path
) -> None:
    lab.wait(lab.submit(f"name: going-on\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-links\n"))
    shown(tab.row("going-on"))
    tab.import_file(workspace(tmp_path, nasty_channel))
    tab.button("file-environment").select_option("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    tab.view.get_by_label("In", exact=True).select_option("team")
    tab.button("new-name").fill("going-on")
    tab.button("build-of-taken").click()
    view = tab.page.locator(".jp-EnvStore-environmentView:visible")
    expect(view.get_by_test_id("envstore:file-environment")).to_have_value("binary")
    expect(view.locator(".cm-content")).to_contain_text("nasty-binary")
    shown(view.get_by_text(f"{LEFT_OUT}pixi.toml"))
    tab.picture("handed-over")
    view.get_by_test_id("envstore:file-environment").select_option("default")
    expect(view.locator(".cm-content")).not_to_contain_text("nasty-binary")
    body = submitted(tab, tab.button("create-build"))
    assert body["exclude_newer"] == DATE
    assert "nasty-text" in body["specification"]
    shown(tab.page.get_by_text("team/going-on is ready"), 60_000)
    lab.data("DELETE", "environment/team/going-on/")
