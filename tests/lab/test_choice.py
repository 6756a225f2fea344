"""What is taken of a file with several environments or categories is chosen in the panel, and is what is built."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, expect

from jupyter_envstore.spec.selectors import current_subdir
from tests.lab.conftest import Lab, shown
from tests.server.live import Server

CHOICE = ".jp-EnvStore-choice"
LONG = "an-environment-with-a-name-that-is-as-long-as-names-in-real-workspaces-are-number"
PIXI = """\
[workspace]
name = "several"
channels = ["{channel}"]
platforms = ["{platform}"]
exclude-newer = "2099-01-01"
[dependencies]
nasty-text = "*"
[feature.binary.dependencies]
nasty-binary = "*"
[environments]
binary = ["binary"]
empty = {{features = [], no-default-feature = true}}
{more}
"""


@pytest.fixture
def workspace(nasty_channel: str, tmp_path: Path) -> Path:
    """A ``pixi.toml`` with 30 environments."""
    file = tmp_path / "pixi.toml"
    more = "\n".join(f'{LONG}-{number} = ["binary"]' for number in range(27))
    file.write_text(PIXI.format(channel=nasty_channel, platform=current_subdir(), more=more))
    return file


def packages(lab: Server, build_id: int) -> list[str]:
    """Return the names of a build's packages."""
    return sorted(item["name"] for item in lab.data("GET", f"build/{build_id}/contents/"))


def paste(tab: Lab, text: str) -> None:
    """Paste a text in place of what stands in the editor."""
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    tab.editor().click()
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.press("Control+v")


def chosen(tab: Lab) -> Locator:
    """Return the field for the file's environment."""
    return tab.button("file-environment")


def test_an_environment_of_a_workspace_is_chosen_with_keys_and_built(tab: Lab, lab: Server, workspace: Path) -> None:
    tab.import_file(workspace)
    expect(chosen(tab)).to_have_value("default")
    shown(tab.view.get_by_text("one of 30"))
    expect(tab.editor()).to_contain_text("nasty-text")
    expect(tab.editor()).not_to_contain_text("nasty-binary")
    shown(tab.view.get_by_text("Packages uploaded after 2099-01-01 are left out, as in pixi.toml"))
    chosen(tab).focus()
    tab.page.keyboard.type("bin")
    tab.page.keyboard.press("Escape")
    expect(chosen(tab)).to_have_value("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    shown(tab.view.get_by_text("Installs 2 packages"))
    tab.check_accessibility(CHOICE)
    tab.picture("choice")
    chosen(tab).select_option("empty")  # there is nothing to install in it: what was chosen before stays
    shown(tab.view.get_by_text("the environment empty asks for no packages"))
    expect(chosen(tab)).to_have_value("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    chosen(tab).select_option(f"{LONG}-3")
    expect(chosen(tab)).to_have_value(f"{LONG}-3")
    tab.page.set_viewport_size({"width": 700, "height": 800})
    tab.picture("choice-narrow")
    tab.page.set_viewport_size({"width": 1280, "height": 800})
    chosen(tab).select_option("binary")
    tab.editor().click()
    tab.page.keyboard.press("Control+End")
    tab.page.keyboard.insert_text("# mine\n")
    expect(chosen(tab)).to_be_disabled()
    tab.picture("choice-edited")
    tab.button("read-again").click()
    expect(chosen(tab)).to_be_enabled()
    expect(tab.editor()).not_to_contain_text("# mine")

    tab.button("new-name").fill("chosen")
    tab.page.locator(".lm-TabBar-tab.lm-mod-current", has_text="New environment").locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()
    shown(tab.page.get_by_role("dialog").get_by_text("Discard what you wrote?"))
    tab.page.get_by_role("button", name="Continue editing").click()
    expect(chosen(tab)).to_have_value("binary")
    with tab.page.expect_request(lambda sent: sent.url.split("?")[0].endswith("/specification/")) as sent:
        tab.button("create").click()
    assert sent.value.post_data_json["exclude_newer"] == "2099-01-01"
    shown(tab.page.get_by_text("default/chosen is ready"), 60_000)
    build_id = lab.data("GET", "environment/default/chosen/")["current_build_id"]
    assert packages(lab, build_id) == ["nasty-binary", "nasty-text"]
    expect(tab.page.get_by_role("dialog")).to_have_count(0)  # what was built is closed without a question
    lab.data("DELETE", "environment/default/chosen/")


def test_a_pasted_workspace_and_one_whose_default_is_empty_offer_their_environments(
    tab: Lab, workspace: Path, tmp_path: Path
) -> None:
    tab.button("new").first.click()
    shown(tab.editor())
    paste(tab, workspace.read_text())
    expect(chosen(tab)).to_have_value("default")
    chosen(tab).select_option("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    file = tmp_path / "bare" / "pixi.toml"
    file.parent.mkdir()
    file.write_text(workspace.read_text().replace('[dependencies]\nnasty-text = "*"\n', ""))
    with tab.page.expect_file_chooser() as chooser:
        tab.button("choose-file").click()
    chooser.value.set_files(file)
    shown(tab.view.get_by_text("the environment default asks for no packages").first)
    shown(tab.view.get_by_role("complementary").get_by_text("Choose above what to use from pixi.toml."))
    expect(tab.button("create")).to_be_disabled()
    assert "--" not in tab.view.inner_text(), "options of the command line mean nothing here"
    tab.picture("choice-empty")
    chosen(tab).select_option("binary")
    expect(tab.editor()).to_contain_text("nasty-binary")
    expect(tab.view.locator(CHOICE).get_by_role("alert")).to_have_count(0)


def test_categories_of_a_lock_are_chosen_kept_with_the_draft_and_built(
    tab: Lab, lab: Server, nasty_channel: str, tmp_path: Path
) -> None:
    plain = f"name: locked\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, nasty-binary]\n"
    first = lab.submit(plain)
    lab.wait(first)

    found = yaml.safe_load(lab.ask("GET", f"build/{first}/conda-lock.yml").text)
    for package in found["package"]:
        package["category"] = "docs" if package["name"] == "nasty-binary" else "main"
    file = tmp_path / "conda-lock.yml"
    file.write_text(yaml.safe_dump(found))
    shown(tab.row("locked"))
    tab.open("locked", "specification")
    with tab.page.expect_file_chooser() as chooser:
        tab.button("import-here").click()
    chooser.value.set_files(file)
    main, docs = (tab.view.get_by_role("checkbox", name=name, exact=True) for name in ("main", "docs"))
    expect(main).to_be_checked()
    expect(docs).not_to_be_checked()
    docs.focus()
    tab.page.keyboard.press("Space")
    expect(docs).to_be_checked()
    main.click()  # what every environment of a lock has stays
    expect(main).to_be_checked()
    expect(docs).to_be_checked()
    shown(tab.view.get_by_text("A lockfile of 2 packages."))
    tab.check_accessibility(CHOICE)
    tab.picture("choice-categories")
    tab.tab("packages")
    tab.page.locator(".lm-TabBar-tab.lm-mod-current", has_text="locked").locator(".lm-TabBar-tabCloseIcon").click()
    tab.open("locked", "specification")
    expect(docs).to_be_checked()
    expect(main).to_be_checked()
    tab.button("create-build").click()
    shown(tab.page.get_by_text("team/locked is ready"), 60_000)
    build_id = lab.data("GET", "environment/team/locked/")["current_build_id"]
    assert build_id != first
    assert packages(lab, build_id) == ["nasty-binary", "nasty-text"]
    lab.data("DELETE", "environment/team/locked/")
